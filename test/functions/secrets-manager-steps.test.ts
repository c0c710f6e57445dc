import { executionName, heldLabel } from '../../domain/names';
import { SecretsManagerSteps } from '../../functions/secrets-manager-steps';
import { causeOf, previous, secretArn, token, World } from './world';

const step = { secretArn, token };
const attempt = (number: number) => executionName(secretArn, token, number, 'rotate');
const testRun = (number: number) => executionName(secretArn, token, number, 'test');

let world: World;
let steps: SecretsManagerSteps;
/** A new execution environment of the function: what it remembered is gone. */
const freshSteps = () =>
  new SecretsManagerSteps({
    secrets: world.secrets,
    waiting: world.secrets,
    executions: world.executions,
    permission: world.permission,
    now: world.now,
    sleep: world.sleep,
  });

beforeEach(() => {
  world = new World();
  steps = freshSteps();
});

const create = () => steps.createSecret(step, world.remaining);
const test1 = () => steps.testSecret(step, world.remaining);
const finish = () => steps.finishSecret(step, world.remaining);
const every = {
  createSecret: create,
  setSecret: () => steps.setSecret(step),
  testSecret: test1,
  finishSecret: finish,
};
const each = Object.entries(every);

/** The workflow stores the pending value after so many milliseconds. */
const storesAfter = (ms: number) => {
  world.onStart = () => world.after(ms, () => world.values.set(token, 'new value'));
};
/** Executions of all attempts so far, each ended in the same way. */
const endedAttempts = (count: number, status: string, cause?: string) => {
  for (let number = 1; number <= count; number++)
    world.started.set(attempt(number), { input: '{}', status, cause });
};

