import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Folders of the checkout whose files go into what is deployed. */
export const sourceFolders: readonly string[] = [
  'adapters',
  'aws',
  'client',
  'domain',
  'examples',
  'functions',
  'infra',
  'network',
  'rotators',
  'statemachines',
];

/** What they are built with. */
const files = ['package-lock.json', 'cdk.json'];

/** A name for all that the synthesised app depends on beside its context: sources, dependencies, and the Node that runs. */
export async function sourceHash(root: string): Promise<string> {
  const listed = await Promise.all(
    sourceFolders.map(async (folder) =>
      (await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))),
    ),
  );
  const hash = createHash('sha256').update(process.version);
  for (const file of [...listed.flat(), ...files].sort())
    hash.update(`\n${file}\n`).update(await readFile(path.join(root, file)));
  return hash.digest('hex').slice(0, 32);
}
