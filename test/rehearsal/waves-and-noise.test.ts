import { randomBytes, randomInt } from 'node:crypto';
import { busName, consumerSource, detailTypes } from '../../domain/events';
import { consumerParameter } from '../../domain/names';
import { eventually } from './eventually';
import { FailingRehearsal, longDeadlineSeconds } from './failures';
import { requestsIn, type Request } from './hand-made-consumer';
import { Intervention } from './intervention';
import { newestExecution } from './newest-execution';

const secretId = 'example/app';
const applications = ['orders', 'reports', 'billing'] as const;

let failing: FailingRehearsal;
const intervention = new Intervention();
beforeAll(async () => {
  failing = await FailingRehearsal.start('postgres-alternating', { observers: [intervention] });
  await failing.changePolicy({ consumers: { maxVerifySeconds: longDeadlineSeconds } });
  for (const [index, name] of applications.entries()) await enrol(name, index + 1);
});
afterAll(() => failing.stop());

test('a refusal in the second of three waves never tells the third, asks the first back, and fails no query', async () => {
  const counts = () => failing.rehearsal.applications.map((application) => application.counts());
  const before = counts();
  const rotation = await failing.rotateRefused();
  const uses = ({ queries, errors }: { readonly queries: number; readonly errors: number }) =>
    queries + errors;
  await eventually('each application has used it since', () =>
    Promise.resolve(counts().every((now, index) => uses(now) > uses(before[index] ?? now))),
  );
  const after = counts();
  expect(rotation.outcome).toBe('reverted');
  const asked = await requestsOfLast();
  const versions = [...new Set(asked.map(({ versionId }) => versionId))];
  // A machine that is busy makes reminders come in between; they are about what was asked before.
  const askings = asked.map(
    ({ consumer, versionId }) => `${consumer} ${String(versions.indexOf(versionId))}`,
  );
  expect([...new Set(askings)]).toEqual(['orders 0', 'reports 0', 'orders 1', 'reports 1']);
  expect(after.map(({ errors }, index) => errors - (before[index]?.errors ?? 0))).toEqual([0, 0, 0]);
  for (const [index, { queries }] of after.entries())
    expect(queries).toBeGreaterThan(before[index]?.queries ?? 0);
});

test('applications that verify try the new version before AWSCURRENT names it, and load it in their wave', async () => {
  await enrol('orders', 1, { phase: 'verify' });
  await enrol('reports', 2, { phase: 'verify' });
  const rotation = await failing.rotateWith();
  expect(rotation.outcome).toBe('rotated');
  expect((await requestsOfLast()).map(({ consumer, phase }) => `${consumer} ${phase}`).sort()).toEqual([
    'billing load',
    'orders load',
    'orders verify',
    'reports load',
    'reports verify',
  ]);
  const { states } = rotation;
  expect(states.indexOf('AskWave')).toBeLessThan(states.indexOf('FinishSecret'));
});

test('an application that refuses while it verifies turns the rotation back before anything has moved', async () => {
  const rotation = await failing.rotateRefused();
  expect(rotation.outcome).toBe('reverted');
  expect(rotation.states).not.toContain('FinishSecret');
  expect((await requestsOfLast()).every(({ phase }) => phase === 'verify')).toBe(true);
  await enrol('orders', 1);
  await enrol('reports', 2);
});

