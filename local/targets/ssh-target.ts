import * as fs from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ConnectConfig } from 'ssh2';
import { makeKeyPair } from '../../rotators/ssh/key-pair';
import { startSshHosts, type SshHost, type SshHosts } from './ssh';
import { sensitiveIn } from './secret-text';
import type { Logins, RehearsalTarget, TargetKind, TargetServer } from './target';

/** How many hosts have one key. Two are enough to be half done. */
const hostsOfOneKey = 2;

/** sshd writes down an accepted login after it has told the client: at once, unless the machine is busy. */
const patienceMs = 30_000;

/** OpenSSH, with a key that two hosts have. */
export const sshKind: TargetKind = {
  facts: {
    claimed: true,
    sessionsOutlive: true,
    connectionsPerVerb: hostsOfOneKey,
    adminIsPrincipal: true,
    required: ['username', 'hosts', 'privateKey', 'publicKey'],
  },
  start: () => startSshTargets(),
};

/** A key's hosts beside what every target has. */
export interface SshTarget extends RehearsalTarget {
  readonly hosts: readonly SshHost[];
}

/** How a key's hosts are to be. */
export interface SshProvision {
  readonly adminArn?: string;
  readonly hosts?: number;
  /** Makes the file of keys around the line of the key in use. */
  readonly authorized?: (line: string) => string;
  /** Further lines of sshd's configuration. */
  readonly lines?: readonly string[];
}

/** Hosts, and what it takes to make keys for them. */
export interface SshTargets extends TargetServer {
  readonly servers: SshHosts;
  provision(options?: SshProvision): Promise<SshTarget>;
}

/** Starts with no host; every key brings its own. */
export async function startSshTargets(): Promise<SshTargets> {
  const servers = await startSshHosts();
  const accepted: Logins['accepted'][number][] = [];
  const refused: Logins['refused'][number][] = [];
  /** How much of each connection's log has been counted: a list only grows at its end. */
  const counted: { accepted: number; refused: number }[] = [];
  const count = async () => {
    for (const [index, log] of (await settledLogs(servers)).entries()) {
      const seen = (counted[index] ??= { accepted: 0, refused: 0 });
      const found = loginsIn(log);
      accepted.push(...found.accepted.slice(seen.accepted));
      refused.push(...found.refused.slice(seen.refused));
      counted[index] = { accepted: found.accepted.length, refused: found.refused.length };
    }
  };
  return {
    servers,
    provision: (options = {}) => provision(servers, options),
    logText: async () => (await servers.logs()).join('\n'),
    logins: async () => {
      await count();
      return { accepted: [...accepted], refused: [...refused] };
    },
    stop: () => servers.stop(),
  };
}

async function provision(
  servers: SshHosts,
  { adminArn, hosts: wanted = hostsOfOneKey, authorized = (line) => `${line}\n`, lines = [] }: SshProvision,
): Promise<SshTarget> {
  const [pair, admin] = [makeKeyPair('app'), makeKeyPair('admin')];
  const hosts = await Promise.all(
    Array.from({ length: wanted }, () =>
      servers.add({ authorized: authorized(pair.publicKey), admins: `${admin.publicKey}\n`, lines }),
    ),
  );
  const [first] = hosts;
  if (first === undefined) throw new Error('a key needs a host');
  const { username } = first;
  const secret = {
    username,
    hosts: hosts.map(({ port, hostKey }) => ({ host: '127.0.0.1', port, hostKey })),
    ...pair,
    ...(adminArn === undefined ? {} : { masterarn: adminArn }),
  };
  return {
    hosts,
    secret: JSON.stringify(secret),
    admin: JSON.stringify({ username, privateKey: admin.privateKey }),
    login: async (text, application) => {
      const { privateKey } = read(text);
      const sessions: Client[] = [];
      const close = async () => sessions.forEach((session) => session.destroy());
      try {
        // One after the other: a key that is refused is refused once.
        for (const { port } of hosts)
          sessions.push(await connect({ port, username, privateKey, application }));
      } catch (error) {
        await close();
        throw error;
      }
      return {
        work: async () => {
          for (const session of sessions) await runs(session, 'true');
        },
        close,
      };
    },
    isRefusedLogin: (error) =>
      typeof error === 'object' &&
      error !== null &&
      'level' in error &&
      error.level === 'client-authentication',
    wrong: (text) => JSON.stringify({ ...read(text), ...makeKeyPair('wrong') }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({
      secret: JSON.stringify({ ...read(text), hosts: secret.hosts.map((host) => ({ ...host, port: 9 })) }),
      settings: {},
    }),
    sensitive: keyIn,
    live: async () => {
      const files = await Promise.all(hosts.map(({ keys }) => fs.readFile(keys, 'utf8')));
      return new Set(files.flatMap((file) => file.match(/ssh-ed25519 \S+/g) ?? [])).size;
    },
  };
}

/** The log of each connection, once no login is under way: the key is known and sshd has not said yet what becomes of it. */
async function settledLogs(servers: SshHosts): Promise<readonly string[]> {
  const isUnderWay = (log: string) =>
    /^Postponed publickey/m.test(log) && !/^(?:(?:Accepted|Failed) publickey|debug1: do_cleanup)/m.test(log);
  const until = Date.now() + patienceMs;
  for (;;) {
    const logs = await servers.logs();
    if (!logs.some(isUnderWay) || Date.now() > until) return logs;
    await delay(5);
  }
}

/** Reads the log of one connection; lines are sshd's own. */
function loginsIn(log: string): Logins {
  const application = /remote software version (\S+)/.exec(log)?.[1] ?? '';
  return {
    accepted: [...log.matchAll(/^Accepted publickey for (\S+) from/gm)].map(([, user = '']) => ({
      user,
      application,
    })),
    refused: [...log.matchAll(/^Failed publickey for (?:invalid user )?(\S+) from/gm)].map(
      ([, user = '']) => ({
        user,
      }),
    ),
  };
}

interface Login {
  readonly port: number;
  readonly username: string;
  readonly privateKey: string;
  readonly application: string;
}

async function connect({ port, username, privateKey, application }: Login): Promise<Client> {
  const client = new Client();
  const config: ConnectConfig & { readonly ident: string } = {
    host: '127.0.0.1',
    port,
    username,
    privateKey,
    authHandler: ['publickey'],
    readyTimeout: 60_000,
    ident: application,
  };
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve);
      client.on('error', reject);
      client.once('close', () => reject(new Error('connection closed')));
      client.connect(config);
      client.setNoDelay(true);
    });
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** Runs one command; rejects unless it succeeds. */
function runs(client: Client, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) {
        reject(error);
        return;
      }
      channel.on('close', (code: number | null) =>
        code === 0 ? resolve() : reject(new Error(`${command} ended with ${String(code)}`)),
      );
      channel.resume();
    });
  });
}

function read(text: string): { readonly privateKey: string } {
  return JSON.parse(text) as { readonly privateKey: string };
}

/** The key and each of its longer lines; all of a text that is no JSON, since the key may stand anywhere in it. */
function keyIn(text: string): readonly string[] {
  return sensitiveIn(text, 'privateKey').flatMap((key) => [
    key,
    ...key.split('\n').filter((line) => line.length >= 32 && !line.startsWith('-')),
  ]);
}
