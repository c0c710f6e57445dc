import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import * as z from 'zod';
import { rotatorNames } from '../../rotators/registry';
import { startRunningTime } from '../running-time';
import { eventually } from './eventually';

// Each command begins with a synthesis where none is kept, which is slow where all processors are at work.
jest.setTimeout(600_000);

const root = path.resolve(__dirname, '../..');
/** Temporary files of the commands lie here, to see what they leave behind. */
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'rotor-command-'));
  // The database's own user must get through.
  await chmod(scratch, 0o755);
});
// One that a failed test has left would slow down all that come after it.
afterEach(() => Promise.all(commands.splice(0).map((command) => command.stop())));
afterAll(() => rm(scratch, { recursive: true, force: true }));

const commands: Command[] = [];

/** A command under way. */
class Command {
  stdout = '';
  stderr = '';
  private readonly child: ChildProcessByStdio<null, Readable, Readable>;
  private readonly closed: Promise<unknown[]>;

  constructor(...words: readonly string[]) {
    this.child = spawn(process.execPath, ['bin/run.mjs', 'local/rehearsal/main.ts', ...words], {
      cwd: root,
      env: { ...process.env, TMPDIR: scratch },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as a terminal gives to a command: Ctrl-C goes to all that belong to it.
      detached: true,
    });
    this.child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.closed = once(this.child, 'close');
    commands.push(this);
  }

  async exitCode(): Promise<unknown> {
    return (await this.closed)[0];
  }

  /**
   * Sends a signal, to the whole group or to the first process alone, and answers how long the end took. Counted in time in
   * which this process runs: a machine that stands still meanwhile adds one slice.
   */
  async interrupt(whom: 'group' | 'first'): Promise<number> {
    const { pid } = this.child;
    if (pid === undefined) throw new Error('the command was not started');
    const spent = startRunningTime();
    process.kill(whom === 'group' ? -pid : pid, 'SIGINT');
    await this.closed;
    return spent();
  }

  /** Ends it, if it has not ended by itself. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.interrupt('group');
  }
}

/**
 * No process works in the scratch folder, and nothing but what later runs use again lies in it. What watches over servers
 * ends a moment after the command.
 */
async function expectNothingLeft(): Promise<void> {
  const running = async () => {
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
    return stdout.split('\n').filter((line) => line.includes(scratch));
  };
  await eventually('nothing runs any more', async () => (await running()).length === 0).catch(
    () => undefined,
  );
  expect(await running()).toEqual([]);
  const kept = /^(?:rotor-postgres-\d+-[\w.-]+|tsx-\d+|node-compile-cache)$/;
  expect((await readdir(scratch)).filter((name) => !kept.test(name))).toEqual([]);
}

const count = z.int().min(0);
const calls = z.record(z.string(), z.record(z.string(), z.int().min(1)));
/** What issue and README promise about the report. */
const reportShape = z.object({
  outcome: z.enum(['rotated', 'reverted', 'kept', 'held', 'failed']),
  secret: z.string(),
  rotator: z.enum(rotatorNames),
  overlap: z.enum(['two-principals', 'two-credentials', 'none']),
  states: z.array(z.string()).min(1),
  transitions: count,
  calls,
  polls: calls,
  connections: count,
  refusedLogins: count,
  consumers: z.array(
    z.strictObject({
      name: z.string(),
      wave: count,
      outcome: z.string(),
      ms: z.number().min(0),
      whenHeld: z.optional(z.strictObject({ outcome: z.string(), ms: z.number().min(0) })),
    }),
  ),
  apps: z.array(z.strictObject({ name: z.string(), queries: count, errors: count })),
  gapMs: z.number().min(0),
  wallMs: z.number().positive(),
  costUsd: z.number().positive(),
  alerts: z.array(z.string()),
  leaks: count,
});

test('an application that stays silent has the rotation held, exit code 2; accepting ends it with 0', async () => {
  const held = new Command('--json', '--silent', 'reports');
  const accepted = new Command('--json', '--silent', 'reports', '--decide', 'accept');
  expect(await held.exitCode()).toBe(2);
  expect(await accepted.exitCode()).toBe(0);
  const undecided = reportShape.parse(JSON.parse(held.stdout));
  expect(undecided).toMatchObject({ outcome: 'held', leaks: 0 });
  expect(undecided.alerts).toHaveLength(1);
  expect(undecided.alerts[0]).toMatch(/^A rotation is held/);
  const decided = reportShape.parse(JSON.parse(accepted.stdout));
  expect(decided).toMatchObject({ outcome: 'rotated', leaks: 0 });
  expect(decided.consumers.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
    'billing loaded',
    'orders loaded',
    'reports skipped',
  ]);
  expect(decided.consumers.find(({ name }) => name === 'reports')?.whenHeld?.outcome).toBe('silent');
});

