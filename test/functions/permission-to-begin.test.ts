import { executionName, heldLabel } from '../../domain/names';
import { SecretsManagerSteps } from '../../functions/secrets-manager-steps';
import { collectLog, parsed } from './log-lines';
import { previous, secretArn, token, World } from './world';

const own = executionName(secretArn, token, 1, 'rotate');
/** The execution that made the value in use. */
const last = (attempt = 1) => executionName(secretArn, previous, attempt, 'rotate');
const log = collectLog();
let world: World;
afterAll(() => log.restore());
beforeEach(() => {
  world = new World();
  world.onStart = () => world.values.set(token, 'new value');
  log.lines.length = 0;
});

const steps = () =>
  new SecretsManagerSteps({
    secrets: world.secrets,
    waiting: world.secrets,
    executions: world.executions,
    permission: world.permission,
    now: world.now,
    sleep: world.sleep,
  });
const create = () => steps().createSecret({ secretArn, token }, world.remaining);
const calls = () => world.calls.map(({ name }) => name);
const policy = (fields: object) => (world.policy = JSON.stringify(fields));
const has = (name: string, status: string, more: object = {}) =>
  world.started.set(name, { input: '{}', status, cause: undefined, ...more });

describe('a secret without calendars and group', () => {
  test('costs one read of its policy and one look at the rotation before', async () => {
    await create();
    expect(calls()).toEqual(['describe', 'readPolicy', 'describeExecution', 'start', 'read']);
    expect(world.startUntil).toBeUndefined();
  });

  test('may have no policy at all, or one that Plan will refuse with an alert', async () => {
    for (const text of [undefined, 'no JSON', '{"colour":1}']) {
      world.policy = text;
      world.started.clear();
      await create();
      expect(world.started.has(own)).toBe(true);
    }
  });

  test('is not rotated where its policy cannot be read', async () => {
    const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    const broken = new SecretsManagerSteps({
      secrets: world.secrets,
      waiting: world.secrets,
      executions: world.executions,
      permission: { of: () => Promise.reject(denied) },
      now: world.now,
      sleep: world.sleep,
    });
    await expect(broken.createSecret({ secretArn, token }, world.remaining)).rejects.toBe(denied);
    expect(world.started.size).toBe(0);
  });
});

describe('change calendars', () => {
  beforeEach(() => policy({ changeCalendars: ['freeze', 'year-end'] }));

  test('that are open let the rotation begin', async () => {
    await create();
    expect(world.count('askCalendars')).toBe(1);
    expect(world.started.has(own)).toBe(true);
  });

  test('of which one is closed do not: the error says which, until when, and what comes next', async () => {
    world.calendar = { open: false, until: '2026-12-24T00:00:00Z' };
    await expect(create()).rejects.toMatchObject({
      name: 'ChangeCalendarClosed',
      message: `a change calendar of ${secretArn} is closed (freeze, year-end), the next change is at 2026-12-24T00:00:00Z; Secrets Manager asks again while its rotation window is open`,
    });
    expect(world.started.size).toBe(0);
  });

  test('that never open are told as such', async () => {
    world.calendar = { open: false, until: undefined };
    await expect(create()).rejects.toThrow('no end of that is planned');
  });

  test('are asked again by the next try, which begins once they are open', async () => {
    world.calendar = { open: false, until: undefined };
    await expect(create()).rejects.toMatchObject({ name: 'ChangeCalendarClosed' });
    world.calendar = { open: true, until: undefined };
    await create();
    expect(world.started.has(own)).toBe(true);
  });

  test('hold nothing up that runs already: a repeat asks nobody', async () => {
    world.onStart = () => undefined;
    await expect(create()).rejects.toMatchObject({ name: 'RotationInProgress' });
    world.calendar = { open: false, until: undefined };
    world.values.set(token, 'new value');
    await create();
    expect(world.count('askCalendars')).toBe(1);
    expect(world.started.size).toBe(1);
  });

  test('do not hold up the second attempt, after one that may have left the target between two credentials', async () => {
    has(own, 'ABORTED');
    world.calendar = { open: false, until: undefined };
    await create();
    expect(world.started.has(executionName(secretArn, token, 2, 'rotate'))).toBe(true);
    expect(world.count('askCalendars')).toBe(0);
  });

  test('do not hold up a compromised credential', async () => {
    policy({ changeCalendars: ['freeze'], urgency: 'compromised' });
    world.calendar = { open: false, until: undefined };
    await create();
    expect(world.started.has(own)).toBe(true);
  });

  test('do not hold up a test of the value in use', async () => {
    world.calendar = { open: false, until: undefined };
    world.values.set(token, 'value in use');
    world.onStart = (execution) => world.after(100, () => (execution.status = 'SUCCEEDED'));
    await steps().testSecret({ secretArn, token }, world.remaining);
    expect(world.count('readPolicy')).toBe(0);
    expect(world.started.size).toBe(1);
  });

  test.each(['setSecret', 'finishSecret'] as const)('are not asked by %s', async (step) => {
    world.after(100, world.finish);
    await steps()[step]({ secretArn, token }, world.remaining);
    expect(world.count('readPolicy')).toBe(0);
  });
});

