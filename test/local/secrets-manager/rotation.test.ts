import { randomUUID } from 'node:crypto';
import { createWorld, lambdaArn, promote, usualStep, type Step, type World } from './world';

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];
const minute = 60_000;
const boom = { type: 'TargetUnreachable', message: 'no answer' };

/** Fails in a step as often as told, then works. */
function failing(step: string, times: number): Step {
  let left = times;
  return async (event, world) => {
    if (event.Step === step && left-- > 0) return boom;
    return usualStep(event, world);
  };
}

function kinds(world: World): readonly string[] {
  return world.events.map((event) => event.kind);
}

describe('a rotation', () => {
  it('begins with a pending version without value, and answers before any step runs', async () => {
    const world = createWorld();
    const first = await world.seed();

    const { VersionId } = await world.rotate();

    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'], [String(VersionId)]: ['AWSPENDING'] });
    expect(world.invocations).toEqual([]);
    expect(await world.refusal('GetSecretValue', { SecretId: 'app', VersionStage: 'AWSPENDING' })).toBe(
      "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    );
    world.service.stop();
  });

  it('runs the four steps in order, each with the same ids, and ends with the new value current', async () => {
    const world = createWorld();
    const first = await world.seed();
    const { VersionId, ARN } = await world.rotate();

    await world.until('succeeded');

    expect(world.invocations.map((event) => event.Step)).toEqual(steps);
    for (const event of world.invocations) {
      expect(event).toMatchObject({ SecretId: ARN, ClientRequestToken: VersionId });
      expect(event.RotationToken).toMatch(/^[0-9a-f]{36,256}$/u);
    }
    expect(await world.stages()).toEqual({ [first]: ['AWSPREVIOUS'], [String(VersionId)]: ['AWSCURRENT'] });
    expect(kinds(world)).toEqual([
      'started',
      ...steps.flatMap(() => ['step-began', 'step-ended']),
      'succeeded',
    ]);
    world.service.stop();
  });

  it('may keep AWSPENDING on the current version, as AWS does for a while', async () => {
    const world = createWorld({ repeatPolicy: { removePendingAfterSuccess: false } });
    await world.seed();
    const { VersionId } = await world.rotate();

    await world.until('succeeded');

    expect(await world.stages()).toMatchObject({ [String(VersionId)]: ['AWSPENDING', 'AWSCURRENT'] });
    const again = await world.rotate();
    expect(again['VersionId']).not.toBe(VersionId);
    world.service.stop();
  });

  it('tells nothing secret in its events', async () => {
    const world = createWorld();
    await world.seed('app', 'first-value');
    await world.rotate();
    await world.until('succeeded');

    const told = JSON.stringify(world.events);
    for (const { value } of world.service.storedValues())
      expect(told).not.toContain('SecretString' in value ? value.SecretString : value.SecretBinary);
    for (const { RotationToken } of world.invocations) expect(told).not.toContain(RotationToken);
    world.service.stop();
  });

  it('dates the rotation and the next one', async () => {
    const world = createWorld();
    await world.seed();
    await world.rotate({ RotationRules: { AutomaticallyAfterDays: 2 } });
    await world.until('succeeded');

    expect(await world.run('DescribeSecret', { SecretId: 'app' })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN: lambdaArn,
      RotationRules: { AutomaticallyAfterDays: 2 },
      LastRotatedDate: new Date(Date.UTC(2026, 0, 1, 10, 30)),
      NextRotationDate: new Date('2026-01-03T23:59:59Z'),
    });
    world.service.stop();
  });
});

