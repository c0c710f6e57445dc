import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import type { PostgresBinaries } from './postgres-binaries';
import { serverEnvironment } from './server-process';
import { cached, giveTo, scratchFolder, type ServerIdentity } from './scratch';
import { newPassword } from './secret-text';

/** Name of the superuser in every data directory made from the template. */
export const superuser = 'postgres';

/** A data directory to copy, and the superuser's password in it. */
export interface PostgresTemplate {
  readonly dataDir: string;
  readonly password: string;
}

/** Makes the data directory that every server starts from, once: initdb takes most of a second, a copy far less. */
export async function postgresTemplate(
  binaries: PostgresBinaries,
  identity: ServerIdentity | undefined,
): Promise<PostgresTemplate> {
  const folder = await cached(`${binaries.key}-cluster`, (building) =>
    initialise(binaries, identity, building),
  );
  const password = await fs.readFile(path.join(folder, 'password'), 'utf8');
  return { dataDir: path.join(folder, 'data'), password };
}

async function initialise(
  binaries: PostgresBinaries,
  identity: ServerIdentity | undefined,
  folder: string,
): Promise<void> {
  const work = await fs.mkdtemp(path.join(await scratchFolder(), 'rotor-initdb-'));
  try {
    const password = newPassword();
    const passwordFile = path.join(work, 'password');
    await fs.writeFile(passwordFile, password, { mode: 0o600 });
    await giveTo(identity, work);
    const dataDir = path.join(work, 'data');
    const initdb = spawn(
      path.join(binaries.bin, 'initdb'),
      [
        ...[`--pgdata=${dataDir}`, `--username=${superuser}`, `--pwfile=${passwordFile}`],
        ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--wal-segsize=1'],
        ...['--no-sync', '--no-instructions'],
      ],
      { ...identity, cwd: work, env: serverEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let complaint = '';
    initdb.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    const [code] = (await once(initdb, 'close')) as [number | null];
    if (code !== 0) throw new Error(`initdb ended with ${String(code)}: ${complaint}`);
    // Moved and not copied: it stays the server's own, and whoever runs the server can copy it.
    await fs.rename(dataDir, path.join(folder, 'data'));
    await fs.writeFile(path.join(folder, 'password'), password, { mode: 0o600 });
  } finally {
    await fs.rm(work, { recursive: true, force: true });
  }
}

/** Copies the template as the user that the server runs as, by the system's own program: a thousand small files. */
export async function copyTemplate(
  { dataDir }: PostgresTemplate,
  identity: ServerIdentity | undefined,
  to: string,
): Promise<void> {
  const copy = spawn('cp', ['-R', dataDir, to], {
    ...identity,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  copy.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code] = (await once(copy, 'close')) as [number | null];
  if (code !== 0) throw new Error(`copying the template of a data directory failed: ${complaint}`);
}
