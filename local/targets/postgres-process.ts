import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import type { PostgresBinaries } from './postgres-binaries';
import type { ServerIdentity } from './scratch';
import { comesUp, end, freePort, serverEnvironment } from './server-process';

/** How a server is to be started. */
export interface PostgresOptions {
  /** What the server writes into its log of the statements that it gets: PostgreSQL's `log_statement`. */
  readonly log?: 'none' | 'ddl' | 'mod' | 'all';
  /** Offers TLS, with a certificate for localhost and 127.0.0.1 that signs itself. */
  readonly tls?: boolean;
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
    const pidFile = path.join(home, 'data', 'postmaster.pid');
    if (await comesUp(server, () => isReady(server, pidFile))) return { process: server, port };
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
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The last line of postmaster.pid is where PostgreSQL tells pg_ctl that it is ready. */
async function isReady(server: ChildProcess, pidFile: string): Promise<boolean> {
  const lines = (await fs.readFile(pidFile, 'utf8').catch(() => '')).split('\n');
  return lines[0] === String(server.pid) && lines[7]?.trim() === 'ready';
}
