import * as z from 'zod/mini';
import type { RotatorDefinition, RotatorExample, RotatorTraits } from '../rotator';
import { port, tlsMembers } from '../server-members';
import { noSettings } from '../settings';

/** MySQL's protocol ends texts with a zero byte, so none can hold one. */
const text = z.string().check(
  z.minLength(1),
  z.refine((value) => !value.includes('\0')),
);

const place = { port: z.optional(port), dbname: z.optional(text), ...tlsMembers };

/**
 * The JSON that AWS documents for a secret of RDS for MySQL, RDS for MariaDB and Aurora MySQL; members beyond it are kept.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
const secret = z.looseObject({
  engine: z.enum(['mysql', 'mariadb', 'aurora-mysql']),
  host: text,
  ...place,
  username: text,
  password: text,
  /** ARN of the admin's secret; its presence is what asks for alternating users. */
  masterarn: z.optional(text),
});

/** An admin's secret: like the others, or the two members that RDS keeps for a master user that it manages itself. */
const admin = z.looseObject({ host: z.optional(text), ...place, username: text, password: text });

/** What the single user's rotator has to know about its server. */
const singleSettings = z.strictObject({
  /** MySQL 8.0.14 and later keep the replaced password valid (RETAIN CURRENT PASSWORD), so one user has overlap. */
  dualPassword: z._default(z.boolean(), false),
});

/** The members that the documentation knows; none of them holds the password but its own. */
export const documentedMembers: readonly string[] = Object.keys(secret.shape);

export type MysqlSecret = z.infer<typeof secret>;
export type MysqlAdmin = z.infer<typeof admin>;
export type SingleSettings = z.infer<typeof singleSettings>;

const database = { engine: 'mysql', host: 'database.example.internal', port: 3306, dbname: 'app' };
const example: RotatorExample = {
  secret: { ...database, username: 'app' },
  admin: { ...database, username: 'rotor_admin' },
  generated: 'password',
  settings: {},
};

const shared = {
  secret,
  admin,
  example,
  sensitive: ({ password }: MysqlSecret | MysqlAdmin) => [password],
  principal: ({ username }: MysqlSecret) => username,
  adminArn: ({ masterarn }: MysqlSecret) => masterarn,
};

const traits = {
  mint: 'rotator',
  retirement: 'reversible',
  network: 'vpc',
  iam: [],
} as const satisfies Partial<RotatorTraits>;

/** Two users, `app` and `app_clone`, of which one is in use and the other gets the next password. */
export const mysqlAlternatingDefinition: RotatorDefinition<MysqlSecret, MysqlAdmin> = {
  ...shared,
  example: { ...example, adminMember: 'masterarn' },
  settings: noSettings,
  traits: () => ({
    ...traits,
    overlap: 'two-principals',
    usage: true,
    endsSessions: true,
    admin: 'required',
  }),
  claims: (candidate) => isMysql(candidate) && namesAdmin(candidate),
};

/** One user, whose password is replaced in place: without overlap, unless its server keeps two passwords. */
export const mysqlSingleDefinition: RotatorDefinition<MysqlSecret, MysqlAdmin, SingleSettings> = {
  ...shared,
  settings: singleSettings,
  traits: ({ dualPassword }) => ({
    ...traits,
    usage: false,
    // Sessions of one user do not show with which of its passwords they began.
    endsSessions: false,
    ...(dualPassword
      ? { overlap: 'two-credentials', admin: 'required' }
      : { overlap: 'none', admin: 'optional' }),
  }),
  claims: (candidate) => isMysql(candidate) && !namesAdmin(candidate),
};

function isMysql(candidate: Readonly<Record<string, unknown>>): boolean {
  return secret.shape.engine.safeParse(candidate['engine']).success;
}

function namesAdmin(candidate: Readonly<Record<string, unknown>>): boolean {
  return candidate['masterarn'] !== undefined;
}
