import * as fc from 'fast-check';
import type { AskedConsumer } from '../../domain/waves';
import { endings } from './expectations';
import {
  consumer,
  loaded,
  previous,
  Simulation,
  token,
  type Answer,
  type Strike,
  type World,
} from './simulated-world';

/** How a consumer takes the new version, and how it takes being asked back. */
const manners = ['loads', 'late', 'refuses', 'silent', 'wrong version first', 'a stranger first'] as const;
type Manner = (typeof manners)[number];

const answerOf =
  (name: string, manner: Manner, comesBack: boolean): Answer =>
  (ask, versionId) => {
    if (versionId === previous) return comesBack ? loaded(name, versionId) : undefined;
    switch (manner) {
      case 'loads':
        return loaded(name, versionId);
      case 'late':
        return ask > 1 ? loaded(name, versionId) : undefined;
      case 'refuses':
        return 'refuse';
      case 'silent':
        return undefined;
      case 'wrong version first':
        return loaded(name, ask > 2 ? versionId : 'version-of-yesterday');
      case 'a stranger first':
        return loaded(ask > 2 ? name : 'stranger', versionId);
    }
  };

interface Case {
  readonly world: Partial<World>;
  readonly consumers: readonly AskedConsumer[];
  readonly decisions: readonly { readonly decision: string; readonly skip: readonly string[] }[];
}

const struck = fc.constantFrom(
  ...['SetSecret', 'TestSecret', 'FinishSecret', 'AwaitDrain', 'RetirePrevious', 'ReleasePrevious'],
  ...[
    'RestorePrevious',
    'ProvePrevious',
    'RevertLabels',
    'RetireNew',
    'RetireUnused',
    'Hold',
    'Ask',
    'AskWave',
  ],
);
const strikes: fc.Arbitrary<readonly Strike[]> = fc.array(
  fc.record({
    state: struck,
    moment: fc.constantFrom('before' as const, 'after' as const),
    error: fc.constantFrom('Broken', 'TargetUnreachable', 'Sandbox.Timedout'),
    times: fc.constantFrom(1, 2, 50),
  }),
  { maxLength: 2 },
);

const cases: fc.Arbitrary<Case> = fc
  .record({
    waves: fc.array(
      fc.array(
        fc.record({ manner: fc.constantFrom(...manners), required: fc.boolean(), back: fc.boolean() }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
      { maxLength: 3 },
    ),
    onRefusal: fc.constantFrom('back', 'hold'),
    onSilence: fc.constantFrom('back', 'hold'),
    retire: fc.constantFrom('stop', 'leave'),
    overlap: fc.constantFrom('two-principals' as const, 'two-principals' as const, 'none' as const),
    logins: fc.array(fc.constantFrom(0, 0, 1), { maxLength: 4 }),
    decisions: fc.array(
      fc.record({ decision: fc.constantFrom('resume', 'back', 'accept'), skips: fc.boolean() }),
      { maxLength: 3 },
    ),
    strikes,
  })
  .map(({ waves, onRefusal, onSilence, retire, overlap, logins, decisions, strikes }) => {
    const answers: Record<string, Answer> = {};
    const formed = waves.map((wave, index) =>
      wave.map(({ manner, required, back }, place) => {
        const name = `w${String(index + 1)}-${String(place + 1)}`;
        answers[name] = answerOf(name, manner, back);
        return consumer(name, index + 1, { required, reminders: 1 });
      }),
    );
    const consumers = formed.flat();
    const decided = decisions.map(({ decision, skips }) => ({
      decision,
      skip: skips ? consumers.slice(0, 2).map(({ name }) => name) : [],
    }));
    const policy = { onRefusal, onSilence, retire };
    return {
      world: { consumers: formed, answers, policy, overlap, logins, decisions: decided, strikes },
      consumers,
      decisions: decided,
    };
  });

/** Consumers that had to be heard before the old credential may stop, and were not, nor excused by an operator. */
function unheard(
  { consumers, decisions }: Case,
  acknowledged: readonly string[],
  world: Simulation,
): string[] {
  const excused = new Set(
    decisions.slice(0, world.holdCount).flatMap(({ decision, skip }, hold) => [
      ...skip,
      // Accepting excuses those who had been asked, and nobody who was to be asked later.
      ...(decision === 'accept' ? (world.askedAtHold[hold] ?? []) : []),
    ]),
  );
  return consumers
    .filter(
      ({ name, required }) => required && !excused.has(name) && !acknowledged.includes(`${name} ${token}`),
    )
    .map(({ name }) => name);
}

test('whatever consumers, operators and services do, a rotation is safe and comes to an end', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (each) => {
      const world = await new Simulation(each.world).run();
      expectNothingStoppedTooEarly(each, world);
      expectWavesInOrder(each, world);
      expectAnEnd(each, world);
    }),
    { numRuns: 60 },
  );
}, 400_000);

/** No credential is stopped that somebody may still use, and AWSCURRENT names one that works all the time. */
function expectNothingStoppedTooEarly(each: Case, world: Simulation): void {
  if (each.world.overlap === 'two-principals') expect(world.outages).toEqual([]);
  for (const { version, acknowledged } of world.stopped) {
    if (version === previous) expect(unheard(each, acknowledged, world)).toEqual([]);
    // The new credential is stopped only when everybody who was told has come back.
    else expect(notBack(each, world)).toEqual([]);
  }
}

/** No wave begins before all who are required in the waves before it have been heard or excused. */
function expectWavesInOrder(each: Case, world: Simulation): void {
  for (const { name, wave } of each.consumers) {
    const heard = world.firstAsked.get(`${name} ${token}`);
    if (heard === undefined) continue;
    const before = { ...each, consumers: each.consumers.filter((other) => other.wave < wave) };
    expect(unheard(before, heard, world)).toEqual([]);
  }
}

/**
 * Succeeded, failed with one event and one alert, or held with an alert; and AWSCURRENT works. Where a target takes one
 * credential at a time and cannot be set back, it does not, and the alert says that.
 */
function expectAnEnd(each: Case, world: Simulation): void {
  const ends = endings(world);
  const failures = world.alerts.filter(({ kind }) => kind === 'failed').length;
  const holds = world.alerts.filter(({ kind }) => kind === 'held').length + world.published.length;
  switch (world.status) {
    case 'SUCCEEDED':
      expect([ends, failures]).toEqual([['Secret Rotation Succeeded'], 0]);
      expect(namedTwice(world)).toEqual([]);
      break;
    case 'HELD':
      expect([ends, failures]).toEqual([[], 0]);
      expect(holds).toBeGreaterThan(0);
      break;
    default:
      expect([world.status, ends, failures]).toEqual(['FAILED', ['Secret Rotation Failed'], 1]);
  }
  if (each.world.overlap === 'none' && !world.accepted.has(world.labels['AWSCURRENT'] ?? ''))
    expect(world.alerts.at(-1)).toMatchObject({ kind: 'failed', outcome: 'revert-failed' });
  else expect(world.accepted).toContain(world.labels['AWSCURRENT']);
}

/** Consumers that the report of a rotation names more than once. */
function namedTwice(world: Simulation): string[] {
  const consumers = world.events.at(-1)?.detail['consumers'] as readonly { readonly name: string }[];
  const names = consumers.map(({ name }) => name);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** Required consumers that were told of the new version and have not come back from it. */
function notBack({ consumers }: Case, world: Simulation): string[] {
  return consumers
    .filter(
      ({ name, required }) =>
        required &&
        world.firstAsked.has(`${name} ${token}`) &&
        !world.acknowledged.includes(`${name} ${previous}`),
    )
    .map(({ name }) => name);
}
