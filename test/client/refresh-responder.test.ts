import type { ClientEvent } from '../../client/client-event';
import { OptionInvalid } from '../../client/errors';
import { RefreshResponder, type RefreshResponderOptions } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import type { SecretMembers } from '../../client/secret-version';
import { VirtualClock } from '../../local/kernel/clock';
import { FakeEventBus } from './fake-event-bus';
import { FakeSecretsManager } from './fake-secrets-manager';
import { refreshEvent } from './refresh-event';
import { pass, passUntil, settled } from './virtual-time';

const oldPassword = 'old-password-1';
const newPassword = 'new-password-2';

/** A consumer that serves v1 while AWSCURRENT has just moved to v2. */
async function prepare(
  options: Partial<RefreshResponderOptions> = {},
  prove: (value: SecretMembers) => Promise<void> = async () => undefined,
) {
  const clock = new VirtualClock();
  const began = clock.now();
  const aws = new FakeSecretsManager(clock);
  const bus = new FakeEventBus();
  const events: ClientEvent[] = [];
  const on = (event: ClientEvent) => void events.push(event);
  const proofs: unknown[] = [];
  aws.put('v1', { username: 'app', password: oldPassword }, 'AWSCURRENT');
  const secret = RotatingSecret.json({
    secretId: 'shop/db',
    secretsManager: aws,
    clock,
    on,
    prove: async (value) => {
      proofs.push(value['username']);
      await prove(value);
    },
  });
  await secret.get();
  aws.put('v2', { username: 'app_clone', password: newPassword }, 'AWSCURRENT');
  const responder = new RefreshResponder({
    consumer: 'orders',
    secret,
    eventBridge: bus,
    clock,
    on,
    ...options,
  });
  const handle = (detail: Readonly<Record<string, unknown>> = {}) =>
    responder.handleRefreshRequest(refreshEvent(clock.now(), detail));
  return { clock, began, aws, bus, events, proofs, secret, responder, handle };
}

