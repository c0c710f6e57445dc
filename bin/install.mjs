// Brings the dependencies where they are missing or older than the lock file; needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Installs what is missing, says so on standard error, and ends the process with 1 where that fails. */
export function install() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`Rotor needs Node 20 or newer; this is ${process.version}.`);
  if (isInstalled()) return;
  process.stderr.write('Installing dependencies (npm ci) ... ');
  const startedAt = Date.now();
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (npm.status !== 0) {
    process.stderr.write('failed\n');
    fail(`${npm.stdout ?? ''}${npm.stderr ?? ''}${npm.error?.message ?? ''}`);
  }
  process.stderr.write(`done in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}

/** Whether what npm has installed, as it writes it down when it is done, is what the lock file wants on this platform. */
function isInstalled() {
  const written = path.join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(written)) return false;
  const installed = packagesIn(written);
  return Object.entries(packagesIn(path.join(root, 'package-lock.json'))).every(
    ([place, { version, optional, devOptional }]) =>
      place === '' || optional || devOptional || installed[place]?.version === version,
  );
}

function packagesIn(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
