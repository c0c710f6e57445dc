import {
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
} from '@aws-sdk/client-lambda';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  CreatePlatformApplicationCommand,
  GetTopicAttributesCommand,
  PublishCommand,
  SNSClient,
} from '@aws-sdk/client-sns';
import { SQSClient, GetQueueUrlCommand } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { maximumBodyBytes } from '../../../local/gateway/http-message';
import type { Call, Service } from '../../../local/kernel/service';
import { ServiceError } from '../../../local/kernel/service';
import { operator, role, roleKeys, Stage } from './stage';

/** Operations that answer a fixed output and keep what they were given. */
class Recorder {
  input: Readonly<Record<string, unknown>> = {};
  call: Call | undefined;

  service(id: string, operations: Readonly<Record<string, object | Error>>): Service {
    return {
      id,
      operations: Object.fromEntries(
        Object.entries(operations).map(([name, output]) => [
          name,
          async (input: Readonly<Record<string, unknown>>, call: Call) => {
            this.input = input;
            this.call = call;
            if (output instanceof Error) throw output;
            return output;
          },
        ]),
      ),
    };
  }
}

const created = new Date('2026-11-24T10:00:00.250Z');
const recorder = new Recorder();
const stage = new Stage();

beforeAll(async () => {
  stage.services.push(
    recorder.service('secretsmanager', {
      DescribeSecret: { ARN: 'arn:1', CreatedDate: created, VersionIdsToStages: { v1: ['AWSCURRENT'] } },
      GetSecretValue: new ServiceError(
        'ResourceNotFoundException',
        "Secrets Manager can't find the specified secret.",
      ),
      PutSecretValue: new Error('the value is hunter2'),
    }),
    recorder.service('sfn', { DescribeExecution: { status: 'RUNNING', startDate: created } }),
    recorder.service('ssm', { GetParameter: { Parameter: { Name: '/a', LastModifiedDate: created } } }),
    recorder.service('sqs', {
      GetQueueUrl: new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.'),
    }),
    recorder.service('sns', {
      Publish: { MessageId: 'm-1' },
      GetTopicAttributes: { Attributes: { Policy: '{"a":"<&>\\n"}', DisplayName: '' } },
    }),
    recorder.service('sts', {
      GetCallerIdentity: { Account: '111122223333', Arn: operator.kind, UserId: 'u' },
      AssumeRole: {
        Credentials: { AccessKeyId: 'A', SecretAccessKey: 'S', SessionToken: 'T', Expiration: created },
      },
    }),
    recorder.service('lambda', {
      Invoke: {
        StatusCode: 200,
        FunctionError: 'Unhandled',
        ExecutedVersion: '$LATEST',
        Payload: '{"a":"ä"}',
      },
      GetFunction: { Configuration: { FunctionName: 'f' } },
      ListFunctions: { Functions: [{ FunctionName: 'f' }] },
    }),
  );
  await stage.start();
});
afterAll(() => stage.stop());
beforeEach(() => stage.journal.clear());

test('JSON answers carry dates that the SDK reads as dates', async () => {
  const answer = await new SecretsManagerClient(stage.config()).send(
    new DescribeSecretCommand({ SecretId: 'a' }),
  );
  expect(answer.CreatedDate).toEqual(created);
  expect(answer.VersionIdsToStages).toEqual({ v1: ['AWSCURRENT'] });
  expect(recorder.input).toEqual({ SecretId: 'a' });
  expect(recorder.call?.principal).toEqual(operator);
});

test('Step Functions and Parameter Store are reached by their own targets', async () => {
  const execution = await new SFNClient(stage.config()).send(
    new DescribeExecutionCommand({ executionArn: 'e' }),
  );
  expect(execution.startDate).toEqual(created);
  const { Parameter } = await new SSMClient(stage.config()).send(new GetParameterCommand({ Name: '/a' }));
  expect(Parameter?.LastModifiedDate).toEqual(created);
});

test('an error reaches the SDK with its name, message and status', async () => {
  const failure = new SecretsManagerClient(stage.config()).send(
    new GetSecretValueCommand({ SecretId: 'none' }),
  );
  await expect(failure).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: "Secrets Manager can't find the specified secret.",
    $metadata: { httpStatusCode: 400 },
  });
});

