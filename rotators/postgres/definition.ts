import * as z from 'zod/mini';
import type { RotatorDefinition, RotatorExample, RotatorTraits } from '../rotator';
import { port, tlsMembers } from '../server-members';
import { noSettings } from '../settings';

/** PostgreSQL's protocol ends texts with a zero byte, so none can hold one. */
const text = z.string().check(
  z.minLength(1),
  z.refine((value) => !value.includes('\0')),
);

const place = { port: z.optional(port), dbname: z.optional(text), ...tlsMembers };

/**
 * The JSON that AWS documents for a secret of RDS for PostgreSQL and of Aurora PostgreSQL; members beyond it are kept.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html
 */
const secret = z.looseObject({
  engine: z.enum(['postgres', 'aurora-postgresql']),
  host: text,
  ...place,
  username: text,
  password: text,
  /** ARN of the admin's secret; its presence is what asks for alternating users. */
  masterarn: z.optional(text),
});

/** An admin's secret: like the others, or the two members that RDS keeps for a master user that it manages itself. */
const admin = z.looseObject({ host: z.optional(text), ...place, username: text, password: text });

/** The members that the documentation knows; none of them holds the password but its own. */
export const documentedMembers: readonly string[] = Object.keys(secret.shape);

export type PostgresSecret = z.infer<typeof secret>;
export type PostgresAdmin = z.infer<typeof admin>;

const database = { engine: 'postgres', host: 'database.example.internal', port: 5432, dbname: 'app' };
const example: RotatorExample = {
  secret: { ...database, username: 'app' },
  admin: { ...database, username: 'rotor_admin' },
  generated: 'password',
  settings: {},
};

const shared = {
  secret,
  admin,
  settings: noSettings,
  sensitive: ({ password }: PostgresSecret | PostgresAdmin) => [password],
  principal: ({ username }: PostgresSecret) => username,
  adminArn: ({ masterarn }: PostgresSecret) => masterarn,
};

const traits = {
  mint: 'rotator',
  retirement: 'reversible',
  network: 'vpc',
  iam: [],
} as const satisfies Partial<RotatorTraits>;

/** Two users, `app` and `app_clone`, of which one is in use and the other gets the next password. */
export const alternatingDefinition: RotatorDefinition<PostgresSecret, PostgresAdmin> = {
  ...shared,
  example: { ...example, adminMember: 'masterarn' },
  traits: () => ({
    ...traits,
    overlap: 'two-principals',
    usage: true,
    endsSessions: true,
    admin: 'required',
  }),
  claims: (candidate) => isPostgres(candidate) && namesAdmin(candidate),
};

/** One user, whose password is replaced in place: no overlap, so applications see a gap. */
export const singleDefinition: RotatorDefinition<PostgresSecret, PostgresAdmin> = {
  ...shared,
  example,
  traits: () => ({ ...traits, overlap: 'none', usage: false, endsSessions: false, admin: 'optional' }),
  claims: (candidate) => isPostgres(candidate) && !namesAdmin(candidate),
};

function isPostgres(candidate: Readonly<Record<string, unknown>>): boolean {
  return secret.shape.engine.safeParse(candidate['engine']).success;
}

function namesAdmin(candidate: Readonly<Record<string, unknown>>): boolean {
  return candidate['masterarn'] !== undefined;
}
