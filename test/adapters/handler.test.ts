import type { Adapter, AdapterDefinition, Progress, RolledOut } from '../../adapters/adapter';
import { adapterHandler } from '../../adapters/handler';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeEventBus } from '../client/fake-event-bus';
import { refreshEvent } from '../client/refresh-event';
import { passUntil } from '../client/virtual-time';
import * as z from 'zod/mini';

const minute = 60_000;

const definition = {
  settings: z.strictObject({ service: z.string() }),
  grants: () => [],
  lookEverySeconds: 10,
} satisfies AdapterDefinition<{ service: string }>;

/** An application that takes `readyAfterMs` to come up on each version, and remembers what was begun. */
class Application implements Adapter {
  readonly begun: string[] = [];
  /** What the next calls end with, before anything is done. */
  readonly failures: string[] = [];
  readyAfterMs = 90_000;
  verdict: Progress = { state: 'done' };
  onLook: (looks: number) => void = () => undefined;
  private looks = 0;
  private readonly since = new Map<string, number>();

  constructor(private readonly clock: VirtualClock) {}

  async begin({ versionId }: RolledOut): Promise<void> {
    this.fail();
    if (this.since.has(versionId)) return;
    this.since.set(versionId, this.clock.now());
    this.begun.push(versionId);
  }

  async look({ versionId }: RolledOut): Promise<Progress> {
    this.onLook(++this.looks);
    this.fail();
    const since = this.since.get(versionId) ?? Infinity;
    return this.clock.now() - since < this.readyAfterMs ? { state: 'working' } : this.verdict;
  }

  private fail(): void {
    const name = this.failures.shift();
    if (name !== undefined) throw Object.assign(new Error('Value hunter2 at x'), { name });
  }
}

function createWorld() {
  const clock = new VirtualClock();
  const bus = new FakeEventBus();
  const application = new Application(clock);
  const world = {
    clock,
    bus,
    application,
    current: 'v2',
    variables: {
      CONSUMER: 'orders',
      SECRET_NAME: 'shop/db',
      BUS_NAME: 'rotor',
      SETTINGS: JSON.stringify({ service: 'orders' }),
    } as Record<string, string>,
    logs: [] as string[],
    /** One invocation of a new environment, with so much of Lambda's time. */
    invoke(detail: Readonly<Record<string, unknown>> = {}, timeMs = 15 * minute): Promise<void> {
      const handler = adapterHandler(definition, () => application, {
        clock,
        eventBridge: bus,
        current: async () => world.current,
        variables: world.variables,
      });
      const ends = clock.now() + timeMs;
      return passUntil(
        clock,
        handler(refreshEvent(asked, detail), { getRemainingTimeInMillis: () => ends - clock.now() }),
      );
    },
  };
  const asked = clock.now();
  return world;
}

let world: ReturnType<typeof createWorld>;
beforeEach(() => {
  world = createWorld();
  jest.spyOn(console, 'log').mockImplementation((line: unknown) => world.logs.push(String(line)));
});
afterEach(() => jest.restoreAllMocks());

const last = () => world.bus.taken.at(-1)?.ack;

test('the answer comes when the application runs on the version, and not before', async () => {
  const before = world.clock.now();
  await world.invoke();
  expect(world.bus.outcomes).toEqual(['loaded']);
  expect(last()).toMatchObject({ consumer: 'orders', versionId: 'v2', taskToken: 'token-1' });
  expect(world.clock.now() - before).toBeGreaterThanOrEqual(90_000);
});

test('before 40 % of the time that Rotor waits has passed it hears that the adapter is at work, again and again', async () => {
  world.application.readyAfterMs = 10 * minute;
  const asked = world.clock.now();
  await world.invoke({ deadline: new Date(asked + 5 * minute).toISOString() });
  expect(world.bus.outcomes).toEqual(['working', 'working', 'working', 'working', 'working', 'loaded']);
  const times = world.bus.taken.map(({ ack }) => Date.parse(ack.time) - asked);
  const waits = times.map((time, index) => time - (times[index - 1] ?? 0));
  expect(Math.max(...waits)).toBeLessThanOrEqual(2 * minute);
});

test('a refusal carries the reason of the service', async () => {
  world.application.verdict = { state: 'refused', reason: 'DeploymentFailed: tasks failed\nto start' };
  await world.invoke();
  expect(last()).toMatchObject({ outcome: 'refused', reason: 'DeploymentFailed: tasks failed to start' });
});

test('where AWSCURRENT has moved meanwhile it begins anew, and acknowledges the version that it names then', async () => {
  world.application.onLook = (looks) => {
    if (looks === 3) world.current = 'v1';
  };
  await world.invoke();
  expect(world.application.begun).toEqual(['v2', 'v1']);
  expect(last()).toMatchObject({ outcome: 'loaded', versionId: 'v1' });
});

