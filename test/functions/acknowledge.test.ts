import './lambda-environment';
import type { EventBridgeEvent } from 'aws-lambda';
import { handler } from '../../functions/acknowledge';
import { AwsEndpoint } from './aws-endpoint';
import { collectLog, parsed } from './log-lines';

let aws: AwsEndpoint;
const log = collectLog();
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => {
  log.lines.length = 0;
  aws.clear();
  aws.waitingTokens.add('token-of-web');
});

const acknowledgement = {
  schemaVersion: '1',
  consumer: 'web',
  secret: { arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf', name: 'app' },
  versionId: 'v-token',
  taskToken: 'token-of-web',
  outcome: 'loaded',
  time: '2026-01-01T00:00:00Z',
};
const event = (detail: unknown): EventBridgeEvent<string, unknown> => ({
  id: 'event',
  version: '0',
  account: '444455556666',
  time: '2026-01-01T00:00:00Z',
  region: 'eu-central-1',
  resources: [],
  source: 'rotor.consumer',
  'detail-type': 'Secret Refresh Acknowledged',
  detail,
});
const send = (changes: object = {}) => handler(event({ ...acknowledgement, ...changes }));
const completion = () => {
  const [first] = aws.received;
  if (first === undefined) throw new Error('nothing was called');
  return first;
};

test('loaded completes the task with consumer, version and the account that EventBridge vouches for', async () => {
  await expect(send()).resolves.toEqual({ completed: true });
  const { operation, input } = completion();
  expect(operation).toBe('SendTaskSuccess');
  expect(JSON.parse(String(input['output']))).toEqual({
    consumer: 'web',
    versionId: 'v-token',
    account: '444455556666',
  });
});

test('an account that the sender writes into the detail counts for nothing', async () => {
  await send({ account: '111122223333' });
  expect(String(completion().input['output'])).toContain('444455556666');
  expect(String(completion().input['output'])).not.toContain('111122223333');
});

test('refused fails the task as ConsumerRefused, with the reason', async () => {
  await expect(send({ outcome: 'refused', reason: 'no pool' })).resolves.toEqual({ completed: true });
  const { operation, input } = completion();
  expect([operation, input['error']]).toEqual(['SendTaskFailure', 'ConsumerRefused']);
  expect(JSON.parse(String(input['cause']))).toEqual({
    consumer: 'web',
    versionId: 'v-token',
    account: '444455556666',
    reason: 'no pool',
  });
});

test('a refusal without a reason says that none was given', async () => {
  await send({ outcome: 'refused' });
  expect(String(completion().input['cause'])).toContain('no reason given');
});

test('a reason is cut to 256 characters, since history and alert carry it', async () => {
  await send({ outcome: 'refused', reason: 'x'.repeat(100_000) });
  expect(JSON.parse(String(completion().input['cause']))).toHaveProperty('reason', 'x'.repeat(256));
});

test('working keeps the task waiting', async () => {
  await expect(send({ outcome: 'working' })).resolves.toEqual({ completed: true });
  expect(completion().operation).toBe('SendTaskHeartbeat');
  await expect(send()).resolves.toEqual({ completed: true });
});

test.each(['loaded', 'refused', 'working'])(
  'an acknowledgement %s that comes twice is dropped the second time, without an error',
  async (outcome) => {
    await send();
    await expect(send({ outcome })).resolves.toEqual({ completed: false });
    expect(parsed(log.lines)[1]).toMatchObject({
      level: 'info',
      message: 'nobody waits for this acknowledgement',
    });
  },
);

test('an invented token is dropped without an error', async () => {
  await expect(send({ taskToken: 'invented' })).resolves.toEqual({ completed: false });
});

test.each([
  [null, ['']],
  ['text', ['']],
  [{ ...acknowledgement, outcome: 'maybe' }, ['outcome']],
  [{ ...acknowledgement, taskToken: undefined, secret: {} }, ['secret.arn', 'secret.name', 'taskToken']],
])('a malformed detail is dropped, its fields named, nothing called (%#)', async (detail, fields) => {
  await expect(handler(event(detail))).resolves.toEqual({ completed: false });
  expect(aws.received).toEqual([]);
  expect(parsed(log.lines)).toEqual([
    { level: 'warn', message: 'dropped a malformed acknowledgement', account: '444455556666', fields },
  ]);
});

test('a failure of Step Functions is thrown, so that Lambda tries again', async () => {
  aws.failNext('SendTaskSuccess', 'AccessDeniedException');
  await expect(send()).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('the log holds neither token nor reason', async () => {
  await send({ outcome: 'refused', reason: 'free text' });
  expect(log.lines.join('\n')).not.toMatch(/token-of-web|free text/);
});
