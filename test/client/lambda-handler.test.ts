import type { ClientEvent } from '../../client/client-event';
import { lambdaHandler } from '../../client/lambda-handler';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeEventBus } from './fake-event-bus';
import { FakeSecretsManager } from './fake-secrets-manager';
import { refreshEvent } from './refresh-event';
import { pass, passUntil } from './virtual-time';

function prepare() {
  const clock = new VirtualClock();
  const aws = new FakeSecretsManager(clock);
  aws.put('v2', { username: 'app', password: 'new-password' }, 'AWSCURRENT');
  const bus = new FakeEventBus();
  const events: ClientEvent[] = [];
  const secret = RotatingSecret.json({ secretId: 'shop/db', secretsManager: aws, clock, maxAgeSeconds: 20 });
  const responder = new RefreshResponder({ consumer: 'orders', secret, eventBridge: bus, clock });
  const handler = lambdaHandler(responder, { clock, on: (event) => events.push(event) });
  const context = (timeoutMs: number) => {
    const end = clock.now() + timeoutMs;
    return { getRemainingTimeInMillis: () => end - clock.now() };
  };
  return { clock, aws, bus, events, handler, context };
}

describe('lambdaHandler', () => {
  test('answers a request that EventBridge delivers', async () => {
    const { clock, bus, handler, context } = prepare();
    const answer = await passUntil(clock, handler(refreshEvent(clock.now()), context(30_000)));
    expect(answer).toBeUndefined();
    expect(bus.outcomes).toEqual(['loaded']);
  });

  test('answers a batch from a queue, and gives back only the messages that failed', async () => {
    const { clock, bus, events, handler, context } = prepare();
    const record = (messageId: string, detail: object) => ({
      messageId,
      body: JSON.stringify(refreshEvent(clock.now(), { ...detail })),
    });
    const Records = [
      record('m1', { taskToken: 't1' }),
      record('m2', { consumer: 'billing' }),
      { messageId: 'm3', body: 'no json' },
      record('m4', { taskToken: 't4' }),
    ];
    const answer = await passUntil(clock, handler({ Records }, context(30_000)));
    const failed = answer?.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    expect(failed?.sort()).toEqual(['m2', 'm3']);
    expect(bus.taken.map(({ ack }) => ack.taskToken)).toEqual(['t1', 't4']);
    expect(events).toContainEqual({ type: 'request-failed', messageId: 'm3', error: 'RequestMalformed' });
  });

  test('refuses a function whose timeout is shorter than the time to settle', async () => {
    const { clock, bus, handler, context } = prepare();
    await expect(handler(refreshEvent(clock.now()), context(22_000))).rejects.toMatchObject({
      name: 'LambdaTimeTooShort',
      message: 'the function has 22000 ms left, and needs 20000 ms to settle and 3000 ms to work',
    });
    expect(bus.calls).toBe(0);
  });

  test('ends by name before Lambda would end it', async () => {
    const { clock, aws, bus, handler, context } = prepare();
    aws.latencyMs = 8_000;
    const handled = handler(refreshEvent(clock.now()), context(24_000));
    await expect(passUntil(clock, handled)).rejects.toMatchObject({ name: 'LambdaTimeTooShort' });
    await pass(clock, 60_000);
    expect(bus.outcomes.filter((outcome) => outcome !== 'working')).toEqual([]);
  });

  test.each([{ Records: 'none' }, { Records: [{}] }, { Records: [null] }, undefined])(
    'refuses the event %p by name',
    async (event) => {
      const { handler } = prepare();
      await expect(handler(event)).rejects.toMatchObject({ name: 'RequestMalformed' });
    },
  );
});
