import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A server program that a rehearsal needs, and the package of Debian and Ubuntu that brings it. */
export interface ServerProgram {
  readonly package: string;
  /** Names under which it may be found, the preferred one first. */
  readonly names: readonly string[];
  /** Environment variable by which a user points tests at a server of their own; absent: there is no such way. */
  readonly variable?: string;
}

/** Every server program that comes from Debian and not from the npm registry, by the engine that rotates at it. */
export const serverPrograms = {
  mysql: { package: 'mariadb-server', names: ['mariadbd', 'mysqld'], variable: 'ROTOR_TEST_MYSQL_URL' },
  redis: { package: 'redis-server', names: ['redis-server'], variable: 'ROTOR_TEST_REDIS_URL' },
  ssh: { package: 'openssh-server', names: ['sshd'] },
} as const satisfies Readonly<Record<string, ServerProgram>>;

/** A server program is not on this machine, and could not be brought; the message says how to mend it. */
export class ServerMissing extends Error {
  override readonly name = 'ServerMissing';
}

/** Where Debian puts servers; /usr/sbin is not on everybody's PATH. */
const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Keeps Debian from starting a server as soon as its package is unpacked. */
const startPolicy = '/usr/sbin/policy-rc.d';

/** The program's file, installed first where it is missing and this machine allows it. ServerMissing. */
export function serverProgram(program: ServerProgram): string {
  const found = find(program);
  if (found !== undefined) return found;
  installServers([program]);
  const installed = find(program);
  if (installed === undefined)
    throw missing(program, `${program.package} was installed and brought no program`);
  return installed;
}

/** What is missing of the server programs after all that may be installed has been, in words, by engine. */
export function missingServers(): Readonly<Record<string, string>> {
  const reasons: Record<string, string> = {};
  for (const [engine, program] of Object.entries<ServerProgram>(serverPrograms)) {
    if (program.variable !== undefined && (process.env[program.variable] ?? '') !== '') continue;
    if (find(program) === undefined) reasons[engine] = missing(program, 'it is not on this machine').message;
  }
  return reasons;
}

/** Installs the packages of those programs that are missing. ServerMissing where that is not possible. */
export function installServers(programs: readonly ServerProgram[]): void {
  const absent = programs.filter((program) => find(program) === undefined);
  const [first] = absent;
  if (first === undefined) return;
  if (process.env['ROTOR_INSTALL'] === 'no') throw missing(first, 'ROTOR_INSTALL=no forbids to install it');
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))
    throw missing(first, 'only root on Debian or Ubuntu can have it installed');
  const packages = absent.map((program) => program.package);
  process.stderr.write(`Installing ${packages.join(', ')} with apt-get ... `);
  const startedAt = Date.now();
  const ownPolicy = !existsSync(startPolicy);
  if (ownPolicy) writeFileSync(startPolicy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    aptGet(first, 'update', '-q');
    aptGet(first, 'install', '-q', '-y', '--no-install-recommends', ...packages);
  } finally {
    if (ownPolicy) rmSync(startPolicy, { force: true });
  }
  process.stderr.write(`done in ${((Date.now() - startedAt) / 1000).toFixed(0)} s\n`);
}

function aptGet(program: ServerProgram, ...words: readonly string[]): void {
  const { status, stderr, error } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=180', ...words], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return;
  process.stderr.write('failed\n');
  throw missing(program, `apt-get ${words[0] ?? ''} failed: ${error?.message ?? stderr.trim()}`);
}

function find({ names }: ServerProgram): string | undefined {
  for (const name of names)
    for (const folder of folders) {
      const file = path.join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // Not here.
      }
    }
  return undefined;
}

function missing(program: ServerProgram, why: string): ServerMissing {
  const own = program.variable === undefined ? '' : `, or set ${program.variable} to a server of your own`;
  return new ServerMissing(
    `no ${program.names[0] ?? program.package} to rehearse with: ${why}; install it (apt-get install ${program.package})${own}`,
  );
}
