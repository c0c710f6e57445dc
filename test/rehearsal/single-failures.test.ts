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
      await failing.expectNextSucceeds();
    },
  );
});

describe.each(back)('%s after a failed test', (state) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      await failing.rotateWith(unusable, fault(state, way));
      await failing.expectNextSucceeds();
    },
  );
});

it('keeps both credentials, of which the new one works, when an application refuses', async () => {
  const rotation = await failing.rotateRefused();
  expect(rotation.outcome).toBe('kept');
  await failing.expectNextSucceeds();
});
