import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from 'esbuild';
import ts from 'typescript';
import { rules, violations } from './import-rules';

const root = path.resolve(__dirname, '..');
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
/** Folders that hold no code of the project, or tests, which may import everything. */
const exempt = ['node_modules', 'test', 'docs', 'statemachines', 'cdk.out', 'bin'];

test('every folder with code has a rule', () => {
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
  expect(folders.filter((name) => !exempt.includes(name) && rules[name] === undefined)).toEqual([]);
});

test.each(Object.keys(rules).filter((folder) => existsSync(path.join(root, folder))))(
  '%s imports only what lies below it',
  (folder) => {
    const files = filesOf(folder);
    expect(files.flatMap((file) => violations(file, readFileSync(path.join(root, file), 'utf8')))).toEqual(
      [],
    );
  },
);

test.each(['adapters', 'aws', 'client', 'domain', 'functions', 'infra', 'network', 'rotators'])(
  '%s needs no package but those that come with Rotor where it is installed',
  (folder) => {
    // The example is synthesised in a checkout; its findings are told by a package that only that has.
    const files = filesOf(folder).filter((file) => file !== 'infra/example-app.ts');
    const imported = files.flatMap((file) => packagesOf(readFileSync(path.join(root, file), 'utf8')));
    expect([...new Set(imported)].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  },
);

test.each([
  ['domain/labels.ts', "import { x } from '../aws/secrets';"],
  ['domain/labels.ts', "import { z } from 'zod';"],
  ['domain/labels.ts', "import { SNSClient } from '@aws-sdk/client-sns';"],
  ['domain/labels.ts', "import { request } from 'node:http';"],
  ['domain/labels.ts', 'export const at = Date.now();'],
  ['domain/labels.ts', 'export const at = new Date();'],
  ['domain/labels.ts', 'export const at = Math.random();'],
  ['domain/labels.ts', 'setTimeout(() => undefined, 1);'],
  ['domain/labels.ts', 'export const region = process.env.REGION;'],
  ['rotators/postgres/single.ts', "import { task } from '../../functions/task';"],
  ['rotators/postgres/single.ts', "import type { Secrets } from '../../aws/secrets';"],
  ['aws/secrets.ts', "export * from '../functions/task';"],
  ['functions/plan.ts', "import { SSMClient } from '@aws-sdk/client-ssm';"],
  ['functions/plan.ts', "import * as z from 'zod';"],
  ['functions/plan.ts', "const cloud = await import('../local/cloud');"],
  ['infra/app.ts', "import { handler } from '../functions/plan';"],
  ['infra/app.ts', "import { single } from '../rotators/postgres/single';"],
  ['infra/app.ts', "import { secretsManager } from '../aws/secrets';"],
  ['client/index.ts', "import { detailTypes } from '../domain/events';"],
  ['client/index.ts', "import * as z from 'zod';"],
  ['local/cloud.ts', "import { report } from '../bench/report';"],
  ['tools/new.ts', 'export {};'],
])('a violation in %s is found: %s', (file, text) => {
  expect(violations(file, text)).toHaveLength(1);
});

test.each([
  ['domain/labels.ts', "import { x } from './names'; export const at = (text: string) => new Date(text);"],
  ['domain/labels.ts', 'export const step = { process: 1 }; export const told = step.process;'],
  ['functions/plan.ts', "import { secretsManager } from '../aws/secrets'; import * as z from 'zod/mini';"],
  ['infra/app.ts', "import { environments } from '../functions/environment';"],
])('what the rules allow in %s is let through: %s', (file, text) => {
  expect(violations(file, text)).toEqual([]);
});

function filesOf(folder: string): readonly string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
    .map((file) => path.posix.join(folder, file));
}

/** The packages that a file loads when it runs; types are needed by nobody who runs it. */
function packagesOf(text: string): readonly string[] {
  const { code } = transformSync(text, { loader: 'ts', format: 'esm' });
  return ts
    .preProcessFile(code, true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((name) => !/^(?:\.|node:)/.test(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
}