test('with --json a rotation ends with 0, and prints the report and nothing else', async () => {
  const command = new Command('--json');
  expect(await command.exitCode()).toBe(0);
  expect(command.stderr).toBe('');
  const report = reportShape.parse(JSON.parse(command.stdout));
  expect(report).toMatchObject({
    outcome: 'rotated',
    secret: 'example/app',
    rotator: 'postgres-alternating',
    refusedLogins: 0,
    gapMs: 0,
    alerts: [],
    leaks: 0,
  });
  expect(report.calls['secretsmanager']).toMatchObject({ PutSecretValue: 1 });
  expect(report.states[0]).toBe('Plan');
  expect(report.consumers.map(({ name, outcome }) => `${name} ${outcome}`).sort()).toEqual([
    'billing loaded',
    'orders loaded',
    'reports loaded',
  ]);
  expect(report.apps.map(({ errors }) => errors)).toEqual([0, 0, 0]);
  await expectNothingLeft();
});

test('a rotation that a consumer refuses ends with 2, and shows the way back and the alert', async () => {
  const command = new Command('--refuse', 'orders');
  expect(await command.exitCode()).toBe(2);
  expect(command.stderr).toBe('');
  expect(command.stdout).toContain('Failed safely: the rotation went back');
  expect(command.stdout).toMatch(/orders +refused [0-9a-f]{8}: /);
  expect(command.stdout).toMatch(/Step Functions +RestorePrevious \(\d+ ms\)/);
  expect(command.stdout).toMatch(/Alert\n +A secret rotation did not succeed\.\n/);
  expect(command.stdout).toMatch(/Error: +ConsumerRefused\n/);
  await expectNothingLeft();
});

test('Ctrl-C in the middle of a rotation ends everything within five seconds', async () => {
  // However late the signal comes, it comes in the middle of one of them.
  const command = new Command('--silent', 'billing', '--rotations', '95');
  await eventually(
    'billing is asked',
    () => Promise.resolve(/billing +asked to load/.test(command.stdout)),
    300_000,
  );
  expect(await command.interrupt('group')).toBeLessThan(5000);
  expect(await command.exitCode()).toBe(130);
  expect(command.stderr).toBe('');
  await expectNothingLeft();
});

test('Ctrl-C while everything is still starting ends it too, without a word of failure', async () => {
  const command = new Command('--keep');
  const starting = async () => (await readdir(scratch)).some((name) => name.startsWith('rotor-pg-'));
  await eventually('the database is being started', starting);
  // What is starting is let come up before it is ended, so that nothing of it is left.
  expect(await command.interrupt('group')).toBeLessThan(120_000);
  expect(await command.exitCode()).toBe(130);
  expect(command.stderr).toBe('');
  await expectNothingLeft();
});

test('with --keep it stays until a signal comes, even if that reaches the first process alone', async () => {
  const command = new Command('--keep', '--json');
  await eventually('it stays', () => Promise.resolve(command.stderr.includes('stays until Ctrl-C')), 300_000);
  const endpoint = /AWS_ENDPOINT_URL=(\S+)/.exec(command.stderr)?.[1] ?? '';
  expect((await fetch(endpoint)).status).toBeGreaterThanOrEqual(400);
  expect(await command.interrupt('first')).toBeLessThan(5000);
  expect(await command.exitCode()).toBe(0);
  expect(reportShape.parse(JSON.parse(command.stdout)).outcome).toBe('rotated');
  await expectNothingLeft();
});

test.each([
  {
    words: ['--rotator', 'oracle'],
    says: '--rotator oracle: there are postgres-alternating, postgres-single',
  },
  { words: ['--fail', 'Nowhere'], says: '--fail Nowhere: there is no task Nowhere; there are Plan, ' },
  { words: ['--fail', 'Plan:sometimes'], says: 'sometimes is none of before, after, crash' },
  { words: ['--refuse', 'nobody'], says: '--refuse nobody: the applications are orders, reports, billing' },
  { words: ['--rotations', '0'], says: '--rotations 0: must be a whole number from 1' },
  { words: ['--surprise'], says: "'--surprise'" },
])('the wrong option $words ends with 1, and is named', async ({ words, says }) => {
  const command = new Command(...words);
  expect(await command.exitCode()).toBe(1);
  expect(command.stdout).toBe('');
  expect(command.stderr).toContain(says);
  expect(command.stderr).not.toContain('    at ');
});

test('a port in use ends with 1 and a sentence that says what to do', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const command = new Command('--port', String(port));
  expect(await command.exitCode()).toBe(1);
  server.close();
  expect(command.stderr).toMatch(new RegExp(`^--port ${port}: something listens there already; .*\n$`));
  await expectNothingLeft();
});
