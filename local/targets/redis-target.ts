import { createHash, randomBytes } from 'node:crypto';
import { createClient } from '@redis/client';
import { startRedis, type RedisOptions, type RedisServer } from './redis';
import { newPassword, sensitiveIn } from './secret-text';
import type { Logins, RehearsalTarget, TargetKind, TargetServer } from './target';

/** Redis, with users that it keeps in an ACL file. */
export const redisKind: TargetKind = {
  facts: {
    claimed: true,
    sessionsOutlive: true,
    connectionsPerVerb: 1,
    adminIsPrincipal: true,
    required: ['host', 'password'],
  },
  start: () => startRedisTargets(),
};

/** A server, and what it takes to make credentials on it. */
export interface RedisTargets extends TargetServer {
  readonly server: RedisServer;
  provision(options?: { readonly adminArn?: string; readonly user?: string }): Promise<RehearsalTarget>;
  /** Sends a command as somebody who may do everything. */
  asOperator(...words: readonly string[]): Promise<unknown>;
}

/** Starts a server and offers credentials on it. */
export async function startRedisTargets(options?: RedisOptions): Promise<RedisTargets> {
  const server = await startRedis(options);
  let operator: Promise<Client> | undefined;
  const asOperator = async (...words: readonly string[]) => {
    operator ??= connect(server, server.operator, 'rehearsal');
    const client = await operator;
    // After a restart of the server the old connection is of no use.
    if (!client.isReady) operator = connect(server, server.operator, 'rehearsal');
    return (await operator).sendCommand(words);
  };
  // A server that was there before may hold what an earlier run has left.
  const run = server.borrowed ? `_${randomBytes(3).toString('hex')}` : '';
  const made: string[] = [];
  const journal = new Journal();
  let count = 0;
  return {
    server,
    asOperator,
    provision: async ({ adminArn, user } = {}) => {
      count += 1;
      const suffix = `${count === 1 ? '' : `_${String(count)}`}${run}`;
      const names = { user: user ?? `app${suffix}`, admin: `rotor_admin${suffix}` };
      made.push(names.user, names.admin);
      return provision(server, names, adminArn, asOperator);
    },
    logText: async () => {
      await journal.read(asOperator);
      return `${await server.logText()}\n${journal.text}\n${JSON.stringify(await asOperator('ACL', 'LOG', everyEntry))}`;
    },
    logins: async () => {
      await journal.read(asOperator);
      return {
        accepted: [...journal.accepted],
        refused: refusedIn(await asOperator('ACL', 'LOG', everyEntry)),
      };
    },
    stop: async () => {
      if (server.borrowed && made.length > 0) await asOperator('ACL', 'DELUSER', ...made);
      if (operator !== undefined) (await operator).destroy();
      await server.stop();
    },
  };
}

/** ACL LOG gives ten entries unless told how many; it keeps no more than `acllog-max-len`. */
const everyEntry = '10000';

/**
 * What rotators/redis/README.md asks an administrator to grant once, for servers with an ACL file and with a
 * configuration file: to the admin, or to the user itself where there is no admin.
 */
export const changeGrants = ['+acl|getuser', '+acl|setuser', '+acl|save', '+config|rewrite'] as const;