test('a queue error keeps the name from before SQS spoke JSON', async () => {
  const failure = new SQSClient(stage.config()).send(new GetQueueUrlCommand({ QueueName: 'none' }));
  await expect(failure).rejects.toMatchObject({
    name: 'QueueDoesNotExist',
    Code: 'AWS.SimpleQueueService.NonExistentQueue',
    Type: 'Sender',
  });
});

test('an unexpected error is answered as InternalFailure without its text', async () => {
  const failure = new SecretsManagerClient(stage.config()).send(
    new PutSecretValueCommand({ SecretId: 'a', SecretString: 'b' }),
  );
  await expect(failure).rejects.toMatchObject({
    name: 'InternalFailure',
    $metadata: { httpStatusCode: 500 },
  });
  await expect(failure).rejects.not.toThrow(/hunter2/);
  expect(stage.defects.map(String)).toEqual(['Error: the value is hunter2']);
});

test('an operation that nothing implements is refused by service and name', async () => {
  const failure = new SNSClient(stage.config()).send(
    new CreatePlatformApplicationCommand({ Name: 'p', Platform: 'GCM', Attributes: {} }),
  );
  await expect(failure).rejects.toMatchObject({
    name: 'UnsupportedOperation',
    message: 'The embedded cloud does not implement sns:CreatePlatformApplication.',
  });
});

test('an operation named like a member of every object is refused', async () => {
  const call = stage.surroundings.callService('sns', 'constructor', {}, { principal: operator });
  await expect(call).rejects.toMatchObject({ code: 'UnsupportedOperation' });
});

test('query requests arrive with their maps and structures', async () => {
  const answer = await new SNSClient(stage.config()).send(
    new PublishCommand({
      TopicArn: 'arn:t',
      Message: 'line\nä & <b>',
      MessageAttributes: {
        one: { DataType: 'String', StringValue: '1' },
        two: { DataType: 'Binary', BinaryValue: Buffer.from('2') },
      },
    }),
  );
  expect(answer.MessageId).toBe('m-1');
  expect(recorder.input).toEqual({
    TopicArn: 'arn:t',
    Message: 'line\nä & <b>',
    MessageAttributes: {
      one: { DataType: 'String', StringValue: '1' },
      two: { DataType: 'Binary', BinaryValue: 'Mg==' },
    },
  });
});

test('query answers carry maps, dates and characters that XML escapes', async () => {
  const { Attributes } = await new SNSClient(stage.config()).send(
    new GetTopicAttributesCommand({ TopicArn: 't' }),
  );
  expect(Attributes).toEqual({ Policy: '{"a":"<&>\\n"}', DisplayName: '' });
  const sts = new STSClient(stage.config());
  const { Credentials } = await sts.send(
    new AssumeRoleCommand({
      RoleArn: 'r'.repeat(20),
      RoleSessionName: 's',
      DurationSeconds: 900,
      Tags: [{ Key: 'k', Value: 'v' }],
    }),
  );
  expect(Credentials?.Expiration).toEqual(created);
  expect(recorder.input).toMatchObject({ DurationSeconds: 900, Tags: [{ Key: 'k', Value: 'v' }] });
});

test('Lambda is invoked with a raw payload and answers one with its error header', async () => {
  const lambda = new LambdaClient(stage.config());
  const answer = await lambda.send(
    new InvokeCommand({ FunctionName: 'arn:aws:lambda:us-east-1:1:function:f', Payload: '{"b":"ö"}' }),
  );
  expect(recorder.input).toEqual({
    FunctionName: 'arn:aws:lambda:us-east-1:1:function:f',
    Payload: '{"b":"ö"}',
  });
  expect(answer.FunctionError).toBe('Unhandled');
  expect(answer.ExecutedVersion).toBe('$LATEST');
  expect(Buffer.from(answer.Payload ?? []).toString()).toBe('{"a":"ä"}');
  expect((await lambda.send(new GetFunctionCommand({ FunctionName: 'f' }))).Configuration?.FunctionName).toBe(
    'f',
  );
  expect((await lambda.send(new ListFunctionsCommand({}))).Functions).toHaveLength(1);
});