describe('createSecret', () => {
  test('it starts the workflow with ids alone and returns once the pending value exists', async () => {
    storesAfter(1200);
    await create();
    expect([...world.started.keys()]).toEqual([attempt(1)]);
    expect(JSON.parse(world.started.get(attempt(1))?.input ?? '')).toEqual({
      secretArn,
      versionId: token,
      previousVersionId: previous,
      heldVersionId: null,
      mode: 'rotate',
      attempt: 1,
    });
    expect(world.now()).toBeGreaterThanOrEqual(1200);
    expect(world.now()).toBeLessThan(2500);
  });

  test('it tells the workflow which version is held', async () => {
    world.labels = { ...world.labels, old: [heldLabel] };
    storesAfter(1);
    await create();
    expect(world.started.get(attempt(1))?.input).toContain('"heldVersionId":"old"');
  });

  test('it tells the workflow which regions have a replica, and nothing where there is none', async () => {
    storesAfter(1);
    await create();
    expect(world.started.get(attempt(1))?.input).not.toContain('replicaRegions');
    world = new World();
    world.replicas = [{ region: 'eu-west-1', status: 'InSync', message: '' }];
    storesAfter(1);
    steps = freshSteps();
    await create();
    expect(world.started.get(attempt(1))?.input).toContain('"replicaRegions":["eu-west-1"]');
  });

  test('a repeat finds the running workflow and starts no second one', async () => {
    storesAfter(40_000);
    await expect(create()).rejects.toMatchObject({ name: 'RotationInProgress' });
    steps = freshSteps();
    await create();
    expect(world.started.size).toBe(1);
  });

  test('a repeat that finds other labels waits for the workflow that was started with the first ones', async () => {
    storesAfter(40_000);
    await expect(create()).rejects.toMatchObject({ name: 'RotationInProgress' });
    world.labels = { ...world.labels, old: [heldLabel] };
    await create();
    expect(world.started.size).toBe(1);
  });

  test('it waits 30 s at most and then asks to be called again', async () => {
    await expect(create()).rejects.toMatchObject({
      name: 'RotationInProgress',
      message: expect.stringContaining(secretArn) as string,
    });
    expect(world.now()).toBe(30_000);
  });

  test('with little time left it starts the workflow and keeps 20 s for its answer', async () => {
    world.limitMs = 25_000;
    await expect(create()).rejects.toMatchObject({ name: 'RotationInProgress' });
    expect(world.now()).toBe(5000);
    expect(world.started.size).toBe(1);
  });

  test('with no time left it has still started the workflow', async () => {
    world.limitMs = 10_000;
    await expect(create()).rejects.toMatchObject({ name: 'RotationInProgress' });
    expect(world.now()).toBe(0);
    expect(world.started.size).toBe(1);
  });

  test('a workflow that goes back while it waits is reported as such, with state and error', async () => {
    world.onStart = (execution) =>
      world.after(2000, () => {
        world.goBack();
        execution.status = 'FAILED';
        execution.cause = causeOf('Plan', 'PreviousStillHeld');
      });
    await expect(create()).rejects.toMatchObject({
      name: 'RotationReverted',
      message: `AWSPENDING of ${secretArn} is no longer on version ${token}: execution ${attempt(1)} is FAILED, after PreviousStillHeld in state Plan`,
    });
  });

  test('a workflow that finishes before the first look is a success', async () => {
    world.onStart = () => world.after(10, world.finish);
    await expect(create()).resolves.toBeUndefined();
  });

  test.each(['FAILED', 'TIMED_OUT', 'ABORTED'])(
    'after an attempt that ended as %s without going back it starts the next one',
    async (status) => {
      endedAttempts(1, status);
      storesAfter(1);
      await create();
      expect([...world.started.keys()]).toEqual([attempt(1), attempt(2)]);
      expect(world.started.get(attempt(2))?.input).toContain('"attempt":2');
    },
  );

  test('after two failed attempts it starts the third', async () => {
    endedAttempts(2, 'FAILED');
    storesAfter(1);
    await create();
    expect([...world.started.keys()]).toEqual([attempt(1), attempt(2), attempt(3)]);
  });

  test('after three failed attempts it starts no other', async () => {
    endedAttempts(3, 'FAILED');
    await expect(create()).rejects.toMatchObject({
      name: 'AttemptsExhausted',
      message: expect.stringContaining(`3 executions for version ${token}`) as string,
    });
    expect(world.started.size).toBe(3);
  });

  test("after a consumer's refusal it starts no other, and says why", async () => {
    endedAttempts(1, 'FAILED', causeOf('AskWave', 'ConsumerRefused'));
    await expect(create()).rejects.toMatchObject({
      name: 'RotationReverted',
      message: `execution ${attempt(1)} ended as FAILED, after ConsumerRefused in state AskWave`,
    });
    expect(world.started.size).toBe(1);
  });

  test('an attempt that claims success while AWSCURRENT is elsewhere is not repeated', async () => {
    endedAttempts(1, 'SUCCEEDED');
    await expect(create()).rejects.toMatchObject({ name: 'RotationReverted' });
    expect(world.started.size).toBe(1);
  });

  test('a cause that is no JSON, or JSON of another shape, stands in no way', async () => {
    for (const cause of ['the machine was deleted', '"text"', 'null', '{"state":"Plan"}']) {
      world = new World();
      steps = freshSteps();
      endedAttempts(1, 'FAILED', cause);
      storesAfter(1);
      await create();
      expect(world.started.size).toBe(2);
    }
  });

  test('a secret without AWSCURRENT is abandoned and nothing is started', async () => {
    world.labels = { [token]: ['AWSPENDING'] };
    await expect(create()).rejects.toMatchObject({ name: 'RotationAbandoned' });
    expect(world.started.size).toBe(0);
  });

  test('a failure of Secrets Manager itself is passed on by its own name', async () => {
    const failing = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    const broken = new SecretsManagerSteps({
      secrets: { describe: () => Promise.reject(failing) },
      waiting: world.secrets,
      executions: world.executions,
      permission: world.permission,
      now: world.now,
      sleep: world.sleep,
    });
    await expect(broken.createSecret(step, world.remaining)).rejects.toBe(failing);
    expect(world.started.size).toBe(0);
  });

  test('an error while it waits for the value is not taken for a missing value', async () => {
    const denied = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    const broken = new SecretsManagerSteps({
      secrets: world.secrets,
      waiting: { describe: (id) => world.secrets.describe(id), read: () => Promise.reject(denied) },
      executions: world.executions,
      permission: world.permission,
      now: world.now,
      sleep: world.sleep,
    });
    await expect(broken.createSecret(step, world.remaining)).rejects.toBe(denied);
  });
});

