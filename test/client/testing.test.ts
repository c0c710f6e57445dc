import { readFileSync } from 'node:fs';
import path from 'node:path';
import { lambdaHandler } from '../../client/lambda-handler';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { FakeOrchestrator, FakeSecret } from '../../client/testing';
import { eventSchemas } from '../../domain/events';
import { VirtualClock } from '../../local/kernel/clock';
import { publishedSchemas } from '../contract/published-schemas';
import { passUntil } from './virtual-time';

/** An application that works with passwords which begin with `good`, as a user's own test would set it up. */
function prepare() {
  const clock = new VirtualClock();
  const shelf = new FakeSecret('shop/db');
  const rotor = new FakeOrchestrator(shelf, clock);
  const first = shelf.put({ username: 'app', password: 'good-1' });
  const secret = RotatingSecret.json({
    secretId: 'shop/db',
    secretsManager: shelf,
    clock,
    prove: async ({ password }) => {
      if (!String(password).startsWith('good')) throw new Error('no entry');
    },
  });
  const responder = new RefreshResponder({
    consumer: 'orders',
    secret,
    instances: 'one',
    eventBridge: rotor,
    clock,
  });
  const handle = (event: unknown) => responder.handleRefreshRequest(event);
  return { clock, shelf, rotor, first, secret, responder, handle };
}

describe('the test double for applications', () => {
  test('asks, and keeps what is acknowledged', async () => {
    const { shelf, rotor, secret, handle } = prepare();
    await secret.get();
    const versionId = shelf.put({ username: 'app_clone', password: 'good-2' });
    expect(await rotor.ask('orders', handle)).toMatchObject([{ outcome: 'loaded', versionId }]);
    expect((await secret.get()).versionId).toBe(versionId);
  });

  test('shows a refusal, after which the application works on with the version before', async () => {
    const { clock, shelf, rotor, first, secret, handle } = prepare();
    await secret.get();
    const versionId = shelf.put({ password: 'bad' });
    const answers = await passUntil(clock, rotor.ask('orders', handle));
    expect(answers).toMatchObject([{ outcome: 'refused', versionId, reason: 'Error: no entry' }]);
    expect((await secret.get()).versionId).toBe(first);
  });

  test('asks a Lambda handler the same way, and wants no answer where it says so', async () => {
    const { rotor, responder } = prepare();
    const handler = lambdaHandler(responder);
    expect(await rotor.ask('orders', handler)).toHaveLength(1);
    await handler(rotor.request('orders', { isAwaited: false }));
    expect(rotor.acknowledgements).toHaveLength(1);
  });

  test('has an AWSPENDING to bridge with, and fails as it is told', async () => {
    const { shelf, rotor, secret, clock, handle } = prepare();
    await secret.get();
    const pending = shelf.put({ password: 'good-2' }, 'AWSPENDING');
    expect((await secret.onRefused(shelf.versionId() ?? ''))?.versionId).toBe(pending);
    shelf.failure = 'InternalServiceError';
    await expect(secret.refresh()).rejects.toMatchObject({ name: 'SecretUnavailable' });
    shelf.failure = undefined;
    rotor.failure = 'ThrottlingException';
    await expect(passUntil(clock, rotor.ask('orders', handle))).rejects.toMatchObject({
      name: 'AcknowledgementFailed',
    });
  });

  test('speaks as Rotor does', () => {
    const { rotor } = prepare();
    const event = rotor.request('orders', { deadlineSeconds: 5 });
    expect(publishedSchemas().faults(event)).toEqual([]);
    expect(eventSchemas['Secret Refresh Requested'].safeParse(Reflect.get(event, 'detail')).success).toBe(
      true,
    );
  });

  test('hears of answers that nobody asked for', async () => {
    const { rotor } = prepare();
    const entry = {
      EventBusName: 'rotor',
      Source: 'rotor.consumer',
      DetailType: 'Secret Refresh Acknowledged',
      Detail: '{"taskToken":"made up"}',
    };
    await expect(rotor.putEvents({ Entries: [entry] })).rejects.toThrow('no request of this orchestrator');
    await expect(rotor.putEvents({ Entries: [{ ...entry, Source: 'rotor' }] })).rejects.toThrow(
      'Acknowledged from rotor',
    );
  });

  test('needs no test runner and no AWS', () => {
    const text = readFileSync(path.join(__dirname, '../../client/testing.ts'), 'utf8');
    expect([...text.matchAll(/from '([^']+)'/g)].map(([, name]) => name)).toEqual([
      'node:crypto',
      './clock',
      './ports',
    ]);
  });
});
