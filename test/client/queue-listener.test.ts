import type { ClientEvent } from '../../client/client-event';
import { OptionInvalid } from '../../client/errors';
import { listenOnQueue, type QueueListenerOptions } from '../../client/queue-listener';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeEventBus } from './fake-event-bus';
import { FakeQueue } from './fake-queue';
import { FakeSecretsManager } from './fake-secrets-manager';
import { refreshEvent } from './refresh-event';
import { pass } from './virtual-time';

function prepare(options: Partial<QueueListenerOptions> = {}) {
  const clock = new VirtualClock();
  const aws = new FakeSecretsManager(clock);
  aws.put('v2', { username: 'app', password: 'new-password' }, 'AWSCURRENT');
  const bus = new FakeEventBus();
  const queue = new FakeQueue(clock);
  const events: ClientEvent[] = [];
  const on = (event: ClientEvent) => void events.push(event);
  const secret = RotatingSecret.json({ secretId: 'shop/db', secretsManager: aws, clock });
  const responder = (consumer: string) =>
    new RefreshResponder({ consumer, secret, eventBridge: bus, clock, on });
  const listen = () =>
    listenOnQueue({ queueUrl: 'queue', responder: responder('orders'), sqs: queue, clock, on, ...options });
  return { clock, aws, bus, queue, events, responder, listen };
}

describe('listenOnQueue', () => {
  test('deletes a message only after its acknowledgement was put', async () => {
    const { clock, bus, queue, listen } = prepare();
    let outcomesAtDelete: string[] | undefined;
    queue.onDelete = () => (outcomesAtDelete = bus.outcomes);
    const listener = listen();
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 59_000);
    expect([bus.taken.length, queue.length]).toEqual([0, 1]);
    await pass(clock, 5_000);
    expect(outcomesAtDelete).toEqual(['loaded']);
    expect(queue.length).toBe(0);
    await listener.stop();
  });

  test('keeps a message hidden for as long as it is worked on, so that it is received once', async () => {
    const { clock, bus, queue, listen } = prepare({ visibilitySeconds: 10 });
    const listener = listen();
    queue.send(refreshEvent(clock.now()));
    for (let seconds = 0; seconds < 58; seconds++) {
      await pass(clock, 1_000);
      expect(queue.visible).toBe(0);
    }
    await pass(clock, 10_000);
    expect(bus.outcomes).toEqual(['loaded']);
    expect(queue.deadLetters).toEqual([]);
    await listener.stop();
  });

  test('works on a reminder while the first request still settles', async () => {
    const { clock, bus, queue, listen } = prepare();
    const listener = listen();
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 30_000);
    queue.send(refreshEvent(clock.now(), { taskToken: 'token-2' }));
    await pass(clock, 40_000);
    expect(bus.taken.map(({ ack }) => ack.taskToken).sort()).toEqual(['token-1', 'token-2']);
    await listener.stop();
  });

  test('leaves what it cannot handle to the dead-letter queue, and says why', async () => {
    const { clock, bus, queue, events, listen } = prepare();
    const listener = listen();
    queue.send('{"detail-type":"Secret Rotation Started"}');
    queue.send(refreshEvent(clock.now(), { consumer: 'billing' }));
    await pass(clock, 300_000);
    expect(queue.deadLetters).toHaveLength(2);
    expect(bus.calls).toBe(0);
    const errors = events.flatMap((event) => (event.type === 'request-failed' ? [event.error] : []));
    expect(new Set(errors)).toEqual(new Set(['RequestMalformed', 'RequestForeign']));
    await listener.stop();
  });

  test('hands in a message again whose acknowledgement could not be put', async () => {
    const { clock, bus, queue, listen } = prepare();
    const listener = listen();
    bus.failures.push(...Array.from({ length: 6 }, () => ({ thrown: 'ThrottlingException' })));
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 80_000);
    expect(queue.length).toBe(1);
    await pass(clock, 120_000);
    expect([bus.outcomes, queue.length]).toEqual([['loaded'], 0]);
    await listener.stop();
  });

  test('gives a request to the responder that it is for', async () => {
    const { clock, bus, queue, responder } = prepare();
    const listener = listenOnQueue({
      queueUrl: 'queue',
      responder: [responder('orders'), responder('billing')],
      sqs: queue,
      clock,
    });
    queue.send(refreshEvent(clock.now(), { consumer: 'billing' }));
    await pass(clock, 70_000);
    expect(bus.taken.map(({ ack }) => ack.consumer)).toEqual(['billing']);
    await listener.stop();
  });

  test('stops at once, gives unfinished messages back, and may be stopped again', async () => {
    const { clock, bus, queue, listen } = prepare();
    const listener = listen();
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 10_000);
    expect(queue.visible).toBe(0);
    await Promise.all([listener.stop(), listener.stop()]);
    expect([queue.visible, bus.calls]).toEqual([1, 0]);
    const { receives } = queue;
    await pass(clock, 600_000);
    expect(queue.receives).toBe(receives);
    await listener.stop();
  });

  test('stops by a signal too, and never starts where that was aborted before', async () => {
    const controller = new AbortController();
    const { clock, queue, listen } = prepare({ signal: controller.signal });
    const listener = listen();
    await pass(clock, 1_000);
    controller.abort();
    await listener.stop();
    const { receives } = queue;
    const late = listen();
    await late.stop();
    await pass(clock, 60_000);
    expect(queue.receives).toBe(receives);
  });

  test('survives a queue that cannot be read, with growing pauses', async () => {
    const { clock, bus, queue, events, listen } = prepare();
    queue.failure = 'AccessDenied';
    const listener = listen();
    await pass(clock, 60_000);
    expect(queue.receives).toBeLessThan(10);
    expect(events).toContainEqual({
      type: 'queue-failed',
      operation: 'ReceiveMessage',
      error: 'AccessDenied',
    });
    queue.failure = undefined;
    queue.send(refreshEvent(clock.now()));
    await pass(clock, 100_000);
    expect(bus.outcomes).toEqual(['loaded']);
    await listener.stop();
  });

  test('takes no more messages than it may work on at once', async () => {
    const { clock, bus, queue, listen } = prepare({ concurrency: 2 });
    const listener = listen();
    for (let number = 0; number < 5; number++)
      queue.send(refreshEvent(clock.now(), { taskToken: `token-${number}` }));
    await pass(clock, 30_000);
    expect(queue.visible).toBe(3);
    await pass(clock, 60_000);
    expect(bus.taken).toHaveLength(5);
    await listener.stop();
  });

  test('refuses options that cannot work', () => {
    expect(() => prepare({ concurrency: 0 }).listen()).toThrow(OptionInvalid);
    expect(() => prepare({ visibilitySeconds: 0 }).listen()).toThrow(OptionInvalid);
  });
});