describe('the rotation before', () => {
  test('that still waits for applications lets no other begin, and is named', async () => {
    has(last(), 'RUNNING');
    await expect(create()).rejects.toMatchObject({
      name: 'LastRotationOpen',
      message: `execution ${last()}, which made the value in use of ${secretArn}, has not ended`,
    });
    expect(world.started.has(own)).toBe(false);
  });

  test('that has ended lets the next one begin', async () => {
    for (const status of ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']) {
      world.started.clear();
      has(last(), status);
      await create();
      expect(world.started.has(own)).toBe(true);
    }
  });

  test('counts with its later attempts', async () => {
    has(last(), 'ABORTED');
    has(last(2), 'RUNNING');
    await expect(create()).rejects.toThrow(last(2));
  });

  test('is left to Plan where a version is held, since Plan alerts', async () => {
    has(last(), 'RUNNING');
    world.labels = { ...world.labels, old: [heldLabel] };
    await create();
    expect(world.started.has(own)).toBe(true);
  });

  test('does not hold up a compromised credential', async () => {
    policy({ urgency: 'compromised' });
    has(last(), 'RUNNING');
    await create();
    expect(world.started.has(own)).toBe(true);
  });

  test('does not hold up a repeat of what began beside it', async () => {
    policy({ urgency: 'compromised' });
    has(last(), 'RUNNING');
    await create();
    policy({ urgency: 'routine' });
    await create();
    expect(world.started.size).toBe(2);
  });
});

describe('a group', () => {
  const other = 'billing-1';
  const taken = (execution: string, holder = { secretArn: 'arn', token: 't' }) =>
    world.turns.put('databases', 1, JSON.stringify({ execution, ...holder, beside: [] }));
  beforeEach(() => policy({ group: { name: 'databases', minimumDistanceSeconds: 60 } }));

  test('that is free gives its turn, and a minute to begin', async () => {
    await create();
    expect(world.turns.turn('databases', 1)?.holder).toEqual({
      execution: own,
      secretArn,
      token,
      beside: [],
    });
    expect(world.turns.groups.get('databases')?.get(1)?.text).not.toContain('labels');
    expect(world.startUntil).toBe(60_000);
  });

  test('that is busy lets nobody begin', async () => {
    taken(other);
    has(other, 'RUNNING');
    await expect(create()).rejects.toMatchObject({ name: 'GroupBusy' });
    expect(world.started.has(own)).toBe(false);
  });

  test('is asked after the calendars, so that nobody takes a turn only to wait', async () => {
    policy({ changeCalendars: ['freeze'], group: { name: 'databases' } });
    world.calendar = { open: false, until: undefined };
    await expect(create()).rejects.toMatchObject({ name: 'ChangeCalendarClosed' });
    expect(world.turns.numbers('databases')).toEqual([]);
  });

  test('is asked once: a repeat of what runs takes no other turn', async () => {
    await create();
    await create();
    expect(world.turns.numbers('databases')).toEqual([1]);
  });

  test('gives a turn to each attempt', async () => {
    has(own, 'ABORTED', { stoppedAt: 0 });
    taken(own, { secretArn, token });
    await create();
    expect(world.turns.turn('databases', 2)?.holder?.execution).toBe(
      executionName(secretArn, token, 2, 'rotate'),
    );
  });

  test('does not hold up a compromised credential, and hears of it', async () => {
    policy({ group: { name: 'databases' }, urgency: 'compromised' });
    taken(other);
    has(other, 'RUNNING');
    await create();
    expect(world.turns.turn('databases', 2)?.holder).toMatchObject({ execution: own, beside: [other] });
    expect(world.startUntil).toBeUndefined();
  });

  test('that cannot be told does not hold up a compromised credential either', async () => {
    policy({ group: { name: 'databases' }, urgency: 'compromised' });
    world.turns.broken = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    await create();
    expect(world.started.has(own)).toBe(true);
    expect(parsed(log.lines)).toEqual([
      expect.objectContaining({ level: 'warn', secretArn, error: 'AccessDeniedException' }),
    ]);
  });

  test('that cannot be asked lets nobody else begin', async () => {
    world.turns.broken = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    await expect(create()).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(world.started.size).toBe(0);
  });
});