describe('a step that fails', () => {
  it('has the whole rotation repeated later, with the same token', async () => {
    const world = createWorld({ step: failing('setSecret', 1), repeatPolicy: { delaysMs: [5 * minute] } });
    await world.seed();
    const { VersionId } = await world.rotate();

    await world.until('succeeded');

    expect(world.invocations.map((event) => event.Step)).toEqual(['createSecret', 'setSecret', ...steps]);
    expect(new Set(world.invocations.map((event) => event.ClientRequestToken))).toEqual(new Set([VersionId]));
    const failed = world.events.find((event) => event.kind === 'failed');
    expect(failed).toMatchObject({ attempt: 1, error: boom, repeatsAt: Date.UTC(2026, 0, 1, 10, 35) });
    expect(world.clock.now()).toBe(Date.UTC(2026, 0, 1, 10, 35));
    world.service.stop();
  });

  it('is given up after the last attempt, and AWSPENDING stays', async () => {
    const world = createWorld({ step: failing('testSecret', 9), repeatPolicy: { attempts: 3 } });
    const first = await world.seed();
    const { VersionId } = await world.rotate();

    await world.until('failed', 3);

    const last = world.events.at(-1);
    expect(last).toMatchObject({ kind: 'failed', attempt: 3, repeatsAt: undefined });
    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'], [String(VersionId)]: ['AWSPENDING'] });
    expect(world.clock.advance()).toBe(false);
  });

  it('fails the rotation when it takes longer than the limit', async () => {
    const never: Step = () => new Promise(() => undefined);
    const world = createWorld({ step: never, repeatPolicy: { attempts: 1, stepLimitMs: 15 * minute } });
    await world.seed();
    await world.rotate();

    await world.until('failed');

    expect(world.events.at(-1)).toMatchObject({ kind: 'failed', error: { type: 'Timeout' } });
    expect(world.clock.now()).toBe(Date.UTC(2026, 0, 1, 10, 45));
  });

  it('fails the rotation when the function cannot be invoked at all', async () => {
    const world = createWorld({
      step: () => Promise.reject(new Error('the worker is gone')),
      repeatPolicy: { attempts: 1 },
    });
    await world.seed();
    await world.rotate();
    await world.until('failed');
    expect(world.events.at(-1)).toMatchObject({ error: { type: 'Error', message: 'the worker is gone' } });
  });

  it('fails the rotation when finishSecret returns without having moved AWSCURRENT', async () => {
    const step: Step = async (event, world) =>
      event.Step === 'finishSecret' ? undefined : usualStep(event, world);
    const world = createWorld({ step, repeatPolicy: { attempts: 1 } });
    await world.seed();
    await world.rotate();
    await world.until('failed');
    expect(world.events.at(-1)).toMatchObject({ error: { type: 'RotationIncomplete' } });
  });

  it('is a success for a rotation that is repeated after AWSCURRENT has moved', async () => {
    let thrown = false;
    const step: Step = async (event, world) => {
      const { VersionIdsToStages } = await world.run('DescribeSecret', { SecretId: event.SecretId });
      const isDone = JSON.stringify(VersionIdsToStages).includes(
        `"${event.ClientRequestToken}":["AWSPENDING","AWSCURRENT"`,
      );
      if (isDone) return undefined;
      await usualStep(event, world);
      if (event.Step !== 'finishSecret' || thrown) return undefined;
      thrown = true;
      return boom;
    };
    const world = createWorld({ step });
    await world.seed();
    const { VersionId } = await world.rotate();

    await world.until('succeeded');

    expect(world.invocations).toHaveLength(8);
    expect(await world.stages()).toMatchObject({ [String(VersionId)]: ['AWSCURRENT'] });
    world.service.stop();
  });
});

describe('RotateSecret', () => {
  it('changes nothing when the function may not be invoked', async () => {
    const world = createWorld({ mayInvoke: () => false });
    const first = await world.seed();

    const request = { SecretId: 'app', ClientRequestToken: randomUUID(), RotationLambdaARN: lambdaArn };
    expect(await world.refusal('RotateSecret', request)).toBe(
      'AccessDeniedException: Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.',
    );

    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'] });
    expect(await world.run('DescribeSecret', { SecretId: 'app' })).not.toHaveProperty('RotationEnabled');
    expect(world.clock.advance()).toBe(false);
  });

  it('is refused while an earlier rotation is left over, also for its schedule alone, and repeats that one', async () => {
    const world = createWorld({ step: failing('setSecret', 1), repeatPolicy: { attempts: 1 } });
    await world.seed();
    const { VersionId } = await world.rotate();
    await world.until('failed');
    const refused =
      "InvalidRequestException: A previous rotation isn't complete. That rotation will be reattempted.";

    const schedule = { RotationRules: { AutomaticallyAfterDays: 9 }, RotateImmediately: false };
    const request = { SecretId: 'app', ClientRequestToken: randomUUID(), ...schedule };
    expect(await world.refusal('RotateSecret', request)).toBe(refused);

    await world.until('succeeded');
    expect(await world.stages()).toMatchObject({ [String(VersionId)]: ['AWSCURRENT'] });
    expect(await world.run('DescribeSecret', { SecretId: 'app' })).not.toHaveProperty('RotationRules');
  });

  it('is refused while a rotation runs, which then runs only once', async () => {
    const world = createWorld();
    await world.seed();
    await world.rotate();
    await expect(world.rotate()).rejects.toThrow("A previous rotation isn't complete.");
    await world.until('succeeded');
    expect(world.invocations).toHaveLength(4);
  });

  it('begins anew once AWSPENDING was taken off a rotation that failed, and that one is abandoned', async () => {
    const world = createWorld({ step: failing('setSecret', 1), repeatPolicy: { delaysMs: [minute] } });
    await world.seed();
    const { VersionId } = await world.rotate();
    await world.until('failed');
    const removal = { SecretId: 'app', VersionStage: 'AWSPENDING', RemoveFromVersionId: VersionId };
    await world.run('UpdateSecretVersionStage', removal);

    const next = await world.rotate();
    await world.until('succeeded');

    expect(kinds(world)).toContain('abandoned');
    expect(await world.stages()).toMatchObject({ [String(next['VersionId'])]: ['AWSCURRENT'] });
    expect(world.clock.advance()).toBe(false);
  });

  it('needs a function', async () => {
    const world = createWorld();
    await world.seed();
    expect(await world.refusal('RotateSecret', { SecretId: 'app', ClientRequestToken: randomUUID() })).toBe(
      'InvalidRequestException: No Lambda rotation function ARN is associated with this secret.',
    );
  });

  it('of the same token again, while that rotation runs, answers the same', async () => {
    const world = createWorld();
    await world.seed();
    const { VersionId } = await world.rotate();
    expect(await world.rotate({ ClientRequestToken: VersionId })).toMatchObject({ VersionId });
    await world.until('succeeded');
    expect(world.invocations).toHaveLength(4);
  });

  it('of the same token again, after it ended, begins nothing', async () => {
    const world = createWorld();
    await world.seed();
    const { VersionId } = await world.rotate();
    await world.until('succeeded');

    expect(await world.rotate({ ClientRequestToken: VersionId })).toMatchObject({ VersionId });

    await world.settle();
    expect(world.clock.advance()).toBe(false);
    expect(world.invocations).toHaveLength(4);
  });
});

