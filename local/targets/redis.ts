import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { selfSigned } from './certificate';
import { serverProgram, serverPrograms } from './debian';
import { giveTo, scratchFolder, serverIdentity, type ServerIdentity } from './scratch';
import { comesUp, end, freePort, onceFree, serverEnvironment, watchOver } from './server-process';
import { newPassword } from './secret-text';

/** How a server is to be started. */
export interface RedisOptions {
  /** Where it keeps its users: `nowhere` is a server that is configured through its standard input. */
  readonly users?: 'acl-file' | 'configuration' | 'nowhere';
  /** Password of the user `default`, as servers have it that know no users. Absent: nobody logs in as `default`. */
  readonly requirepass?: string;
  /** Offers TLS and nothing else, with a certificate for localhost and 127.0.0.1 that signs itself. */
  readonly tls?: boolean;
  /** Further lines of the configuration. */
  readonly lines?: readonly string[];
}

/** A real Redis server on the loopback interface. */
export interface RedisServer {
  readonly host: string;
  readonly port: number;
  /** A user with every right, for who prepares the server and looks at it. */
  readonly operator: { readonly username: string; readonly password: string };
  /** What a client has to trust to reach the server over TLS, as PEM; undefined: plain text. */
  readonly certificate: string | undefined;
  /** Whether it keeps users beyond a restart. */
  readonly keepsUsers: boolean;
  /** Whether it was there before. */
  readonly borrowed: boolean;
  /** What the server has written into its log file. */
  logText(): Promise<string>;
  /** Ends the server and starts it again with what it has kept. */
  restart(): Promise<void>;
  /** Ends the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis server of its own for a test or a rehearsal: loopback, a free port, no data kept, every command noted
 * in its slow log (which leaves out passwords). Where ROTOR_TEST_REDIS_URL is set and nothing special is asked for,
 * that server is used instead.
 *
 * It ends with `stop`, and soon after this process when that is killed. ServerMissing where there is no program.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const borrowed = process.env[serverPrograms.redis.variable];
  if (borrowed !== undefined && borrowed !== '' && Object.keys(options).length === 0) return borrow(borrowed);
  const program = serverProgram(serverPrograms.redis);
  const identity = await serverIdentity();
  const home = await fs.mkdtemp(path.join(await scratchFolder(), 'rotor-redis-'));
  try {
    const certificate = options.tls === true ? await writeCertificate(home) : undefined;
    const operator = { username: 'operator', password: newPassword() };
    const users = [
      `user operator on #${createHash('sha256').update(operator.password).digest('hex')} ~* &* +@all`,
      ...(options.requirepass === undefined ? ['user default off'] : []),
    ];
    await fs.writeFile(path.join(home, 'users.acl'), `${users.join('\n')}\n`);
    await giveTo(identity, home);
    const startAt = (port: number) =>
      start(program, identity, home, configuration(port, home, users, options), options);
    const launched = await launch(startAt, home);
    let { process: server } = launched;
    const { port } = launched;
    let watcher = await watchOver(server, identity, home);
    let stopped: Promise<void> | undefined;
    const endServer = async () => {
      await end(server, 'SIGTERM');
      watcher.stdin?.end('stopped\n');
    };
    return {
      host: '127.0.0.1',
      port,
      operator,
      certificate,
      keepsUsers: options.users !== 'nowhere',
      borrowed: false,
      logText: () => fs.readFile(path.join(home, 'server.log'), 'utf8'),
      restart: async () => {
        await endServer();
        server = await onceFree(() => startAt(port));
        watcher = await watchOver(server, identity, home);
      },
      stop: () =>
        (stopped ??= endServer().then(() => fs.rm(home, { recursive: true, force: true, maxRetries: 3 }))),
    };
  } catch (error) {
    await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

function configuration(
  port: number,
  home: string,
  users: readonly string[],
  { users: kept = 'acl-file', requirepass, tls = false, lines = [] }: RedisOptions,
): string {
  return [
    'bind 127.0.0.1',
    ...(tls
      ? [
          'port 0',
          `tls-port ${port}`,
          `tls-cert-file ${home}/server.crt`,
          `tls-key-file ${home}/server.key`,
          `tls-ca-cert-file ${home}/server.crt`,
          'tls-auth-clients no',
        ]
      : [`port ${port}`]),
    `dir ${home}`,
    `logfile ${home}/server.log`,
    'save ""',
    'slowlog-log-slower-than 0',
    'slowlog-max-len 200000',
    'acllog-max-len 10000',
    ...(requirepass === undefined ? [] : [`requirepass ${requirepass}`]),
    ...(kept === 'acl-file' ? [`aclfile ${home}/users.acl`] : users),
    ...lines,
    '',
  ].join('\n');
}

/** Somebody else may take the port between our look and the server's. */
async function launch(
  startAt: (port: number) => Promise<ChildProcess>,
  home: string,
): Promise<{ process: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return { process: await startAt(port), port };
    } catch (error) {
      // A configuration for a port that is taken must not be used again.
      await fs.rm(path.join(home, 'redis.conf'), { force: true });
      if (attempt === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** Starts the server and waits until it takes connections. A configuration that is there already is used as it is. */
async function start(
  program: string,
  identity: ServerIdentity | undefined,
  home: string,
  text: string,
  { users }: RedisOptions,
): Promise<ChildProcess> {
  const file = path.join(home, 'redis.conf');
  const log = path.join(home, 'server.log');
  const throughInput = users === 'nowhere';
  if (!throughInput && (await fs.stat(file).catch(() => undefined)) === undefined) {
    await fs.writeFile(file, text, { mode: 0o600 });
    await giveTo(identity, file);
  }
  const before = (await fs.readFile(log, 'utf8').catch(() => '')).length;
  const server = spawn(program, [throughInput ? '-' : file], {
    ...identity,
    cwd: home,
    env: serverEnvironment(),
    stdio: ['pipe', 'ignore', 'pipe'],
    // A session of its own: Ctrl-C in the terminal is for the rehearsal, which ends the server in its own time.
    detached: true,
  });
  let complaint = '';
  server.on('error', (error) => (complaint += error.message));
  server.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  server.stdin.on('error', () => undefined);
  server.stdin.end(throughInput ? text : '');
  if (server.stderr instanceof net.Socket) server.stderr.unref();
  const said = async () => (await fs.readFile(log, 'utf8').catch(() => '')).slice(before);
  if (await comesUp(server, async () => (await said()).includes('Ready to accept connections')))
    return server;
  await end(server, 'SIGKILL');
  throw new Error(`redis-server did not start: ${complaint}${await said()}`);
}

async function writeCertificate(home: string): Promise<string> {
  const { certificate, key } = selfSigned(['localhost'], ['127.0.0.1']);
  await fs.writeFile(path.join(home, 'server.crt'), certificate, { mode: 0o600 });
  await fs.writeFile(path.join(home, 'server.key'), key, { mode: 0o600 });
  return certificate;
}

/** Uses a server that somebody else runs. It is neither configured nor stopped. */
function borrow(url: string): RedisServer {
  const { hostname, port, username, password, protocol } = new URL(url);
  return {
    host: hostname,
    port: port === '' ? 6379 : Number(port),
    operator: {
      username: username === '' ? 'default' : decodeURIComponent(username),
      password: decodeURIComponent(password),
    },
    certificate: protocol === 'rediss:' ? '' : undefined,
    keepsUsers: false,
    borrowed: true,
    logText: () => Promise.resolve(''),
    restart: () => Promise.reject(new Error('a server that somebody else runs is not restarted')),
    stop: () => Promise.resolve(),
  };
}
