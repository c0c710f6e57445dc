import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { sourceFolders, sourceHash } from '../../../local/rehearsal/source-hash';
import { rules } from '../../import-rules';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'rotor-hash-'));
  for (const folder of sourceFolders) {
    await mkdir(path.join(root, folder, 'deep'), { recursive: true });
    await writeFile(path.join(root, folder, 'deep', 'file.ts'), 'export {};');
  }
  for (const file of ['package-lock.json', 'cdk.json']) await writeFile(path.join(root, file), '{}');
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('the same sources have the same hash', async () => {
  expect(await sourceHash(root)).toBe(await sourceHash(root));
});

test.each([...sourceFolders.map((folder) => `${folder}/deep/file.ts`), 'package-lock.json', 'cdk.json'])(
  'a change of %s has another one',
  async (file) => {
    const before = await sourceHash(root);
    await writeFile(path.join(root, file), '// changed');
    expect(await sourceHash(root)).not.toBe(before);
  },
);

test('a file that is renamed has another one', async () => {
  const before = await sourceHash(root);
  const old = path.join(root, 'infra', 'deep', 'file.ts');
  await writeFile(path.join(root, 'infra', 'deep', 'other.ts'), await readFile(old));
  await rm(old);
  expect(await sourceHash(root)).not.toBe(before);
});

test('whatever the app may import is among the folders', async () => {
  const infra = rules['infra']?.folders.map((folder) => folder.split('/')[0] ?? '') ?? [];
  const deployed = ['infra', 'functions', ...(rules['functions']?.folders ?? []), ...infra, 'statemachines'];
  const present = await readdir(path.resolve(__dirname, '..', '..', '..'));
  expect(deployed.filter((folder) => present.includes(folder) && !sourceFolders.includes(folder))).toEqual(
    [],
  );
});
