import { listenOnQueue } from '../../client/queue-listener';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeEventBus } from './fake-event-bus';
import { FakeQueue } from './fake-queue';
import { FakeSecretsManager } from './fake-secrets-manager';
import { refreshEvent } from './refresh-event';
import { pass } from './virtual-time';

/** Three instances of one application on one queue, each of which uses its secret once a second. */
async function deploy(latencyMs: number) {
  const clock = new VirtualClock();
  const aws = new FakeSecretsManager(clock);
  const bus = new FakeEventBus();
  const queue = new FakeQueue(clock, 5);
  aws.put('v1', { username: 'app', password: 'first-password' }, 'AWSCURRENT');
  /** Which versions an instance has handed out, with the time. */
  const uses: { readonly instance: number; readonly versionId: string; readonly at: number }[] = [];
  const instances = Array.from({ length: 3 }, (_, instance) => {
    const secret = RotatingSecret.json({ secretId: 'shop/db', secretsManager: aws, clock });
    const use = () => {
      timers[instance] = clock.after(1_000, use);
      void secret.get().then(({ versionId }) => uses.push({ instance, versionId, at: clock.now() }));
    };
    const responder = new RefreshResponder({ consumer: 'orders', secret, eventBridge: bus, clock });
    const listener = listenOnQueue({ queueUrl: 'queue', responder, sqs: queue, clock });
    return { use, listener };
  });
  const timers: { cancel(): void }[] = [];
  // Out of step with each other, as instances are.
  for (const { use } of instances) {
    use();
    await pass(clock, 7_300);
  }
  aws.latencyMs = latencyMs;
  return {
    ...{ clock, aws, bus, queue, uses },
    stop: async () => {
      for (const timer of timers) timer.cancel();
      const stopped = Promise.all(instances.map(({ listener }) => listener.stop()));
      await pass(clock, 1_000);
      await stopped;
    },
  };
}

describe('three instances of one application on one queue', () => {
  // With slow answers a look begins before the label moves and ends after it: its old value must not outlive the wait.
  test.each([0, 400, 3_000])(
    'acknowledge once, when all serve the new version (looks of %p ms)',
    async (latencyMs) => {
      const { clock, aws, bus, queue, uses, stop } = await deploy(latencyMs);
      for (let phase = 0; phase < 7; phase++) {
        const next = `v${phase + 2}`;
        aws.put(next, { username: 'app', password: `password-${next}` }, 'AWSCURRENT');
        queue.send(
          refreshEvent(clock.now(), { taskToken: `token-${next}`, rotationId: next, versionId: next }),
        );
        const before = bus.taken.length;
        await pass(clock, 100_000 + phase * 4_700);
        const acks = bus.taken.slice(before).map(({ ack }) => ack);
        expect(acks.map(({ outcome, versionId }) => [outcome, versionId])).toEqual([['loaded', next]]);
        const acknowledgedAt = Date.parse(acks[0]?.time ?? '');
        const late = uses.filter(({ at, versionId }) => at >= acknowledgedAt && versionId !== next);
        expect(late).toEqual([]);
        const after = uses.filter(({ at }) => at >= acknowledgedAt);
        expect(new Set(after.map(({ instance }) => instance)).size).toBe(3);
      }
      expect(queue.length).toBe(0);
      await stop();
    },
  );

  test('the wait is needed: instances that were not asked serve the old version for a while', async () => {
    const { clock, aws, queue, uses, stop } = await deploy(0);
    const moved = clock.now();
    aws.put('v2', { username: 'app', password: 'second-password' }, 'AWSCURRENT');
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 100_000);
    const old = uses.filter(({ at, versionId }) => at > moved + 1_000 && versionId === 'v1');
    expect(new Set(old.map(({ instance }) => instance)).size).toBe(2);
    await stop();
  });
});
