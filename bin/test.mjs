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
  const notRun = servers();
  const chosen = [...(only === undefined ? [] : [only]), ...patterns];
  run('tests', bin('jest/bin/jest.js'), ['--json', `--outputFile=${results}`, ...chosen], {
    report: count,
    env: { ROTOR_NOT_RUN: notRun },
    // jest hands them on to its workers. What lives for one event of the embedded cloud is collected there in passing.
    nodeOptions: ['--max-semi-space-size=64'],
  });

  /** The closing line that says in any language what ran. */
  function count() {
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'));
    process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`);
    if (notRun !== '')
      process.stdout.write(`not run, because their servers are missing (see above): ${notRun}\n`);
  }
}

/** Brings the servers before any test needs one, since two test files would stand in each other's way; says which are missing. */
function servers() {
  process.stdout.write('== servers\n');
  const { status, stdout } = spawnSync(
    process.execPath,
    [path.join(root, 'bin', 'run.mjs'), 'local/targets/install-servers.ts'],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' },
  );
  if (status !== 0) process.exit(status ?? 1);
  return stdout;
}

function run(name, program, args, { report = () => undefined, env = {}, nodeOptions = [] } = {}) {
  const startedAt = Date.now();
  process.stdout.write(`== ${name}\n`);
  const { status } = spawnSync(process.execPath, [...nodeOptions, program, ...args], {
    cwd: root,
    stdio: 'inherit',
    // The functions run on Node 22 and newer on AWS; what runs here is the user's own choice of Node.
    env: { ...process.env, ...env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  if (status === 0 || status === 1) report();
  if (status !== 0) {
    process.stdout.write(`== ${name} failed\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`== ${name} passed in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}
