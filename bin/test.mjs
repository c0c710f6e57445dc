// Everything that must hold, in the order in which it fails fastest. `node bin/test.mjs check` is the first part alone.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { install, root } from './install.mjs';

install();
const bin = (name) => path.join(root, 'node_modules', name);
const [only, ...patterns] = process.argv.slice(2);

run('format', bin('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.']);
run('types', bin('typescript/bin/tsc'), ['-p', '.']);
run('lint', bin('eslint/bin/eslint.js'), ['--max-warnings', '0', '.']);
if (only !== 'check') {
  const results = path.join(root, 'node_modules', '.cache', 'jest-results.json');
  rmSync(results, { force: true });
  const chosen = [...(only === undefined ? [] : [only]), ...patterns];
  run('tests', bin('jest/bin/jest.js'), ['--json', `--outputFile=${results}`, ...chosen], count);

  /** The closing line that says in any language what ran. */
  function count() {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'));
    process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`);
  }
}

function run(name, program, args, report = () => undefined) {
  const startedAt = Date.now();
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    stdio: 'inherit',
    // The functions run on Node 22 and newer on AWS; what runs here is the user's own choice of Node.
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  if (status === 0 || status === 1) report();
  if (status !== 0) {
    process.stdout.write(`== ${name} failed\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`== ${name} passed in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}
