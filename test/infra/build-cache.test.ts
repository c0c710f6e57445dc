import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { forgetOldest, markUsed, sourceHash } from '../../infra/build-cache';
import { rules } from '../import-rules';

let root: string;

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'rotor-build-'));
  const present = [...Object.keys(rules).map((folder) => `${folder}/deep/file.ts`), 'our-own/function.ts'];
  for (const file of present) write(file, 'export {};');
  for (const file of ['package.json', 'package-lock.json', 'cdk.json', 'tsconfig.json']) write(file, '{}');
  write('node_modules/.package-lock.json', '{}');
  write('README.md', 'text');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const deployed = Object.keys(rules).filter((folder) => !['bench', 'local', 'test'].includes(folder));

test.each([
  ...deployed.map((folder) => `${folder}/deep/file.ts`),
  'our-own/function.ts',
  'package.json',
  'package-lock.json',
  'cdk.json',
  'tsconfig.json',
  'node_modules/.package-lock.json',
])('a change of %s changes the hash', (file) => {
  const before = sourceHash(root);
  write(file, '// changed');
  expect(sourceHash(root)).not.toBe(before);
});

test('what is not deployed changes nothing', () => {
  const before = sourceHash(root);
  for (const file of ['local/deep/file.ts', 'test/new.ts', 'README.md', '.build/functions/x', 'cdk.out/y'])
    write(file, 'changed');
  expect(sourceHash(root)).toBe(before);
});

test('a file that is renamed changes the hash', () => {
  const before = sourceHash(root);
  renameSync(path.join(root, 'infra/deep/file.ts'), path.join(root, 'infra/deep/other.ts'));
  expect(sourceHash(root)).not.toBe(before);
});

test('as a package it counts what was installed beside it', () => {
  const folder = path.join(root, 'node_modules');
  mkdirSync(path.join(folder, 'rotor'), { recursive: true });
  write('node_modules/rotor/infra/file.ts', 'export {};');
  const before = sourceHash(path.join(folder, 'rotor'));
  expect(sourceHash(path.join(folder, 'rotor'))).toBe(before);
  write('node_modules/.package-lock.json', '// changed');
  expect(sourceHash(path.join(folder, 'rotor'))).not.toBe(before);
});

test('where npm has written nothing down, nothing is taken for the same', () => {
  rmSync(path.join(root, 'node_modules'), { recursive: true });
  expect(sourceHash(root)).not.toBe(sourceHash(root));
});

test('what was used last is kept', () => {
  const kept = path.join(root, 'kept');
  for (const [index, name] of ['oldest', 'used', 'newest'].entries()) {
    mkdirSync(path.join(kept, name, 'deep'), { recursive: true });
    utimesSync(path.join(kept, name), index, index);
  }
  markUsed(path.join(kept, 'oldest'));
  forgetOldest(kept, 2);
  expect(readdirSync(kept)).toEqual(['newest', 'oldest']);
});
