import { lambdaContext } from './lambda-environment';
import { handler } from '../../functions/alert';
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
});

const incident = {
  kind: 'failed',
  mode: 'rotate',
  executionArn: 'arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:app-1',
  secret: { arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf', name: 'app' },
  state: 'AskWave',
  error: 'ConsumerSilent',
  cause: 'no word from web',
  outcome: 'kept',
  current: 'v-token',
  previous: 'v-previous',
  token: 'v-token',
  held: 'v-previous',
  notes: [],
};
const alert = (changes: object = {}) => handler({ ...incident, ...changes }, lambdaContext('alert'));

test('it publishes once, to the topic of its environment, and answers with the message id', async () => {
  await expect(alert()).resolves.toEqual({ messageId: 'message-1' });
  expect(
    aws.received.map(({ operation, input }) => [operation, input['TopicArn'], input['MessageStructure']]),
  ).toEqual([['Publish', 'arn:aws:sns:eu-central-1:111122223333:rotor-alerts', 'json']]);
});

test('people get text, chat gets its schema, and a telephone the subject', async () => {
  await alert();
  const { Subject: subject, Message: message } = aws.received[0]?.input ?? {};
  const forms = JSON.parse(String(message)) as Readonly<Record<string, string>>;
  expect(Object.keys(forms).sort()).toEqual(['default', 'email', 'sms']);
  expect(forms['sms']).toBe(subject);
  expect(forms['email']).toMatch(/^A secret rotation did not succeed\.\n/);
  expect(forms['email']).toContain('https://example.org/errors.md#consumersilent');
  expect(JSON.parse(forms['default'] ?? '')).toMatchObject({ version: '1.0', source: 'custom' });
});

test('what nobody could find out is null and still makes an alert', async () => {
  await expect(
    alert({ current: null, previous: null, held: null, outcome: 'revert-failed' }),
  ).resolves.toEqual({
    messageId: 'message-1',
  });
});

test.each([
  [{ notes: [['nested']] }, 'notes.0'],
  [{ outcome: 'lost' }, 'outcome'],
  [{ secret: 'app' }, 'secret'],
])(
  'an input with %j is refused by its field, so that the workflow falls back to a plain message',
  async (changes, field) => {
    await expect(alert(changes)).rejects.toMatchObject({
      name: 'InvocationMalformed',
      message: `alert: wrong or missing: ${field}`,
    });
    expect(aws.received).toEqual([]);
  },
);

test('the log names state and nothing of the cause', async () => {
  await alert();
  expect(parsed(log.lines)).toEqual([
    { level: 'info', message: 'done', function: 'alert', state: 'AskWave', ms: expect.any(Number) as number },
  ]);
});