describe('a request', () => {
  test('is answered after the cache age, with the version that was loaded, proved and served', async () => {
    const { clock, began, bus, proofs, secret, handle } = await prepare();
    const answered = handle();
    await pass(clock, 59_999);
    expect((await secret.get()).versionId).toBe('v2');
    expect(bus.taken).toEqual([]);
    expect(await passUntil(clock, answered)).toEqual({ outcome: 'loaded', versionId: 'v2' });
    expect(clock.now()).toBe(began + 60_000);
    expect(proofs).toEqual(['app_clone']);
    expect(bus.taken).toEqual([
      {
        bus: 'rotor',
        source: 'rotor.consumer',
        ack: {
          schemaVersion: '1',
          consumer: 'orders',
          secret: {
            arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/db-AbCdEf',
            name: 'shop/db',
          },
          versionId: 'v2',
          taskToken: 'token-1',
          outcome: 'loaded',
          time: new Date(began + 60_000).toISOString(),
        },
      },
    ]);
  });

  test('of one instance alone is answered at once', async () => {
    const { clock, began, bus, handle } = await prepare({ instances: 'one' });
    await passUntil(clock, handle());
    expect(bus.outcomes).toEqual(['loaded']);
    expect(clock.now()).toBe(began);
  });

  test('is a hint: what AWSCURRENT names is loaded and acknowledged, not what the event names', async () => {
    const { clock, aws, bus, handle } = await prepare();
    aws.put('v3', { username: 'app', password: 'third-password' }, 'AWSCURRENT');
    await passUntil(clock, handle({ versionId: 'v2' }));
    expect(bus.taken.map(({ ack }) => ack.versionId)).toEqual(['v3']);
  });

  test('to verify proves the version under AWSPENDING at once, and goes on with the one that is current', async () => {
    const { clock, began, aws, secret, bus, proofs, handle } = await prepare();
    const served = (await secret.get()).versionId;
    aws.put('v3', { username: 'app', password: 'third-password' }, 'AWSPENDING');
    await passUntil(clock, handle({ phase: 'verify', versionId: 'v3' }));
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId])).toEqual([['loaded', 'v3']]);
    expect([clock.now(), (await secret.get()).versionId]).toEqual([began, served]);
    const proved = [...proofs];
    // What was verified is not proved again when the label has moved.
    aws.move('AWSPENDING', undefined);
    aws.move('AWSCURRENT', 'v3');
    await passUntil(clock, handle({ taskToken: 'token-2', versionId: 'v3' }));
    expect(bus.taken.at(-1)?.ack).toMatchObject({ outcome: 'loaded', versionId: 'v3' });
    expect(proofs).toEqual(proved);
  });

  test('to verify is refused for a version that does not work, and is an error where no label names it', async () => {
    const { clock, aws, secret, bus, handle } = await prepare({}, async ({ password }) => {
      if (password === 'bad') throw new Error('no entry');
    });
    const served = (await secret.get()).versionId;
    aws.put('v3', { username: 'app', password: 'bad' }, 'AWSPENDING');
    await passUntil(clock, handle({ phase: 'verify', versionId: 'v3' }));
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId])).toEqual([['refused', 'v3']]);
    expect((await secret.get()).versionId).toBe(served);
    await expect(
      passUntil(clock, handle({ taskToken: 'token-2', phase: 'verify', versionId: 'v9' })),
    ).rejects.toMatchObject({ name: 'SecretUnavailable' });
    expect(bus.taken).toHaveLength(1);
  });

  test('that arrives late and out of order strands nobody', async () => {
    const { clock, secret, bus, handle } = await prepare({ instances: 'one' });
    await passUntil(clock, handle({ taskToken: 'token-2' }));
    await passUntil(clock, handle({ versionId: 'v0', previousVersionId: 'v-1', rotationId: 'rotation-0' }));
    expect((await secret.get()).versionId).toBe('v2');
    expect(bus.taken.map(({ ack }) => [ack.taskToken, ack.versionId])).toEqual([
      ['token-2', 'v2'],
      ['token-1', 'v2'],
    ]);
  });

  test('whose label moves on while it settles is answered for the version that is current then', async () => {
    const { clock, began, aws, bus, secret, handle } = await prepare();
    const answered = handle();
    await pass(clock, 40_000);
    aws.move('AWSCURRENT', 'v1');
    expect(await passUntil(clock, answered)).toEqual({ outcome: 'loaded', versionId: 'v1' });
    expect(clock.now()).toBe(began + 120_000);
    expect(bus.taken.map(({ ack }) => ack.versionId)).toEqual(['v1']);
    expect((await secret.get()).versionId).toBe('v1');
  });

  test('without a token is loaded and not acknowledged', async () => {
    const { clock, bus, secret, handle } = await prepare();
    await passUntil(clock, handle({ taskToken: null, deadline: null }));
    expect((await secret.get()).versionId).toBe('v2');
    expect(bus.calls).toBe(0);
  });

  test('for a replica in another region is taken, one for another secret or consumer is not', async () => {
    const { clock, bus, handle, proofs } = await prepare({ instances: 'one' });
    const arn = (region: string, name: string) => ({
      name,
      arn: `arn:aws:secretsmanager:${region}:111122223333:secret:${name}-AbCdEf`,
    });
    await passUntil(clock, handle({ secret: arn('us-east-1', 'shop/db') }));
    expect(bus.outcomes).toEqual(['loaded']);
    await expect(handle({ taskToken: 't2', secret: arn('eu-central-1', 'other/db') })).rejects.toMatchObject({
      name: 'RequestForeign',
    });
    await expect(handle({ taskToken: 't3', consumer: 'billing' })).rejects.toMatchObject({
      name: 'RequestForeign',
      message: 'the request is for consumer billing, not orders',
    });
    expect(bus.outcomes).toEqual(['loaded']);
    expect(proofs).toHaveLength(1);
  });

  test.each([
    ['schemaVersion', '2'],
    ['phase', 'rehearse'],
    ['rotationId', ''],
    ['secret', 'shop/db'],
    ['secret', { arn: 'arn' }],
    ['versionId', 7],
    ['consumer', undefined],
    ['time', 'yesterday'],
    ['deadline', 'soon'],
    ['taskToken', 5],
  ])('with a wrong %s is refused by name and not acknowledged', async (member, value) => {
    const { bus, handle } = await prepare();
    const error: unknown = await handle({ [member]: value }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'RequestMalformed' });
    expect(String(error)).toContain(member);
    expect(bus.calls).toBe(0);
  });

  test.each(['not json', '[]', '"text"', '{"detail-type":"Secret Rotation Started"}', undefined, null, 5])(
    'that is %p is refused by name and not acknowledged',
    async (event) => {
      const { bus, responder } = await prepare();
      await expect(responder.handleRefreshRequest(event)).rejects.toMatchObject({ name: 'RequestMalformed' });
      expect(bus.calls).toBe(0);
    },
  );

  test('is left unanswered when the secret cannot be read, and can be handed in again', async () => {
    const { clock, aws, bus, handle } = await prepare();
    aws.failure = 'InternalServiceError';
    await expect(handle()).rejects.toMatchObject({ name: 'SecretUnavailable' });
    expect(bus.calls).toBe(0);
    aws.failure = undefined;
    expect(await passUntil(clock, handle())).toEqual({ outcome: 'loaded', versionId: 'v2' });
  });

  test('ends without an answer when its signal is aborted', async () => {
    const { clock, bus, responder } = await prepare();
    const controller = new AbortController();
    const answered = responder.handleRefreshRequest(refreshEvent(clock.now()), { signal: controller.signal });
    await pass(clock, 10_000);
    controller.abort(new Error('shutting down'));
    await expect(answered).rejects.toThrow('shutting down');
    await pass(clock, 900_000);
    expect(bus.calls).toBe(0);
  });
});