test('where AWSCURRENT moves with the last look, what was seen is not acknowledged', async () => {
  world.application.readyAfterMs = 0;
  world.application.onLook = (looks) => {
    if (looks === 1) world.current = 'v1';
  };
  await world.invoke();
  expect(world.bus.taken.map(({ ack }) => ack.versionId)).toEqual(['v1']);
});

test('errors that may pass are borne', async () => {
  world.application.failures.push(
    'ThrottlingException',
    'TimeoutError',
    'ServerException',
    'ThrottlingException',
  );
  await world.invoke();
  expect(world.bus.outcomes).toEqual(['loaded']);
  expect(world.application.begun).toEqual(['v2']);
});

test('an error that no repeat mends is a refusal when it stays, in words that quote nothing', async () => {
  world.application.failures.push(...Array<string>(3).fill('ServiceNotFoundException'));
  await world.invoke();
  expect(last()).toMatchObject({
    outcome: 'refused',
    reason: 'ServiceNotFoundException: there is no such service in the cluster',
  });
  expect(JSON.stringify([world.bus.taken, world.logs])).not.toContain('hunter2');
});

test('permissions that arrive late are no refusal', async () => {
  world.application.failures.push('AccessDeniedException', 'AccessDeniedException');
  await world.invoke();
  expect(world.bus.outcomes).toEqual(['loaded']);
});

test("when Lambda's time is up the invocation ends by name, and the next one goes on without acting again", async () => {
  world.application.readyAfterMs = 20 * minute;
  await expect(world.invoke()).rejects.toMatchObject({ name: 'AdapterStillWaiting' });
  expect(world.bus.outcomes.at(-1)).toBe('working');
  await world.invoke();
  expect(world.bus.outcomes.at(-1)).toBe('loaded');
  expect(world.application.begun).toEqual(['v2']);
});

test('an event that is tried again says at once that somebody is at work', async () => {
  world.clock.after(16 * minute, () => undefined);
  world.clock.advance();
  const begun = world.clock.now();
  await world.invoke();
  expect(Date.parse(world.bus.taken[0]?.ack.time ?? '') - begun).toBeLessThanOrEqual(1_000);
  expect(world.bus.outcomes[0]).toBe('working');
});

test('a reminder is answered by its own token, and does not restart the application', async () => {
  await world.invoke();
  await world.invoke({ taskToken: 'token-2' });
  expect(world.application.begun).toEqual(['v2']);
  expect(last()).toMatchObject({ outcome: 'loaded', taskToken: 'token-2' });
});

test('a request without a token is acted on and not answered', async () => {
  await world.invoke({ taskToken: null, deadline: null });
  expect(world.application.begun).toEqual(['v2']);
  expect(world.bus.calls).toBe(0);
});

test('a request to verify is refused by name, about the version that was to be tried', async () => {
  await world.invoke({ phase: 'verify', versionId: 'v3' });
  expect(world.application.begun).toEqual([]);
  expect(last()).toMatchObject({ outcome: 'refused', versionId: 'v3' });
  expect(last()?.reason).toMatch(/^VerifyUnsupported: /);
});

test('settings that are wrong are a refusal that names the field', async () => {
  world.variables['SETTINGS'] = JSON.stringify({ servise: 'orders' });
  await world.invoke();
  expect(last()?.reason).toBe(
    'SettingsInvalid: field service is missing or has a wrong form; unknown field servise',
  );
});

test('a bus that does not take the answer ends the invocation, and the next one answers', async () => {
  world.bus.failures.push(...Array.from({ length: 6 }, () => ({ entry: 'ThrottlingException' })));
  await expect(world.invoke()).rejects.toMatchObject({ name: 'AcknowledgementFailed' });
  await world.invoke();
  expect(world.bus.outcomes.at(-1)).toBe('loaded');
  expect(world.application.begun).toEqual(['v2']);
});

test.each([
  ['for another application', { consumer: 'billing' }, 'RequestForeign'],
  ['about another secret', { secret: { arn: 'arn:x', name: 'shop/other' } }, 'RequestForeign'],
  ['malformed', { phase: 'unknown' }, 'RequestMalformed'],
])('a request that is %s ends as an error and is not acted on', async (_what, detail, name) => {
  await expect(world.invoke(detail)).rejects.toMatchObject({ name });
  expect(world.application.begun).toEqual([]);
  expect(world.bus.calls).toBe(0);
});

test('an environment that is not set is named', async () => {
  delete world.variables['BUS_NAME'];
  await expect(world.invoke()).rejects.toThrow('missing or empty: BUS_NAME');
});

test('no task token is logged', async () => {
  await world.invoke();
  expect(world.logs.length).toBeGreaterThan(0);
  expect(world.logs.join('\n')).not.toContain('token-1');
});