describe('setSecret and testSecret of a rotation', () => {
  test('setSecret returns at once after one look', async () => {
    await steps.setSecret(step);
    expect(world.calls.map(({ name }) => name)).toEqual(['describe']);
    expect(world.now()).toBe(0);
  });

  test('testSecret after createSecret in one environment looks once, starts nothing and reads no value', async () => {
    storesAfter(1);
    await create();
    const before = world.calls.length;
    await test1();
    expect(world.calls.slice(before).map(({ name }) => name)).toEqual(['describe']);
    expect(world.started.size).toBe(1);
  });

  test('testSecret in another environment sees that the pending value is new, and starts nothing', async () => {
    world.values.set(token, 'new value');
    await test1();
    expect(world.started.size).toBe(0);
    expect(world.now()).toBe(0);
  });
});

describe('testSecret alone, as RotateImmediately=false asks for it', () => {
  beforeEach(() => world.values.set(token, 'value in use'));

  test('a copy of the current value under another id runs a test and nothing else', async () => {
    world.onStart = (execution) => world.after(700, () => (execution.status = 'SUCCEEDED'));
    const labels = world.labels;
    await test1();
    expect([...world.started.keys()]).toEqual([testRun(1)]);
    expect(JSON.parse(world.started.get(testRun(1))?.input ?? '')).toMatchObject({
      mode: 'test',
      versionId: token,
    });
    expect(world.labels).toBe(labels);
    expect(world.count('putPending')).toBe(0);
  });

  test('a test that fails is reported with its execution, state and error', async () => {
    world.onStart = (execution) =>
      world.after(700, () => {
        execution.status = 'FAILED';
        execution.cause = causeOf('TestCurrent', 'CredentialRejected');
      });
    await expect(test1()).rejects.toMatchObject({
      name: 'TestFailed',
      message: `execution ${testRun(1)} is FAILED, after CredentialRejected in state TestCurrent`,
    });
  });

  test('a repeat while the test runs waits for the same execution', async () => {
    world.onStart = (execution) => world.after(1_000_000, () => (execution.status = 'SUCCEEDED'));
    await expect(test1()).rejects.toMatchObject({ name: 'RotationInProgress' });
    world.limitMs = 2_000_000;
    await test1();
    expect(world.started.size).toBe(1);
  });

  test('a repeat after a failed test makes another one', async () => {
    world.started.set(testRun(1), { input: '{}', status: 'FAILED', cause: undefined });
    world.onStart = (execution) => world.after(100, () => (execution.status = 'SUCCEEDED'));
    await test1();
    expect([...world.started.keys()]).toEqual([testRun(1), testRun(2)]);
  });

  test('a test that takes too long is asked for again before the function is cut off', async () => {
    await expect(test1()).rejects.toMatchObject({ name: 'RotationInProgress' });
    expect(world.remaining()).toBeGreaterThan(0);
    expect(world.remaining()).toBeLessThan(40_000);
  });
});

