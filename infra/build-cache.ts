import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import path from 'node:path';

/** Folders of the checkout from which nothing is deployed. Any other one counts, a team's own too. */
const notDeployed = new Set(['bench', 'bin', 'cdk.out', 'coverage', 'docs', 'local', 'node_modules', 'test']);

/** What npm has installed beside the sources, or beside the package as which they were installed; npm writes it itself. */
function installedIn(root: string): string | undefined {
  const beside = [path.join(root, 'node_modules'), path.dirname(root)];
  return beside.map((folder) => path.join(folder, '.package-lock.json')).find((file) => existsSync(file));
}

/**
 * A name for all that a synthesised app depends on beside its context: sources, settings at the top level, installed
 * packages, and the Node that runs. What somebody changes inside of `node_modules` by hand is not seen. Where npm did not
 * install them it is another one each time.
 *
 * @param root the checkout.
 * @returns 32 hexadecimal digits.
 */
export function sourceHash(root: string): string {
  const top = readdirSync(root, { withFileTypes: true });
  const folders = top.filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !notDeployed.has(entry.name),
  );
  const sources = folders.flatMap(({ name }) =>
    readdirSync(path.join(root, name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))),
  );
  const settings = top
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map(({ name }) => name);
  const installed = installedIn(root);
  const hash = createHash('sha256').update(process.version);
  hash.update(installed === undefined ? randomUUID() : readFileSync(installed));
  for (const file of [...sources, ...settings].sort())
    hash.update(`\n${file}\n`).update(readFileSync(path.join(root, file)));
  return hash.digest('hex').slice(0, 32);
}

/** Removes the entries of a folder that nobody has used for the longest time, so that `most` are left. */
export function forgetOldest(folder: string, most: number): void {
  const entries = readdirSync(folder).map((name) => {
    const place = path.join(folder, name);
    return { place, usedAt: statSync(place, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  for (const { place } of entries.sort((a, b) => b.usedAt - a.usedAt).slice(most))
    rmSync(place, { recursive: true, force: true });
}

/** Notes that something kept is in use now. */
export function markUsed(place: string): void {
  const now = new Date();
  utimesSync(place, now, now);
}
