import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import type { ServerIdentity } from './scratch';
import { comesUp, end, freePort, serverEnvironment } from './server-process';

/** How a server is to be started. */
export interface MysqlOptions {
  /** Whether the server writes every statement that it gets into its log (`general_log`). */
  readonly log?: 'none' | 'all';
  /** Offers TLS, with a certificate for localhost and 127.0.0.1 that signs itself. */
  readonly tls?: boolean;
  /** Further options of the server, as its command line has them. */
  readonly flags?: readonly string[];
}

/** Starts MariaDB on a free port and waits until it takes connections. */
export async function launchMariadb(
  program: string,
  identity: ServerIdentity | undefined,
  home: string,
  options: MysqlOptions,
): Promise<{ process: ChildProcess; port: number }> {
  const log = path.join(home, 'error.log');
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    await fs.rm(log, { force: true });
    const server = spawn(program, ['--no-defaults', ...flags(home, port, options)], {
      ...identity,
      cwd: home,
      env: serverEnvironment(),
      // A session of its own: Ctrl-C in the terminal is for the rehearsal, which ends the server in its own time.
      stdio: 'ignore',
      detached: true,
    });
    const isReady = async () =>
      (await fs.readFile(log, 'utf8').catch(() => '')).includes('ready for connections');
    if (await comesUp(server, isReady)) return { process: server, port };
    await end(server, 'SIGKILL');
    const text = await fs.readFile(log, 'utf8').catch(() => 'it has logged nothing');
    // Somebody else may take the port between our look and the server's.
    if (attempt === 5 || !text.includes('Address already in use'))
      throw new Error(`MariaDB did not start: ${text}`);
  }
}

function flags(
  home: string,
  port: number,
  { log = 'none', tls = false, flags = [] }: MysqlOptions,
): string[] {
  const at = (name: string) => path.join(home, name);
  const settings = {
    datadir: at('data'),
    // A server that starts removes temporary tables from its folder, also those of another that has the same.
    tmpdir: home,
    'init-file': at('first.sql'),
    port,
    'bind-address': '127.0.0.1',
    socket: at('server.sock'),
    'pid-file': at('server.pid'),
    'log-error': at('error.log'),
    'general-log': log === 'all' ? 1 : 0,
    'general-log-file': at('general.log'),
    // The one place where MariaDB writes down a login that was refused because the account is locked.
    'plugin-load-add': 'server_audit',
    'server-audit-logging': 'ON',
    'server-audit-events': 'CONNECT',
    'server-audit-file-path': at('audit.log'),
    'skip-name-resolve': 1,
    'skip-log-bin': 1,
    // Where a client's program name can be read; on in MySQL, off in MariaDB.
    'performance-schema': 'ON',
    'performance-schema-max-thread-instances': 100,
    'performance-schema-digests-size': 0,
    'default-time-zone': '+00:00',
    // As PostgreSQL's: a client that stands still for a while in its login is not shut out.
    'connect-timeout': 60,
    // A test server: small, and nothing of it has to survive.
    'max-connections': 60,
    'innodb-log-file-size': '4M',
    'innodb-data-file-path': 'ibdata1:5M:autoextend',
    'innodb-autoextend-increment': 1,
    'innodb-buffer-pool-size': '8M',
    'innodb-buffer-pool-dump-at-shutdown': 0,
    'innodb-buffer-pool-load-at-startup': 0,
    'innodb-flush-log-at-trx-commit': 0,
    'innodb-flush-method': 'nosync',
    'innodb-doublewrite': 0,
    'key-buffer-size': '1M',
    'aria-pagecache-buffer-size': '1M',
    ...(tls ? { 'ssl-cert': at('server.crt'), 'ssl-key': at('server.key') } : { 'skip-ssl': 1 }),
  };
  return [...Object.entries(settings).map(([name, value]) => `--${name}=${value}`), ...flags];
}