describe('finishSecret', () => {
  test('it returns only when AWSCURRENT is on the token', async () => {
    world.after(65_000, world.finish);
    await finish();
    expect(world.now()).toBeGreaterThanOrEqual(65_000);
    expect(world.now()).toBeLessThanOrEqual(75_000);
  });

  test('its looks begin fast and end 10 s apart', async () => {
    world.after(200_000, world.finish);
    await finish();
    const at = world.calls.map((call) => call.at);
    const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    expect(pauses[0]).toBe(100);
    expect(Math.max(...pauses)).toBe(10_000);
    expect(pauses.slice(-10)).toEqual(Array.from({ length: 10 }, () => 10_000));
    expect([...pauses].sort((a, b) => a - b)).toEqual(pauses);
  });

  test('while it waits it never asks Step Functions, which answers 15 times a second for everybody', async () => {
    world.after(600_000, world.finish);
    await finish();
    expect(world.count('describeExecution')).toBe(0);
  });

  test('when time runs short it asks to be called again, with time left to say so', async () => {
    await expect(finish()).rejects.toMatchObject({ name: 'RotationInProgress' });
    expect(world.remaining()).toBeGreaterThanOrEqual(20_000);
    expect(world.remaining()).toBeLessThanOrEqual(30_000);
  });

  test('with no time left from the start it makes one look', async () => {
    world.limitMs = 1000;
    await expect(finish()).rejects.toMatchObject({ name: 'RotationInProgress' });
    expect(world.calls).toHaveLength(1);
  });

  test('a workflow that goes back meanwhile is reported, with execution, state and error', async () => {
    world.started.set(attempt(1), {
      input: '{}',
      status: 'FAILED',
      cause: causeOf('AskWave', 'ConsumerRefused'),
    });
    world.after(5000, world.goBack);
    await expect(finish()).rejects.toMatchObject({
      name: 'RotationReverted',
      message: expect.stringContaining(
        `execution ${attempt(1)} is FAILED, after ConsumerRefused in state AskWave`,
      ) as string,
    });
  });

  test('a manual write of AWSCURRENT in the middle ends the waiting', async () => {
    world.after(5000, () => {
      world.labels = { [previous]: ['AWSPREVIOUS'], [token]: [], manual: ['AWSCURRENT'] };
    });
    await expect(finish()).rejects.toMatchObject({ name: 'RotationReverted' });
    expect(world.now()).toBeLessThan(20_000);
  });
});

describe('after the end', () => {
  test.each(each)('%s of a finished rotation succeeds and starts nothing', async (_, run) => {
    world.finish();
    await expect(run()).resolves.toBeUndefined();
    expect(world.started.size).toBe(0);
    expect(world.now()).toBe(0);
    expect(world.count('describeExecution')).toBe(0);
  });

  test.each(each)(
    '%s succeeds after AWSPENDING is gone from the finished version, as AWS takes it off later',
    async (_, run) => {
      world.labels = { [previous]: ['AWSPREVIOUS'], [token]: ['AWSCURRENT'] };
      await expect(run()).resolves.toBeUndefined();
      expect(world.started.size).toBe(0);
    },
  );

  test.each(each)('%s succeeds even if the workflow failed after AWSCURRENT had moved', async (_, run) => {
    endedAttempts(1, 'FAILED', causeOf('AwaitDrain', 'CredentialStillUsed'));
    world.finish();
    await expect(run()).resolves.toBeUndefined();
    expect(world.started.size).toBe(1);
  });

  test.each(each)('%s of a rotation that went back names execution, state and error', async (_, run) => {
    endedAttempts(2, 'FAILED', causeOf('TestSecret', 'CredentialRejected'));
    world.goBack();
    await expect(run()).rejects.toMatchObject({
      name: 'RotationReverted',
      message: `AWSPENDING of ${secretArn} is no longer on version ${token}: execution ${attempt(2)} is FAILED, after CredentialRejected in state TestSecret`,
    });
    expect(world.started.size).toBe(2);
  });

  test.each(each)('%s of a token that nobody rotates says that no execution is known', async (_, run) => {
    world.goBack();
    await expect(run()).rejects.toMatchObject({
      name: 'RotationReverted',
      message: expect.stringMatching(/no execution is known for it$/) as string,
    });
    expect(world.started.size).toBe(0);
  });
});

test('a whole rotation, each step asked twice, starts one workflow', async () => {
  world.onStart = () => {
    world.after(800, () => world.values.set(token, 'new value'));
    world.after(4000, world.finish);
  };
  for (const [, run] of each) {
    await run();
    steps = freshSteps();
    await run();
  }
  expect([...world.started.keys()]).toEqual([attempt(1)]);
});