describe('RotateImmediately=false', () => {
  it('runs testSecret alone, on a copy of the current value under another id, which is then removed', async () => {
    const seen: unknown[] = [];
    const step: Step = async (event, world) => {
      const pending = {
        SecretId: event.SecretId,
        VersionId: event.ClientRequestToken,
        VersionStage: 'AWSPENDING',
      };
      seen.push((await world.run('GetSecretValue', pending, world.functionPrincipal))['SecretString']);
      return undefined;
    };
    const world = createWorld({ step });
    const first = await world.seed('app', 'first');

    await world.rotate({ RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 1 } });
    await world.until('succeeded');

    expect(world.invocations.map((event) => event.Step)).toEqual(['testSecret']);
    expect(world.invocations[0]?.ClientRequestToken).not.toBe(first);
    expect(seen).toEqual(['first']);
    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'] });
    const description = await world.run('DescribeSecret', { SecretId: 'app' });
    expect(description).toMatchObject({ RotationEnabled: true });
    expect(description).not.toHaveProperty('LastRotatedDate');
    world.service.stop();
  });

  it('is not repeated when the test fails, and leaves nothing behind', async () => {
    const world = createWorld({ step: () => Promise.resolve(boom) });
    const first = await world.seed();
    await world.rotate({ RotateImmediately: false });
    await world.until('failed');
    expect(world.events.at(-1)).toMatchObject({ test: true, repeatsAt: undefined });
    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'] });
    expect(world.clock.advance()).toBe(false);
  });
});

describe('who wrote the pending value', () => {
  const written = (as: 'function' | 'operator', withToken: boolean): Step => {
    return async (event, world) => {
      if (event.Step !== 'createSecret') return usualStep(event, world);
      const { SecretId, ClientRequestToken, RotationToken } = event;
      const write = { SecretId, ClientRequestToken, SecretString: 'x', VersionStages: ['AWSPENDING'] };
      const principal = as === 'function' ? world.functionPrincipal : world.roles.operator.principal;
      await world.run('PutSecretValue', { ...write, ...(withToken && { RotationToken }) }, principal);
      return undefined;
    };
  };

  it.each<['function' | 'operator', boolean, string]>([
    ['function', false, 'succeeded'],
    ['function', true, 'succeeded'],
    ['operator', true, 'succeeded'],
    ['operator', false, 'failed'],
  ])('a value from the %s, with a token: %s, lets the rotation end %s', async (as, withToken, end) => {
    const world = createWorld({ step: written(as, withToken), repeatPolicy: { attempts: 1 } });
    await world.seed();
    const { VersionId, ARN } = await world.rotate();
    await world.until(end === 'failed' ? 'failed' : 'succeeded');
    const last = world.events.at(-1);
    expect(last).toMatchObject({ kind: end });
    if (end === 'failed')
      expect(last).toMatchObject({
        error: {
          message: `Pending secret version ${String(VersionId)} for secret ${String(ARN)} was not created by Lambda ${lambdaArn}. Remove the AWSPENDING staging label and restart rotation.`,
        },
      });
    world.service.stop();
  });

  it('a token of another rotation is refused', async () => {
    const world = createWorld();
    await world.seed();
    const { VersionId } = await world.rotate();
    const write = {
      SecretId: 'app',
      ClientRequestToken: VersionId,
      SecretString: 'x',
      RotationToken: 'f'.repeat(64),
    };
    expect(await world.refusal('PutSecretValue', write)).toContain('InvalidParameterException');
    world.service.stop();
  });
});

