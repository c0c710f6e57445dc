import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresBinaries } from './postgres-binaries';
import type { ServerIdentity } from './scratch';

/** How a server is to be started. */
export interface PostgresOptions {
  /** What the server writes into its log of the statements that it gets: PostgreSQL's `log_statement`. */
  readonly log?: 'none' | 'ddl' | 'mod' | 'all';
  /** Offers TLS, with a certificate for localhost and 127.0.0.1 that signs itself. */
  readonly tls?: boolean;
}

/** The environment of the server's programs: nothing of the caller's, which may hold credentials. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Starts the server on a free port and waits until it takes connections. */
export async function launch(
  binaries: PostgresBinaries,
  identity: ServerIdentity | undefined,
  home: string,
  options: PostgresOptions,
): Promise<{ process: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const log = await fs.open(path.join(home, 'server.log'), 'w', 0o600);
    const server = spawn(
      path.join(binaries.bin, 'postgres'),
      ['-D', path.join(home, 'data'), ...flags(port, options)],
      // A session of its own: Ctrl-C in the terminal is for the rehearsal, which ends the server in its own time.
      { ...identity, cwd: home, env: serverEnvironment(), stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    await log.close();
    if (await isReady(server, path.join(home, 'data', 'postmaster.pid'))) return { process: server, port };
    await end(server, 'SIGQUIT');
    const text = await fs.readFile(path.join(home, 'server.log'), 'utf8');
    // Somebody else may take the port between our look and the server's.
    if (attempt === 5 || !text.includes('could not bind'))
      throw new Error(`PostgreSQL did not start: ${text}`);
  }
}

function flags(port: number, { log = 'none', tls = false }: PostgresOptions): string[] {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_connections: 'on',
    log_statement: log,
    log_line_prefix: '%m [%p] ',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ssl: tls ? 'on' : 'off',
    // A test server: small, and nothing of it has to survive.
    shared_buffers: '16MB',
    max_connections: 60,
    max_worker_processes: 8,
    max_wal_size: '32MB',
    min_wal_size: '2MB',
    wal_level: 'minimal',
    max_wal_senders: 0,
    autovacuum: 'off',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    dynamic_shared_memory_type: 'mmap',
    authentication_timeout: '5s',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The last line of postmaster.pid is where PostgreSQL tells pg_ctl that it is ready. */
async function isReady(server: ChildProcess, pidFile: string): Promise<boolean> {
  const patience = Date.now() + 20_000;
  // A program that cannot be started has no pid, and would end this process by an error that nobody hears.
  server.on('error', () => undefined);
  while (
    Date.now() < patience &&
    server.pid !== undefined &&
    server.exitCode === null &&
    server.signalCode === null
  ) {
    const lines = (await fs.readFile(pidFile, 'utf8').catch(() => '')).split('\n');
    if (lines[0] === String(server.pid) && lines[7]?.trim() === 'ready') return true;
    await delay(10);
  }
  return false;
}

/** Starts a shell that waits for the end of its input, which comes with the end of this process, and ends the server then. */
export async function watchOver(
  server: ChildProcess,
  identity: ServerIdentity | undefined,
  home: string,
): Promise<ChildProcess> {
  const script = 'read -r word || { kill -QUIT "$1"; sleep 1; rm -rf -- "$2"; }';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(server.pid), home], {
    ...identity,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  await once(watcher, 'spawn');
  watcher.unref();
  server.unref();
  // The pipe alone must not keep this process alive.
  if (watcher.stdin instanceof net.Socket) watcher.stdin.unref();
  return watcher;
}

/** Ends a server and waits until it is gone; already gone is success. */
export async function end(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  server.ref();
  const exited = once(server, 'exit');
  server.kill(signal);
  const forced = setTimeout(() => server.kill('SIGQUIT'), 5_000);
  await exited;
  clearTimeout(forced);
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}
