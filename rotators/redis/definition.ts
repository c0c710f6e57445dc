import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { RotatorDefinition, RotatorTraits } from '../rotator';
import { host, port, tlsMembers } from '../server-members';

const text = z.string().check(z.minLength(1));

/** A server as settings and an admin's secret name it; an IPv6 address stands in brackets. */
const node = z.string().check(
  z.regex(/^(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):[1-9]\d{0,4}$/),
  z.refine((value) => Number(value.slice(value.lastIndexOf(':') + 1)) <= 65_535),
);

const place = { port: z.optional(port), ...tlsMembers };

/**
 * AWS documents `username` and `password` for ElastiCache and no shape for a server of one's own; the rest are the words
 * that its secrets of databases use. Members beyond these are kept.
 */
const secret = z.looseObject({
  engine: z.enum(['redis', 'valkey']),
  host,
  ...place,
  /** Absent: `default`, the user of servers that know a password and no names. */
  username: z.optional(text),
  password: text,
  /** ARN of the admin's secret. */
  masterarn: z.optional(text),
});

/** An admin's secret. One that names a host is for that host, and for the nodes that it lists, alone. */
const admin = z.looseObject({
  host: z.optional(host),
  ...place,
  nodes: z.optional(z.array(node)),
  username: z.optional(text),
  password: text,
});

const settings = z.strictObject({
  /** Further servers that have the user: every node of a cluster, every replica. Redis copies no users between them. */
  nodes: z.optional(z.array(node)),
  /** `false` for a server that keeps its users nowhere, and gets them anew at each start by other means. */
  persist: z.optional(z.boolean()),
  /** `keep` where several secrets share one user on purpose. */
  otherPasswords: z.optional(z.enum(['refuse', 'keep'])),
});

/** The members that this rotator knows; none of them holds the password but its own. */
export const knownMembers: readonly string[] = Object.keys(secret.shape);

export type RedisSecret = z.infer<typeof secret>;
export type RedisAdmin = z.infer<typeof admin>;
export type RedisSettings = z.infer<typeof settings>;

const traits = {
  overlap: 'two-credentials',
  mint: 'rotator',
  usage: false,
  endsSessions: false,
  admin: 'optional',
  retirement: 'reversible',
  network: 'vpc',
  iam: [],
} as const satisfies RotatorTraits;

const server = { engine: 'redis', host: 'cache.example.internal', port: 6379 };

/** One user of Redis or Valkey, which accepts the old password and the new one until the old one is removed. */
export const aclDefinition: RotatorDefinition<RedisSecret, RedisAdmin, RedisSettings> = {
  traits: () => traits,
  secret,
  admin,
  settings,
  example: {
    secret: { ...server, username: 'app' },
    admin: { ...server, username: 'rotor_admin' },
    generated: 'password',
    settings: {},
  },
  // Unsalted, the hash of a password that a person chose is as good as the password, and the server's errors quote it.
  sensitive: ({ password }) => [password, passwordHash(password)],
  claims: (candidate) => secret.shape.engine.safeParse(candidate['engine']).success,
  principal: userOf,
  adminArn: ({ masterarn }) => masterarn,
};

/** Names the user whose password a secret holds. */
export function userOf({ username }: Pick<RedisSecret, 'username'>): string {
  return username ?? 'default';
}

/** What Redis keeps of a password. */
export function passwordHash(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}