describe('a rotation is abandoned', () => {
  it('when somebody writes a new current value while a step runs', async () => {
    const step: Step = async (event, world) => {
      if (event.Step === 'setSecret') await world.put('app', 'by hand');
      return usualStep(event, world);
    };
    const world = createWorld({ step });
    await world.seed();
    await world.rotate();

    await world.until('abandoned');
    await world.settle();

    expect(world.invocations.map((event) => event.Step)).toEqual(['createSecret', 'setSecret']);
    expect(await world.run('GetSecretValue', { SecretId: 'app' })).toMatchObject({ SecretString: 'by hand' });
    expect(JSON.stringify(await world.stages())).not.toContain('AWSPENDING');
    expect(world.clock.advance()).toBe(false);
  });

  it('when AWSCURRENT moves to a version that is not its own while it waits for a repeat', async () => {
    const world = createWorld({ step: failing('setSecret', 1) });
    await world.seed();
    const other = await world.put('app', 'other', { VersionStages: ['mine'] });
    await world.rotate();
    await world.until('failed');

    await promote('app', other, world);

    expect(kinds(world).at(-1)).toBe('abandoned');
    expect(world.clock.advance()).toBe(false);
  });

  it('by CancelRotateSecret, which leaves AWSPENDING and switches rotation off', async () => {
    const world = createWorld();
    const first = await world.seed();
    const { VersionId } = await world.rotate({ RotationRules: { AutomaticallyAfterDays: 1 } });

    expect(await world.run('CancelRotateSecret', { SecretId: 'app' })).toMatchObject({ VersionId });

    expect(world.clock.advance()).toBe(false);
    expect(await world.stages()).toEqual({ [first]: ['AWSCURRENT'], [String(VersionId)]: ['AWSPENDING'] });
    const description = await world.run('DescribeSecret', { SecretId: 'app' });
    expect(description).toMatchObject({ RotationEnabled: false });
    expect(description).not.toHaveProperty('NextRotationDate');
  });

  it('by deleting the secret', async () => {
    const world = createWorld();
    await world.seed();
    await world.rotate({ RotationRules: { AutomaticallyAfterDays: 1 } });
    await world.run('DeleteSecret', { SecretId: 'app', ForceDeleteWithoutRecovery: true });
    expect(kinds(world)).toEqual(['abandoned']);
    expect(world.clock.advance()).toBe(false);
  });
});

describe('a schedule', () => {
  const day = 24 * 60 * minute;

  it('lets rotations begin when their windows open, again and again', async () => {
    const world = createWorld();
    await world.seed();
    await world.rotate({ RotationRules: { AutomaticallyAfterDays: 1 }, RotateImmediately: false });
    await world.travelTo(Date.UTC(2026, 0, 2));
    await world.until('succeeded', 2);
    await world.travelTo(Date.UTC(2026, 0, 3));
    await world.until('succeeded', 3);

    const began = world.events.filter((event) => event.kind === 'started' && !event.test);
    expect(began.map((event) => event.at)).toEqual([Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 3)]);
    world.service.stop();
    expect(world.clock.advance()).toBe(false);
  });

  it('counts anew after a manual write', async () => {
    const world = createWorld();
    await world.seed();
    await world.rotate({ RotationRules: { AutomaticallyAfterDays: 10 }, RotateImmediately: false });
    await world.until('succeeded');
    await world.travelTo(Date.UTC(2026, 0, 1, 10, 30) + 5 * day);

    await world.put('app', 'by hand');

    expect(await world.run('DescribeSecret', { SecretId: 'app' })).toMatchObject({
      NextRotationDate: new Date('2026-01-16T23:59:59Z'),
    });
    world.service.stop();
  });

  it('that is wrong changes nothing', async () => {
    const world = createWorld();
    await world.seed();
    await expect(world.rotate({ RotationRules: { ScheduleExpression: 'rate(1 hour)' } })).rejects.toThrow(
      '4 hours',
    );
    expect(await world.run('DescribeSecret', { SecretId: 'app' })).not.toHaveProperty('RotationEnabled');
  });
});
