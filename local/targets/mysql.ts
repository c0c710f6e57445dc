import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { selfSigned } from './certificate';
import { serverProgram, serverPrograms } from './debian';
import { borrowMysql } from './mysql-borrowed';
import { launchMariadb, type MysqlOptions } from './mysql-process';
import { giveTo, scratchFolder, serverIdentity, type ServerIdentity } from './scratch';
import { end, serverEnvironment, watchOver } from './server-process';
import { newPassword } from './secret-text';

export type { MysqlOptions };

/** A real MariaDB or MySQL server on the loopback interface. */
export interface MysqlServer {
  readonly host: string;
  readonly port: number;
  /** Name and password of the superuser. */
  readonly superuser: string;
  readonly password: string;
  /** Where the server keeps its data; undefined for a server that was there before. */
  readonly dataDir: string | undefined;
  /** What a client has to trust to reach the server over TLS, as PEM. */
  readonly certificate: string | undefined;
  /** Everything that the server has logged so far: statements as `log` says, logins and refused logins, errors. */
  logText(): Promise<string>;
  /** Ends the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

const superuser = 'root';

/**
 * Starts a MariaDB server of its own for a test or a rehearsal: loopback, a free port, small and unsafe on power loss.
 * Where ROTOR_TEST_MYSQL_URL is set, that server is used instead.
 *
 * It ends with `stop`, and soon after this process when that is killed. ServerMissing where there is no program.
 * A new data directory takes half a second, so none is kept as a template.
 */
export async function startMysql(options: MysqlOptions = {}): Promise<MysqlServer> {
  const borrowed = process.env[serverPrograms.mysql.variable];
  if (borrowed !== undefined && borrowed !== '') return borrowMysql(borrowed);
  const program = serverProgram(serverPrograms.mysql);
  const identity = await serverIdentity();
  const home = await fs.mkdtemp(path.join(await scratchFolder(), 'rotor-my-'));
  try {
    await giveTo(identity, home);
    await initialise(identity, home);
    const password = newPassword();
    const certificate = options.tls === true ? await installCertificate(home, identity) : undefined;
    await writeFirstStatements(password, identity, home);
    const server = await launchMariadb(program, identity, home, options);
    await fs.rm(path.join(home, 'first.sql'));
    return running(server, await watchOver(server.process, identity, home), home, password, certificate);
  } catch (error) {
    await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

function running(
  server: { readonly process: ChildProcess; readonly port: number },
  watcher: ChildProcess,
  home: string,
  password: string,
  certificate: string | undefined,
): MysqlServer {
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    // Nothing of it has to survive, and an orderly end takes a second.
    await end(server.process, 'SIGKILL');
    watcher.stdin?.end('stopped\n');
    await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    host: '127.0.0.1',
    port: server.port,
    superuser,
    password,
    dataDir: path.join(home, 'data'),
    certificate,
    logText: async () => {
      const texts = ['error.log', 'general.log', 'audit.log'].map((name) =>
        fs.readFile(path.join(home, name), 'utf8').catch(() => ''),
      );
      return (await Promise.all(texts)).join('\n');
    },
    stop: () => (stopped ??= stop()),
  };
}

/** Makes the data directory. */
async function initialise(identity: ServerIdentity | undefined, home: string): Promise<void> {
  const install = spawn(
    'mariadb-install-db',
    [
      '--no-defaults',
      `--datadir=${path.join(home, 'data')}`,
      // A server that starts removes temporary tables from its folder, also those of another that has the same.
      `--tmpdir=${home}`,
      ...['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve'],
      // As large as they must be: what is written here is thrown away soon.
      ...['--innodb-log-file-size=4M', '--innodb-data-file-path=ibdata1:5M:autoextend'],
      ...['--innodb-autoextend-increment=1', '--innodb-undo-tablespaces=0', '--innodb-flush-method=nosync'],
    ],
    { ...identity, cwd: home, env: serverEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [install.stdout, install.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(install, 'close')) as [number | null];
  if (code !== 0) throw new Error(`mariadb-install-db ended with ${String(code)}: ${said}`);
}

/** One superuser with a password, in place of those without; the file is the server's to read at its first start. */
async function writeFirstStatements(
  password: string,
  identity: ServerIdentity | undefined,
  home: string,
): Promise<void> {
  const file = path.join(home, 'first.sql');
  const statements = [
    `SET sql_log_off = 1`,
    `CREATE OR REPLACE USER '${superuser}'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    `GRANT ALL ON *.* TO '${superuser}'@'127.0.0.1' WITH GRANT OPTION`,
    `DELETE FROM mysql.global_priv WHERE User = '${superuser}' AND Host <> '127.0.0.1'`,
    `FLUSH PRIVILEGES`,
  ];
  await fs.writeFile(file, `${statements.join(';\n')};\n`, { mode: 0o600 });
  await giveTo(identity, file);
}

async function installCertificate(home: string, identity: ServerIdentity | undefined): Promise<string> {
  const { certificate, key } = selfSigned(['localhost'], ['127.0.0.1']);
  for (const [name, text] of [
    ['server.crt', certificate],
    ['server.key', key],
  ] as const) {
    await fs.writeFile(path.join(home, name), text, { mode: 0o600 });
    await giveTo(identity, path.join(home, name));
  }
  return certificate;
}
