import * as fc from 'fast-check';
import { parseEnrolment, parsePolicy, type EnrolmentInput } from '../../domain/policy';
import { formWaves } from '../../domain/waves';

const caps = parsePolicy(undefined, 'policy').consumers;
const enrolled = (consumers: Readonly<Record<string, EnrolmentInput>>) =>
  Object.fromEntries(
    Object.entries(consumers).map(([name, input]) => [name, parseEnrolment(JSON.stringify(input), name)]),
  );

test('without consumers there is no wave', () => {
  expect(formWaves({}, caps, '111122223333')).toEqual({
    waves: [],
    informed: [],
    verifiers: [],
    quorums: [],
  });
});

test('waves come in the order of their numbers, gaps leave no empty wave, and names order each wave', () => {
  const consumers = enrolled({ z: { wave: 1 }, a: { wave: 1 }, late: { wave: 30 }, mid: { wave: 2 } });
  const { waves } = formWaves(consumers, caps, '111122223333');
  expect(waves.map((wave) => wave.map(({ name }) => name))).toEqual([['a', 'z'], ['mid'], ['late']]);
});

test('who need not acknowledge is told and not waited for', () => {
  const { waves, informed } = formWaves(
    enrolled({ audit: { acknowledge: 'none', wave: 3 } }),
    caps,
    '111122223333',
  );
  expect(waves).toEqual([]);
  expect(informed).toEqual([{ name: 'audit', wave: 3 }]);
});

test('who verifies is asked twice: before AWSCURRENT moves, within a time that is capped, and in its wave', () => {
  const { waves, verifiers } = formWaves(
    enrolled({
      web: { phase: 'verify', deadlineSeconds: 900, reminders: 2 },
      audit: { phase: 'verify', acknowledge: 'none' },
      batch: {},
    }),
    caps,
    '111122223333',
  );
  expect(verifiers.map(({ name, askSeconds }) => [name, askSeconds])).toEqual([['web', 60]]);
  expect(waves[0]?.map(({ name, askSeconds }) => [name, askSeconds])).toEqual([
    ['batch', 300],
    ['web', 300],
  ]);
});

test('a quorum is counted over the optional consumers of its group, rounded up', () => {
  const consumers = enrolled({
    a: { acknowledge: 'optional', group: 'web' },
    b: { acknowledge: 'optional', group: 'web', wave: 2 },
    c: { acknowledge: 'optional', group: 'web', wave: 2 },
    d: { group: 'web' },
    e: { acknowledge: 'optional' },
  });
  const quorum = { web: 0.5, nobody: 1 };
  expect(formWaves(consumers, { ...caps, quorum }, '111122223333').quorums).toEqual([
    { group: 'web', members: 3, least: 2 },
  ]);
});

test('the deadline is shared out among the first request and the reminders', () => {
  const { waves } = formWaves(
    enrolled({ web: { deadlineSeconds: 900, reminders: 2 } }),
    caps,
    '111122223333',
  );
  expect(waves[0]?.[0]).toMatchObject({ askSeconds: 300, reminders: 2 });
});

test('the policy caps the deadline', () => {
  const { waves } = formWaves(
    enrolled({ web: { deadlineSeconds: 604_800, reminders: 0 } }),
    { ...caps, maxDeadlineSeconds: 60 },
    '111122223333',
  );
  expect(waves[0]?.[0]?.askSeconds).toBe(60);
});

test('who the policy does not allow to be required counts as optional and cannot stop a rotation', () => {
  const { waves } = formWaves(
    enrolled({ web: {}, batch: {}, report: { acknowledge: 'optional' } }),
    { ...caps, mayRequire: ['web', 'report'] },
    '111122223333',
  );
  expect(waves[0]?.map(({ name, required }) => [name, required])).toEqual([
    ['batch', false],
    ['report', false],
    ['web', true],
  ]);
});

test('an acknowledgement must come from the enrolled account, else from the own one', () => {
  const { waves } = formWaves(enrolled({ far: { account: '444455556666' }, near: {} }), caps, '111122223333');
  expect(waves[0]?.map(({ name, account }) => [name, account])).toEqual([
    ['far', '444455556666'],
    ['near', '111122223333'],
  ]);
});

test('whatever is enrolled, everybody is told exactly once and nobody is waited for longer than allowed', () => {
  const enrolment = fc.record({
    acknowledge: fc.constantFrom('required' as const, 'optional' as const, 'none' as const),
    wave: fc.integer({ min: 1, max: 100 }),
    deadlineSeconds: fc.integer({ min: 1, max: 604_800 }),
    reminders: fc.integer({ min: 0, max: 10 }),
  });
  const consumers = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), enrolment, { noNullPrototype: true });
  fc.assert(
    fc.property(consumers, fc.integer({ min: 1, max: 604_800 }), (given, maxDeadlineSeconds) => {
      const { waves, informed } = formWaves(enrolled(given), { ...caps, maxDeadlineSeconds }, '111122223333');
      expect([...waves.flat(), ...informed].map(({ name }) => name).sort()).toEqual(
        Object.keys(given).sort(),
      );
      for (const wave of waves) expect(wave.length).toBeGreaterThan(0);
      for (const { askSeconds, reminders } of waves.flat()) {
        expect(askSeconds).toBeGreaterThanOrEqual(1);
        // Rounding up costs a second for each asking at most.
        expect(askSeconds * (reminders + 1)).toBeLessThanOrEqual(maxDeadlineSeconds + reminders + 1);
      }
    }),
  );
});