test('an access key that nobody holds is refused in the words of each protocol', async () => {
  const strange = stage.config({ accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' });
  await expect(
    new SecretsManagerClient(strange).send(new DescribeSecretCommand({ SecretId: 'a' })),
  ).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
  await expect(new STSClient(strange).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
    $metadata: { httpStatusCode: 403 },
  });
  expect(stage.journal.entries.map(({ principalArn, errorCode }) => [principalArn, errorCode])).toEqual([
    ['unidentified', 'UnrecognizedClientException'],
    ['unidentified', 'InvalidClientTokenId'],
  ]);
});

test('a request signed with another secret is refused', async () => {
  const forged = stage.config({ ...roleKeys, secretAccessKey: 'guessed' });
  await expect(
    new SecretsManagerClient(forged).send(new DescribeSecretCommand({ SecretId: 'a' })),
  ).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  await expect(new SNSClient(forged).send(new PublishCommand({ Message: 'm' }))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
  });
});

test('temporary keys without their session token are refused', async () => {
  const { accessKeyId, secretAccessKey } = roleKeys;
  const client = new SecretsManagerClient(stage.config({ accessKeyId, secretAccessKey }));
  await expect(client.send(new DescribeSecretCommand({ SecretId: 'a' }))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  });
});

test('a request without a signature is refused', async () => {
  const answer = await fetch(stage.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
    body: '{}',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
});

test('a body beyond the limit is refused and the connection closed', async () => {
  const answer = await fetch(stage.endpoint, {
    method: 'POST',
    body: Buffer.alloc(maximumBodyBytes + 1),
  }).catch((error: unknown) => error);
  // The answer may arrive before the client has sent everything, which some clients report as a broken connection.
  if (answer instanceof Response) expect(answer.status).toBe(413);
  else expect(answer).toBeInstanceOf(TypeError);
  expect(stage.journal.entries).toEqual([]);
});

test.each([
  ['{"SecretString":"hunter2', 'The body is not JSON.'],
  ['["hunter2"]', 'The body is not a JSON object.'],
])(
  'a signed body that is no JSON object is refused without being repeated, case %#',
  async (body, message) => {
    const client = new SecretsManagerClient(stage.config());
    // Before the request is signed, so that the signature fits what is sent.
    client.middlewareStack.add(
      (next) => (args) => {
        if (typeof args.request === 'object' && args.request !== null) Object.assign(args.request, { body });
        return next(args);
      },
      { step: 'serialize', priority: 'low' },
    );
    const failure = client.send(new DescribeSecretCommand({ SecretId: 'a' }));
    await expect(failure).rejects.toMatchObject({ name: 'SerializationException', message });
  },
);

test('the journal names caller, role, operation, user agent and error of every call, and no input', async () => {
  const client = new SecretsManagerClient({ ...stage.config(roleKeys), userAgentAppId: 'rotor-waiting' });
  await client.send(new DescribeSecretCommand({ SecretId: 'the-input' }));
  await client.send(new GetSecretValueCommand({ SecretId: 'the-input' })).catch(() => undefined);
  expect(stage.journal.entries).toEqual([
    {
      at: expect.any(Number) as number,
      principalArn: role.kind === 'role' && role.arn,
      roleArn: role.kind === 'role' && role.roleArn,
      service: 'secretsmanager',
      operation: 'DescribeSecret',
      userAgent: expect.stringContaining('app/rotor-waiting') as string,
    },
    expect.objectContaining({ operation: 'GetSecretValue', errorCode: 'ResourceNotFoundException' }),
  ]);
  expect(stage.journal.count()).toEqual({ secretsmanager: { DescribeSecret: 1, GetSecretValue: 1 } });
  expect(JSON.stringify(stage.journal.entries)).not.toContain('the-input');
});

test('a call in process stands in the same journal under its own principal', async () => {
  const principal = { kind: 'service', service: 'events.amazonaws.com', account: '111122223333' } as const;
  await stage.surroundings.callService(
    'sns',
    'Publish',
    {},
    { principal, conditions: { 'aws:SourceArn': 'r' } },
  );
  expect(recorder.call?.conditions).toEqual({ 'aws:SourceArn': 'r' });
  expect(stage.journal.entries).toMatchObject([
    { principalArn: 'events.amazonaws.com', service: 'sns', operation: 'Publish' },
  ]);
});
