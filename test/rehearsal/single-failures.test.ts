import { FailingRehearsal, fault, ways } from './failures';

/** The tasks of a rotation with one user, forward and back. */
const forward = ['Plan', 'CreateSecret', 'SetSecret', 'TestSecret', 'FinishSecret', 'PublishSucceeded'];
const back = ['RestorePrevious', 'ProvePrevious', 'RevertLabels'];
const unusable = fault('TestSecret', { errorName: 'CredentialUnusable' });

let failing: FailingRehearsal;
beforeAll(async () => {
  failing = await FailingRehearsal.start('postgres-single');
});
afterAll(() => failing.stop());

describe.each(forward)('%s', (state) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      await failing.rotateWith(fault(state, way));
      // What was retried comes to the same end; a secret left stuck would let no fault of the next case strike.
      if (way.kind === 'error') await failing.expectNextSucceeds();
    },
  );
});

describe.each(back)('%s after a failed test', (state) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      await failing.rotateWith(unusable, fault(state, way));
      // What was retried comes to the same end; a secret left stuck would let no fault of the next case strike.
      if (way.kind === 'error') await failing.expectNextSucceeds();
    },
  );
});

it('is held, with the new credential working, when an application refuses', async () => {
  const rotation = await failing.rotateRefused();
  expect(rotation.outcome).toBe('held');
  await failing.expectNextSucceeds();
});
