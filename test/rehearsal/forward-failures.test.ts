import { FailingRehearsal, fault, ways } from './failures';
import { consumerParameter } from '../../domain/names';

/** The tasks of a rotation that goes forward, with alternating users. */
const states = [
  'Plan',
  'CreateSecret',
  'AnnounceStart',
  'SetSecret',
  'TestSecret',
  'FinishSecret',
  'Inform',
  'Ask',
  'AwaitDrain',
  'RetirePrevious',
  'ReleasePrevious',
  'PublishSucceeded',
];

let failing: FailingRehearsal;
beforeAll(async () => {
  failing = await FailingRehearsal.start('postgres-alternating');
  await failing.rehearsal.cloud.call('ssm', 'PutParameter', {
    Name: consumerParameter('example/app', 'watcher'),
    Value: JSON.stringify({ acknowledge: 'none' }),
    Type: 'String',
  });
});
afterAll(() => failing.stop());

describe.each(states)('%s', (state) => {
  it.each(ways)(
    '$kind $moment its effect leaves a working AWSCURRENT, and the next rotation succeeds',
    async (way) => {
      const rotation = await failing.rotateWith(fault(state, way));
      // What the runtime did to the function is retried and comes to a good end; so does what nobody depends on.
      if (way.kind === 'crash') expect(rotation.outcome).toBe('rotated');
      // One that came to a good end has nothing in the way of the next, which the next case shows.
      if (rotation.outcome !== 'rotated') await failing.expectNextSucceeds();
    },
  );

  it('alerts once, and keeps a working AWSCURRENT, when it fails at every attempt', async () => {
    await failing.rotateWith(fault(state, { kind: 'crash', always: true }));
    await failing.expectNextSucceeds();
  });
});