test('a thousand duplicated, late, forged and malformed acknowledgements change nothing', async () => {
  const before = await requestsOfLast();
  const forged = { sent: 0, withRealTokens: new Map<string, number>() };
  // Before each further asking there is time for some of them, however slow the machine is.
  let askings = 0;
  intervention.act = async (state, moment) => {
    if (state !== 'Ask' || moment !== 'before' || askings++ === 0) return;
    const { sent } = forged;
    await eventually('more are forged', () => Promise.resolve(forged.sent > sent || forged.sent >= 1000));
  };
  const rotating = failing.rotateWith();
  const isOver = { yet: false };
  void rotating.finally(() => (isOver.yet = true));
  // From the first request on, and no faster than they are heard: otherwise all of them come before there is a token.
  await eventually('the first application is asked', async () => {
    const [first] = await requestsOfLast();
    return first !== undefined && first.versionId !== before[0]?.versionId;
  });
  while (!isOver.yet && forged.sent < 1000) {
    const now = await requestsOfLast();
    await put(Array.from({ length: 10 }, (_, index) => forge(index, before, now, forged.withRealTokens)));
    forged.sent += 10;
  }
  const { outcome, consumers } = await rotating;
  const late = await requestsOfLast();
  while (forged.sent < 1000) {
    await put(
      Array.from({ length: 10 }, (_, index) =>
        forge(index, before, late, new Map(late.map(({ consumer }) => [consumer, 99]))),
      ),
    );
    forged.sent += 10;
  }
  await failing.rehearsal.cloud.idle();
  expect(forged.sent).toBeGreaterThanOrEqual(1000);
  // Some of them carried tokens that were waited for at that moment; otherwise the rest would prove little.
  expect([...forged.withRealTokens.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  expect(outcome).toBe('rotated');
  expect(consumers.map(({ name, outcome: answer }) => `${name} ${answer}`)).toEqual(
    applications.map((name) => `${name} loaded`),
  );
  intervention.stop();
  await failing.expectNextSucceeds();
}, 600_000);

async function enrol(name: string, wave: number, more: object = {}): Promise<void> {
  await failing.rehearsal.cloud.call('ssm', 'PutParameter', {
    Name: consumerParameter(secretId, name),
    Value: JSON.stringify({ wave, deadlineSeconds: longDeadlineSeconds, ...more }),
    Type: 'String',
    Overwrite: true,
  });
}

/** Every request of the execution that began last, in order, also of one that is still going on. */
async function requestsOfLast(): Promise<readonly Request[]> {
  return requestsIn(failing.rehearsal, await newestExecution(failing.rehearsal));
}

/**
 * One acknowledgement that must change nothing, of the six kinds in turn; tokens that are waited for are used a few times
 * for each consumer.
 */
function forge(
  index: number,
  before: readonly Request[],
  now: readonly Request[],
  withRealTokens: Map<string, number>,
): unknown {
  const old = before[randomInt(Math.max(1, before.length))];
  const current = now[randomInt(Math.max(1, now.length))];
  const real = {
    schemaVersion: '1',
    consumer: 'orders',
    secret: old?.secret ?? {},
    versionId: current?.versionId ?? 'none',
    taskToken: randomBytes(300).toString('base64url'),
    outcome: 'loaded',
    time: new Date().toISOString(),
  };
  const used = withRealTokens.get(current?.consumer ?? '') ?? 0;
  switch (index % 6) {
    case 0: // A token that nobody has given out.
      return { ...real, outcome: randomInt(2) === 0 ? 'refused' : 'loaded', reason: 'forged' };
    case 1: // Late: of the rotation before.
      return { ...real, ...old, outcome: 'loaded' };
    case 2: // Malformed.
      return [
        {},
        { ...real, outcome: 'perhaps' },
        { ...real, taskToken: 7 },
        'text',
        null,
        { ...real, secret: 1 },
      ][randomInt(6)];
    case 3: // A consumer, or a version, that was not asked about.
      if (current === undefined || used >= 3) return { ...real, taskToken: 'short' };
      withRealTokens.set(current.consumer, used + 1);
      return randomInt(2) === 0
        ? { ...real, ...current, consumer: 'stranger', outcome: 'loaded', time: real.time }
        : { ...real, ...current, versionId: 'version-of-yesterday', outcome: 'refused', time: real.time };
    case 4: // Duplicated: what the consumer itself has said or is about to say.
      return current === undefined || now.at(-1) === current
        ? real
        : { ...real, ...current, outcome: 'loaded' };
    default: // Somebody says to be at work, with a token of no task.
      return { ...real, outcome: 'working' };
  }
}

/** Puts acknowledgements on the bus, and waits until the function has heard them. */
async function put(details: readonly unknown[]): Promise<void> {
  const { cloud } = failing.rehearsal;
  const heard = () =>
    cloud.invocations.filter(({ functionName }) => functionName === 'rotor-acknowledge').length;
  const before = heard();
  await cloud.call('eventbridge', 'PutEvents', {
    Entries: details.map((detail) => ({
      EventBusName: busName,
      Source: consumerSource,
      DetailType: detailTypes.refreshAcknowledged,
      Detail: JSON.stringify(typeof detail === 'object' && detail !== null ? detail : { detail }),
    })),
  });
  await eventually('the acknowledgements are heard', () =>
    Promise.resolve(heard() >= before + details.length),
  );
}
