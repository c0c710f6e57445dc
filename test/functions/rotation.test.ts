import { lambdaContext } from './lambda-environment';
import { handler } from '../../functions/rotation';
import { AwsEndpoint, type StoredSecret } from './aws-endpoint';
import { collectLog } from './log-lines';

let aws: AwsEndpoint;
let secret: StoredSecret;
const log = collectLog();
const rotationToken = 'rotation-token-that-nobody-may-see-0123456789';
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => {
  log.lines.length = 0;
  aws.clear();
  secret = aws.keep('app', { old: ['AWSCURRENT'], new: ['AWSPENDING'] }, { old: 'a' });
});

const step = (Step: string, changes: object = {}) =>
  handler(
    { Step, SecretId: secret.arn, ClientRequestToken: 'new', RotationToken: rotationToken, ...changes },
    lambdaContext('rotation'),
  );

test('the four steps of Secrets Manager drive one execution to its end', async () => {
  aws.onStart = () => secret.values.set('new', 'b');
  await step('createSecret');
  await step('setSecret');
  await step('testSecret');
  secret.labels = { old: ['AWSPREVIOUS'], new: ['AWSCURRENT', 'AWSPENDING'] };
  await step('finishSecret');
  expect(aws.executions.size).toBe(1);
  expect(aws.operations().filter((operation) => operation === 'PutSecretValue')).toEqual([]);
});

test('RotationToken goes nowhere: neither into the execution, nor a request, nor the log', async () => {
  aws.onStart = () => secret.values.set('new', 'b');
  await step('createSecret');
  await step('finishSecret', { ClientRequestToken: 'unknown' }).catch(() => undefined);
  expect(JSON.stringify([aws.received, [...aws.executions], log.lines])).not.toContain(rotationToken);
});

test('waiting is told apart from work by the user agent', async () => {
  aws.onStart = () => secret.values.set('new', 'b');
  await step('createSecret');
  const agents = aws.received
    .filter(({ operation }) => /Secret/.test(operation))
    .map(({ operation, userAgent }) => [operation, /app\/(\S+)/.exec(userAgent)?.[1]]);
  expect(agents).toEqual([
    ['DescribeSecret', 'rotor'],
    ['GetSecretValue', 'rotor-waiting'],
  ]);
});

test.each([
  [{ Step: 'dropSecret' }],
  [{ ClientRequestToken: undefined }],
  [{ SecretId: 'app' }],
  [{ task: 'CreateSecret', Step: undefined }],
])('an invocation with %j is refused before anything is called', async (changes) => {
  await expect(step('createSecret', changes)).rejects.toMatchObject({ name: 'InvocationMalformed' });
  expect(aws.received).toEqual([]);
});