describe('a failed proof', () => {
  const refuseNew = async ({ password }: SecretMembers) => {
    if (password === newPassword) throw new Error(`permission denied with ${newPassword}`);
  };

  test('is acknowledged as refused at once, without the secret, and the old value stays', async () => {
    const { clock, bus, secret, handle, events } = await prepare({}, refuseNew);
    expect(await passUntil(clock, handle())).toEqual({ outcome: 'refused', versionId: 'v2' });
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId, ack.reason])).toEqual([
      ['refused', 'v2', 'Error: permission denied with [redacted]'],
    ]);
    expect(JSON.stringify([bus.taken, events])).not.toContain(newPassword);
    expect((await secret.get()).versionId).toBe('v1');
    await pass(clock, 3_600_000);
    expect((await secret.get()).versionId).toBe('v1');
  });

  test('that passes at a later attempt is no refusal', async () => {
    let attempts = 0;
    const { clock, bus, handle } = await prepare({}, async () => {
      if (++attempts < 3) throw new Error('connection reset');
    });
    await passUntil(clock, handle());
    expect(bus.outcomes).toEqual(['loaded']);
    expect(attempts).toBe(3);
  });

  test('of a version that AWSCURRENT no longer names is no refusal', async () => {
    const { clock, aws, bus, handle } = await prepare({}, async (value) => {
      if (value['password'] !== newPassword) return;
      aws.move('AWSCURRENT', 'v1');
      throw new Error('already taken back');
    });
    await passUntil(clock, handle());
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId])).toEqual([['loaded', 'v1']]);
  });

  test('and a rotation that goes back: the old version is acknowledged when it is asked for', async () => {
    const { clock, aws, bus, secret, handle } = await prepare({}, refuseNew);
    await passUntil(clock, handle());
    aws.move('AWSCURRENT', 'v1');
    await passUntil(clock, handle({ versionId: 'v1', previousVersionId: 'v2', taskToken: 'token-2' }));
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId])).toEqual([
      ['refused', 'v2'],
      ['loaded', 'v1'],
    ]);
    expect((await secret.get()).versionId).toBe('v1');
  });
});

describe('repeats', () => {
  test('a second delivery of a request is answered once', async () => {
    const { clock, bus, proofs, handle } = await prepare();
    const answers = [handle(), handle()];
    await passUntil(clock, Promise.all(answers));
    await passUntil(clock, handle());
    expect(bus.outcomes).toEqual(['loaded']);
    expect(proofs).toHaveLength(1);
  });

  test('a reminder during the work is answered with its own token, and nothing is done twice', async () => {
    const { clock, began, bus, proofs, handle } = await prepare();
    const first = handle();
    await pass(clock, 20_000);
    const reminder = handle({ taskToken: 'token-2' });
    await passUntil(clock, Promise.all([first, reminder]));
    expect(clock.now()).toBe(began + 60_000);
    expect(bus.taken.map(({ ack }) => ack.taskToken).sort()).toEqual(['token-1', 'token-2']);
    expect(proofs).toHaveLength(1);
  });

  test('a reminder during the proof waits for that proof', async () => {
    let finish: () => void = () => undefined;
    const { clock, bus, proofs, handle } = await prepare(
      { instances: 'one' },
      () => new Promise((resolve) => (finish = resolve)),
    );
    const answers = [handle(), handle({ taskToken: 'token-2' })];
    await pass(clock, 10_000);
    expect(bus.outcomes).toEqual([]);
    finish();
    await passUntil(clock, Promise.all(answers));
    expect(bus.outcomes).toEqual(['loaded', 'loaded']);
    expect(proofs).toHaveLength(1);
  });

  test('a reminder after the work is answered at once', async () => {
    const { clock, bus, proofs, handle } = await prepare();
    await passUntil(clock, handle());
    const asked = clock.now();
    await passUntil(clock, handle({ taskToken: 'token-2' }));
    expect(clock.now()).toBe(asked);
    expect(bus.outcomes).toEqual(['loaded', 'loaded']);
    expect(proofs).toHaveLength(1);
  });

  test('another rotation settles anew, since the label may have been elsewhere in between', async () => {
    const { clock, handle } = await prepare();
    await passUntil(clock, handle());
    const asked = clock.now();
    await passUntil(clock, handle({ taskToken: 'token-2', rotationId: 'rotation-2' }));
    expect(clock.now()).toBe(asked + 60_000);
  });
});

