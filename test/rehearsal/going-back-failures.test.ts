import type { PlannedFault } from '../../local/rehearsal/faults';
import { FailingRehearsal, fault, ways } from './failures';

const unusable = fault('TestSecret', { errorName: 'CredentialUnusable' });
const unreachable = fault('SetSecret', { errorName: 'TargetUnreachable', always: true });

/** The tasks that run when something else has failed, each with the failure that leads there. */
const afterFaults: readonly (readonly [string, string, PlannedFault])[] = [
  ['WhatIsTrue', 'a failed test', unusable],
  ['RetireUnused', 'a failed test', unusable],
  ['RevertLabels', 'a failed test', unusable],
  ['PublishFailed', 'a failed test', unusable],
  ['AlertOperators', 'a failed test', unusable],
  ['WarnUnreachable', 'an unreachable target', unreachable],
];
const afterRefusal = ['RestorePrevious', 'ProvePrevious', 'RevertLabels', 'RetireNew', 'ReleaseNew'];

let failing: FailingRehearsal;
beforeAll(async () => {
  failing = await FailingRehearsal.start('postgres-alternating');
});
afterAll(() => failing.stop());

describe.each(afterFaults)('%s after %s', (state, _, reason) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      await failing.rotateWith(reason, fault(state, way));
      // What was retried comes to the same end; a secret left stuck would let no fault of the next case strike.
      if (way.kind === 'error') await failing.expectNextSucceeds();
    },
  );

  it('leaves a working AWSCURRENT when it fails at every attempt', async () => {
    await failing.rotateWith(reason, fault(state, { kind: 'crash', always: true }));
    await failing.expectNextSucceeds();
  });
});

describe.each(afterRefusal)('%s after a refusal', (state) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      await failing.rotateRefused(fault(state, way));
      // What was retried comes to the same end; a secret left stuck would let no fault of the next case strike.
      if (way.kind === 'error') await failing.expectNextSucceeds();
    },
  );

  it('leaves a working AWSCURRENT when it fails at every attempt', async () => {
    await failing.rotateRefused(fault(state, { kind: 'crash', always: true }));
    await failing.expectNextSucceeds();
  });
});

it('goes back whole when an application refuses and nothing else fails', async () => {
  const rotation = await failing.rotateRefused();
  expect(rotation.outcome).toBe('reverted');
  expect(rotation.states).toContain('ReleaseNew');
  await failing.expectNextSucceeds();
});

it('publishes plainly when the function that words alerts is broken', async () => {
  const rotation = await failing.rotateWith(unusable, fault('AlertOperators', { always: true }));
  expect(rotation.states).toContain('AlertPlainly');
  await failing.expectNextSucceeds();
});

it('is heard through the rule on the machine’s failures when nothing else gets out', async () => {
  const silent = fault('AlertPlainly', { kind: 'timeout', always: true });
  const rotation = await failing.rotateWith(unusable, fault('AlertOperators', { always: true }), silent);
  expect(rotation.states.at(-1)).toBe('AlertFailed');
  await failing.expectNextSucceeds();
});