async function provision(
  server: RedisServer,
  names: { readonly user: string; readonly admin: string },
  adminArn: string | undefined,
  asOperator: RedisTargets['asOperator'],
): Promise<RehearsalTarget> {
  const [password, adminPassword] = [newPassword(), newPassword()];
  const rights = [
    ...[`~${names.user}:*`, '+@read', '+@write', '+@connection'],
    ...(adminArn === undefined ? changeGrants : []),
  ];
  await asOperator('ACL', 'SETUSER', names.user, 'on', `#${hashOf(password)}`, ...rights);
  await asOperator(
    'ACL',
    'SETUSER',
    names.admin,
    'on',
    `#${hashOf(adminPassword)}`,
    '-@all',
    ...changeGrants,
  );
  const { certificate } = server;
  const place = {
    engine: 'redis',
    host: server.host,
    port: server.port,
    ...(certificate === undefined ? { ssl: false } : { ssl: true }),
    ...(certificate === undefined || certificate === '' ? {} : { sslrootcert: certificate }),
  };
  const secret = { ...place, username: names.user, password };
  return {
    secret: JSON.stringify(adminArn === undefined ? secret : { ...secret, masterarn: adminArn }),
    admin: JSON.stringify({ ...place, username: names.admin, password: adminPassword }),
    ...(server.keepsUsers ? {} : { settings: { persist: false } }),
    login: async (text, application) => {
      const client = await connect(server, loginOf(text), application);
      return {
        work: async () => {
          await client.incr(`${names.user}:orders`);
          await client.get(`${names.user}:orders`);
        },
        close: async () => client.destroy(),
      };
    },
    isRefusedLogin: (error) => error instanceof Error && error.message.startsWith('WRONGPASS'),
    wrong: (text) => JSON.stringify({ ...membersOf(text), password: newPassword() }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({ secret: JSON.stringify({ ...membersOf(text), port: 9 }), settings: {} }),
    sensitive: (text) => sensitiveIn(text, 'password'),
    live: async () => passwordsIn(await asOperator('ACL', 'GETUSER', names.user)),
  };
}

/** How many passwords ACL GETUSER shows; a connection in either version of the protocol may have asked. */
function passwordsIn(answer: unknown): number {
  const flat: readonly unknown[] = Array.isArray(answer) ? answer : Object.entries(answer ?? {}).flat();
  const hashes = flat[flat.indexOf('passwords') + 1];
  return Array.isArray(hashes) ? hashes.length : 0;
}

/**
 * The slow log, which with a threshold of 0 has every command, without its passwords. It is taken out of the server at every
 * look, so that it stays short.
 */
class Journal {
  text = '';
  readonly accepted: Logins['accepted'][number][] = [];

  async read(asOperator: RedisTargets['asOperator']): Promise<void> {
    const entries = await asOperator('SLOWLOG', 'GET', '-1');
    if (!Array.isArray(entries)) return;
    await asOperator('SLOWLOG', 'RESET');
    for (const entry of entries.reverse()) this.note(entry);
  }

  /** An entry is id, time, microseconds, words, address and name of the connection. */
  private note(entry: unknown): void {
    if (!Array.isArray(entry) || !Array.isArray(entry[3])) return;
    const words = entry[3].map(String);
    this.text += `${String(entry[4])} ${String(entry[5])} ${words.join(' ')}\n`;
    // A connection gets its name by HELLO, if that lets it in, or afterwards; as whom it logged in is kept from the log.
    const [command = '', second = '', third = ''] = words;
    const named = `${command} ${second}`.toUpperCase() === 'CLIENT SETNAME' ? third : undefined;
    const application = command.toUpperCase() === 'HELLO' ? String(entry[5] ?? '') : (named ?? '');
    if (application !== '') this.accepted.push({ user: '', application });
  }
}

/** ACL LOG counts refusals that are alike together. */
function refusedIn(answer: unknown): Logins['refused'] {
  const entries: readonly unknown[] = Array.isArray(answer) ? answer : [];
  return entries.flatMap((entry) => {
    const flat: readonly unknown[] = Array.isArray(entry) ? entry : Object.entries(entry ?? {}).flat();
    const field = (name: string) => flat[flat.indexOf(name) + 1];
    if (field('reason') !== 'auth') return [];
    return Array.from({ length: Number(field('count')) }, () => ({ user: String(field('username')) }));
  });
}

type Client = ReturnType<typeof createClient>;

async function connect(
  server: RedisServer,
  login: { readonly username: string; readonly password: string },
  application: string,
): Promise<Client> {
  const { host, port, certificate } = server;
  const place = { host, port, reconnectStrategy: false, connectTimeout: 60_000 } as const;
  const client: Client = createClient({
    ...login,
    name: application,
    commandOptions: { timeout: 60_000 },
    socket:
      certificate === undefined
        ? place
        : { ...place, tls: true, ...(certificate === '' ? {} : { ca: certificate }) },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function loginOf(text: string): { readonly username: string; readonly password: string } {
  const { username = 'default', password } = JSON.parse(text) as { username?: string; password: string };
  return { username, password };
}

function membersOf(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}

function hashOf(password: string): string {
  return createHash('sha256').update(password).digest('hex');
}
