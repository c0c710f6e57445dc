import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { engineOf } from '../rotators/bundling';
import { rotatorNames } from '../rotators/registry';

const root = path.resolve(__dirname, '..');

/** Engines' folders that are also words of AWS or of the trade; there the whole name of the rotator is looked for. */
const ordinary = new Set(['iam', 'lambda', 'http', 'generated']);

/** Engines by their folders, rotators by their names, and what drivers and servers are called. */
const names = [
  ...rotatorNames.map((name) => (ordinary.has(engineOf(name)) ? name : engineOf(name))),
  ...['pg', 'pg-native', 'postgresql', 'aurora-postgresql', 'aurora-mysql', 'mariadb', 'mysql2', 'valkey'],
  ...['ssh2', 'openssh', 'sshd', 'mongodb', 'documentdb', 'sqlserver', 'tedious', 'oracle'],
].filter((name) => !ordinary.has(name));

/** A name as a word of its own, or with a suffix as in `postgresKind`. */
const pattern = new RegExp(`(?<![a-z-])(?:${[...new Set(names)].join('|')})(?![a-z])`, 'i');

const files = ['statemachines', 'functions', 'infra'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(?:ts|ya?ml|json)$/.test(file))
    .map((file) => path.posix.join(folder, file)),
);

test('no file of the workflow, the functions or the infrastructure names an engine', () => {
  expect(files.length).toBeGreaterThan(30);
  const found = files.flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const name = pattern.exec(line)?.[0];
        return name === undefined ? [] : [`${file}:${String(index + 1)} names ${name}`];
      }),
  );
  expect(found).toEqual([]);
});

test.each([
  "rotator: 'postgres-alternating'",
  "import { Client } from 'pg';",
  "if (engine === 'mysql') return;",
  'const postgres_port = 5432;',
  '# for Redis only',
  "rotator === 'iam-access-key'",
])('a file that said %s would be found', (line) => {
  expect(pattern.test(line)).toBe(true);
});
