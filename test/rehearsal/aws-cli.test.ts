import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { consumerParameter, secretParameters } from '../../domain/names';
import { functionNames } from '../../infra/rotor-functions';
import { eventually } from './eventually';
import { secretId, StagedRehearsal } from './staged-rehearsal';

const run = promisify(execFile);
const installed = spawnSync('aws', ['--version'], { stdio: 'ignore', timeout: 120_000 }).status === 0;
if (!installed) console.info('The AWS CLI is not installed: the tests with it stand aside.');
const testWithCli = installed ? test : test.skip;

let stage: StagedRehearsal;
beforeAll(async () => {
  if (installed) stage = await StagedRehearsal.start({});
}, 400_000);
afterAll(async () => {
  if (installed) await stage.rehearsal.stop();
});

/** Runs a command with what `npm start` tells people to export, and reads its answer. */
async function aws<Answer extends object>(...words: readonly string[]): Promise<Answer> {
  const { endpoint, keys } = stage.rehearsal;
  // Version 1 of the command line knows no AWS_ENDPOINT_URL for SQS.
  const more = words[0] === 'sqs' ? ['--endpoint-url', endpoint] : [];
  const { stdout } = await run('aws', [...words, ...more, '--output', 'json'], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      AWS_ENDPOINT_URL: endpoint,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_MAX_ATTEMPTS: '1',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      // Whatever passes the endpoint by goes nowhere.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    },
  });
  return JSON.parse(stdout === '' ? '{}' : stdout) as Answer;
}

testWithCli('a rotation is asked for, followed and checked with the command line alone', async () => {
  const machine = stage.rehearsal.stateMachineArn;
  const before = await aws<{ VersionId: string }>(
    'secretsmanager',
    'get-secret-value',
    '--secret-id',
    secretId,
  );
  const { VersionId: token } = await aws<{ VersionId: string }>(
    'secretsmanager',
    'rotate-secret',
    '--secret-id',
    secretId,
  );
  interface List {
    readonly executions: readonly {
      readonly executionArn: string;
      readonly name: string;
      readonly status: string;
    }[];
  }
  let arn = '';
  await eventually('the execution succeeds', async () => {
    const { executions } = await aws<List>(
      'stepfunctions',
      'list-executions',
      '--state-machine-arn',
      machine,
    );
    const execution = executions.find(({ name }) => name.includes(token));
    arn = execution?.executionArn ?? '';
    return execution?.status === 'SUCCEEDED';
  });

  const described = await aws('stepfunctions', 'describe-execution', '--execution-arn', arn);
  expect(described).toMatchObject({ status: 'SUCCEEDED', stateMachineArn: machine });
  const { events } = await aws<{ events: readonly object[] }>(
    ...['stepfunctions', 'get-execution-history', '--execution-arn', arn],
  );
  expect(events.at(0)).toMatchObject({ type: 'ExecutionStarted' });
  expect(events.at(-1)).toMatchObject({ type: 'ExecutionSucceeded' });
  const secret = await aws<{ VersionIdsToStages: object }>(
    'secretsmanager',
    'describe-secret',
    '--secret-id',
    secretId,
  );
  expect(secret).toMatchObject({ Name: secretId, RotationEnabled: true });
  expect(secret.VersionIdsToStages).toMatchObject({
    // Secrets Manager takes AWSPENDING off it some time later.
    [token]: expect.arrayContaining(['AWSCURRENT']) as unknown,
    [before.VersionId]: ['AWSPREVIOUS'],
  });
  const after = await aws<{ SecretString: string }>(
    'secretsmanager',
    'get-secret-value',
    '--secret-id',
    secretId,
  );
  const session = await stage.rehearsal.target.login(after.SecretString, 'check');
  await session.close();
});

testWithCli('what the template has made is listed by each service', async () => {
  const path = secretParameters(secretId);
  const [secrets, machines, buses, rules, parameters, topics, queues, functions] = await Promise.all([
    aws<{ SecretList: { Name: string }[] }>('secretsmanager', 'list-secrets'),
    aws('stepfunctions', 'list-state-machines'),
    aws('events', 'list-event-buses'),
    aws<{ Rules: { EventPattern: string }[] }>('events', 'list-rules', '--event-bus-name', 'rotor'),
    aws<{ Parameters: { Name: string }[] }>('ssm', 'get-parameters-by-path', '--path', path, '--recursive'),
    aws<{ Topics: { TopicArn: string }[] }>('sns', 'list-topics'),
    aws<{ QueueUrls: string[] }>('sqs', 'list-queues'),
    aws<{ Functions: { FunctionName: string }[] }>('lambda', 'list-functions'),
  ]);
  expect(secrets.SecretList.map(({ Name }) => Name).sort()).toEqual(['example/app', 'example/app-admin']);
  expect(machines).toMatchObject({ stateMachines: [{ name: 'rotor-rotation', type: 'STANDARD' }] });
  expect(buses).toMatchObject({
    EventBuses: expect.arrayContaining([expect.objectContaining({ Name: 'rotor' })]) as unknown,
  });
  // One for acknowledgements and one a consumer.
  expect(rules.Rules.filter(({ EventPattern }) => EventPattern.includes('Secret Refresh'))).toHaveLength(4);
  expect(parameters.Parameters.map(({ Name }) => Name).sort()).toEqual([
    ...['billing', 'orders', 'reports'].map((consumer) => consumerParameter(secretId, consumer)),
    `${path}/policy`,
  ]);
  expect(topics.Topics.map(({ TopicArn }) => TopicArn)).toEqual([
    'arn:aws:sns:us-east-1:111122223333:rotor-alerts',
  ]);
  expect(queues.QueueUrls.length).toBeGreaterThanOrEqual(3);
  expect(
    functions.Functions.map(({ FunctionName }) => FunctionName)
      .filter((name) => name.startsWith('rotor-'))
      .sort(),
  ).toEqual(functionNames.map((name) => `rotor-${name}`).sort());
});

testWithCli('events, messages and invocations go through', async () => {
  const entry = { EventBusName: 'rotor', Source: 'somebody', DetailType: 'Something', Detail: '{"a":1}' };
  const [put, published, { QueueUrls: urls }] = await Promise.all([
    aws('events', 'put-events', '--entries', JSON.stringify([entry])),
    aws(
      'sns',
      'publish',
      '--topic-arn',
      'arn:aws:sns:us-east-1:111122223333:rotor-alerts',
      '--message',
      'a drill',
    ),
    aws<{ QueueUrls: string[] }>('sqs', 'list-queues'),
  ]);
  expect(put).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) as unknown }] });
  expect(published).toHaveProperty('MessageId');
  const [attributes, invoked] = await Promise.all([
    aws('sqs', 'get-queue-attributes', '--queue-url', urls[0] ?? '', '--attribute-names', 'All'),
    aws('lambda', 'invoke', '--function-name', 'rotor-plan', '--payload', '{}', '/dev/null'),
  ]);
  expect(attributes).toMatchObject({
    Attributes: { ApproximateNumberOfMessages: expect.any(String) as unknown },
  });
  // The plan does not understand an empty event, and says so as functions do.
  expect(invoked).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
});

testWithCli("a refusal reaches the command line under AWS's name, with AWS's words", async () => {
  const refused = aws('secretsmanager', 'get-secret-value', '--secret-id', 'nobody');
  await expect(refused).rejects.toMatchObject({
    stderr: expect.stringContaining(
      "An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret.",
    ) as unknown,
  });
});