describe('long work', () => {
  test('is accompanied by working, each time before half of the deadline has passed', async () => {
    let finish: () => void = () => undefined;
    const { clock, began, bus, handle } = await prepare(
      { instances: 'one' },
      () => new Promise((resolve) => (finish = resolve)),
    );
    const answered = handle({ deadline: new Date(began + 30_000).toISOString() });
    await pass(clock, 29_000);
    finish();
    await passUntil(clock, answered);
    expect(bus.taken.map(({ ack }) => [ack.outcome, Date.parse(ack.time) - began])).toEqual([
      ['working', 12_000],
      ['working', 24_000],
      ['loaded', 29_000],
    ]);
    await pass(clock, 600_000);
    expect(bus.outcomes).toHaveLength(3);
  });

  test('a request that was long on its way is accompanied from before half of what is left', async () => {
    const { clock, began, bus, responder } = await prepare();
    const event = refreshEvent(began, { deadline: new Date(began + 30_000).toISOString() });
    await pass(clock, 20_000);
    await passUntil(clock, responder.handleRefreshRequest(event));
    const times = bus.taken.map(({ ack }) => Date.parse(ack.time) - began);
    expect(times.slice(0, 2)).toEqual([24_000, 36_000]);
    expect(bus.outcomes.at(-1)).toBe('loaded');
  });

  test('a heartbeat that cannot be put does not end the work', async () => {
    const { clock, began, bus, events, handle } = await prepare({ settleSeconds: 60 });
    bus.failures.push(...Array.from({ length: 6 }, () => ({ entry: 'ThrottlingException' })));
    await passUntil(clock, handle({ deadline: new Date(began + 100_000).toISOString() }));
    expect(events).toContainEqual({ type: 'acknowledgement-failed', error: 'AcknowledgementFailed' });
    expect(bus.outcomes).toEqual(['loaded']);
  });
});

describe('an acknowledgement that EventBridge does not take', () => {
  test('is repeated, be it a failed entry or a failed call', async () => {
    const { clock, bus, handle } = await prepare({ instances: 'one' });
    bus.failures.push({ entry: 'InternalFailure' }, { thrown: 'ThrottlingException' });
    await passUntil(clock, handle());
    expect(bus.calls).toBe(3);
    expect(bus.outcomes).toEqual(['loaded']);
  });

  test('ends in AcknowledgementFailed, and the request can be handed in again', async () => {
    const { clock, bus, proofs, handle } = await prepare({ instances: 'one' });
    bus.failures.push(...Array.from({ length: 6 }, () => ({ thrown: 'AccessDeniedException' })));
    await expect(passUntil(clock, handle())).rejects.toMatchObject({
      name: 'AcknowledgementFailed',
      message: 'bus rotor did not take the acknowledgement of orders: AccessDeniedException',
    });
    await passUntil(clock, handle());
    expect(bus.outcomes).toEqual(['loaded']);
    expect(proofs).toHaveLength(1);
  });
});

describe('options', () => {
  test('a settle time below the cache age is refused unless there is one instance', async () => {
    await expect(prepare({ settleSeconds: 59 })).rejects.toThrow(OptionInvalid);
    await expect(prepare({ settleSeconds: Number.NaN })).rejects.toThrow(OptionInvalid);
    const { responder } = await prepare({ settleSeconds: 5, instances: 'one' });
    expect(responder.settleMs).toBe(5_000);
  });

  test('a hook that throws disturbs nothing', async () => {
    const { clock, bus, handle } = await prepare({
      instances: 'one',
      on: () => {
        throw new Error('hook');
      },
    });
    await passUntil(clock, handle());
    await settled();
    expect(bus.outcomes).toEqual(['loaded']);
  });
});
