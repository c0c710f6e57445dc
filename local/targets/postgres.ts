import * as fs from 'node:fs/promises';
import path from 'node:path';
import { selfSigned } from './certificate';
import { postgresBinaries } from './postgres-binaries';
import { borrowPostgres } from './postgres-borrowed';
import { launch, type PostgresOptions } from './postgres-process';
import { end, watchOver } from './server-process';
import { copyTemplate, postgresTemplate, superuser } from './postgres-template';
import { giveTo, scratchFolder, serverIdentity, type ServerIdentity } from './scratch';

export type { PostgresOptions };

/** A real PostgreSQL server on the loopback interface. */
export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** Name and password of the superuser. */
  readonly superuser: string;
  readonly password: string;
  /** Where the server keeps its data; undefined for a server that was there before. */
  readonly dataDir: string | undefined;
  /** What a client has to trust to reach the server over TLS, as PEM. */
  readonly certificate: string | undefined;
  /** Everything that the server has logged so far: connections, refused logins, errors, statements as `log` says. */
  logText(): Promise<string>;
  /** Ends the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL server of its own for a test or a rehearsal: loopback, a free port, SCRAM, small and unsafe on
 * power loss. Where ROTOR_TEST_POSTGRES_URL is set, that server is used instead.
 *
 * It ends with `stop`, and soon after this process when that is killed. PostgresMissing where there are no binaries.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const borrowed = process.env['ROTOR_TEST_POSTGRES_URL'];
  if (borrowed !== undefined && borrowed !== '') return borrowPostgres(borrowed);
  const identity = await serverIdentity();
  const binaries = await postgresBinaries();
  const template = await postgresTemplate(binaries, identity);
  const home = await fs.mkdtemp(path.join(await scratchFolder(), 'rotor-pg-'));
  try {
    const dataDir = path.join(home, 'data');
    await giveTo(identity, home);
    await copyTemplate(template, identity, dataDir);
    const certificate = options.tls === true ? await installCertificate(dataDir, identity) : undefined;
    const server = await launch(binaries, identity, home, options);
    const watcher = await watchOver(server.process, identity, home);
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      await end(server.process, 'SIGINT');
      watcher.stdin?.end('stopped\n');
      await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
    };
    return {
      host: '127.0.0.1',
      port: server.port,
      superuser,
      password: template.password,
      dataDir,
      certificate,
      logText: () => fs.readFile(path.join(home, 'server.log'), 'utf8'),
      stop: () => (stopped ??= stop()),
    };
  } catch (error) {
    await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function installCertificate(dataDir: string, identity: ServerIdentity | undefined): Promise<string> {
  const { certificate, key } = selfSigned(['localhost'], ['127.0.0.1']);
  for (const [name, text] of [
    ['server.crt', certificate],
    ['server.key', key],
  ] as const) {
    await fs.writeFile(path.join(dataDir, name), text, { mode: 0o600 });
    await giveTo(identity, path.join(dataDir, name));
  }
  return certificate;
}
