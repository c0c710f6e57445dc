// Everything that must hold, in the order in which it fails fastest. `node bin/test.mjs check` is the first part alone.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { install, root } from './install.mjs';

install();
const bin = (name) => path.join(root, 'node_modules', name);
const [only, ...patterns] = process.argv.slice(2);

run('format', bin('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.']);
run('types', bin('typescript/bin/tsc'), ['-p', '.']);
run('lint', bin('eslint/bin/eslint.js'), ['--max-warnings', '0', '.']);
if (only !== 'check')
  run('tests', bin('jest/bin/jest.js'), [...(only === undefined ? [] : [only]), ...patterns]);

function run(name, program, args) {
  const startedAt = Date.now();
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(process.execPath, [program, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    process.stdout.write(`== ${name} failed\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`== ${name} passed in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}
