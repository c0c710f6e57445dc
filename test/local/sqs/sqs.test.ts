import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError } from '../../../local/kernel/service';
import { md5OfAttributes } from '../../../local/sqs/message-attributes';
import type { SqsService } from '../../../local/sqs/sqs-service';
import { createSqs } from '../../../local/sqs/sqs-service';
import { everyOperationAsks } from '../gateway/authorisation';
import { operator, pass, roleKeys, Stage } from '../gateway/stage';

const arn = (name: string) => `arn:aws:sqs:us-east-1:111122223333:${name}`;
const clock = new VirtualClock();
const stage = new Stage(clock);
const sent: string[] = [];
const keyUses: string[] = [];
let service: SqsService;
let sqs: SQSClient;

beforeAll(async () => {
  await stage.start();
  service = createSqs({
    surroundings: stage.surroundings,
    endpoint: () => stage.endpoint,
    authorizeKeyUse: (_call, keyId, action, via) => {
      keyUses.push(`${action} ${keyId} ${via}`);
      if (keyId === 'forbidden') throw new ServiceError('AccessDeniedException', 'no');
    },
    onMessage: (queueArn, message) => sent.push(`${queueArn} ${message.body}`),
  });
  stage.services.push(service);
  sqs = new SQSClient(stage.config());
});
afterAll(async () => {
  service.stop();
  await stage.stop();
});

let count = 0;
async function newQueue(attributes: Record<string, string> = {}): Promise<{ url: string; arn: string }> {
  const name = `queue-${count++}`;
  const { QueueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
  );
  return { url: QueueUrl, arn: arn(name) };
}

async function receive(url: string, more: object = {}) {
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: url, ...more }));
  return Messages;
}

const passSeconds = (seconds: number) => pass(clock, seconds * 1000);

test('a message is sent, received with checksums that the SDK verifies, and deleted', async () => {
  const { url, arn: queueArn } = await newQueue();
  const MessageAttributes = {
    'trace.id': { DataType: 'String', StringValue: 'ä' },
    'trace.blob': { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]) },
    other: { DataType: 'Number.int', StringValue: '5' },
  };
  const answer = await sqs.send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: 'grüße', MessageAttributes }),
  );
  expect(answer.MD5OfMessageBody).toBe('fee40dc24d0ad6a90c608052aa4e9e66');
  expect(sent).toContain(`${queueArn} grüße`);
  const [message] = await receive(url, {
    MessageAttributeNames: ['trace.*'],
    MessageSystemAttributeNames: ['All'],
  });
  expect(message?.Body).toBe('grüße');
  expect(Object.keys(message?.MessageAttributes ?? {}).sort()).toEqual(['trace.blob', 'trace.id']);
  expect(message?.Attributes).toEqual({
    SenderId: operator.kind === 'operator' && operator.arn,
    SentTimestamp: String(clock.now()),
    ApproximateReceiveCount: '1',
    ApproximateFirstReceiveTimestamp: String(clock.now()),
  });
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: message?.ReceiptHandle }));
  passSeconds(60);
  expect(await receive(url)).toEqual([]);
});

test('the checksum over attributes is the one that AWS answers', () => {
  const timestamp = { DataType: 'Number', StringValue: '1493147359900' };
  expect(md5OfAttributes({ timestamp })).toBe('235c5c510d26fb653d073faed50ae77c');
});

test('a received message is out of sight until its visibility timeout ends', async () => {
  const { url } = await newQueue({ VisibilityTimeout: '40' });
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  expect(await receive(url)).toHaveLength(1);
  passSeconds(39);
  expect(await receive(url)).toHaveLength(0);
  passSeconds(1);
  expect(await receive(url)).toHaveLength(1);
});

test('the handle of an earlier receive deletes nothing', async () => {
  const { url } = await newQueue();
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  const [first] = await receive(url, { VisibilityTimeout: 1 });
  passSeconds(2);
  await receive(url, { VisibilityTimeout: 1 });
  await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }));
  passSeconds(2);
  expect(await receive(url)).toHaveLength(1);
});

test('a long poll ends with the message that arrives during it', async () => {
  const { url } = await newQueue();
  const poll = receive(url, { WaitTimeSeconds: 20 });
  const { url: other } = await newQueue();
  await sqs.send(new SendMessageCommand({ QueueUrl: other, MessageBody: 'elsewhere' }));
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'late' }));
  expect((await poll).map((message) => message.Body)).toEqual(['late']);
});

test('a long poll without a message ends after its time on the clock', async () => {
  const { url } = await newQueue();
  const began = clock.now();
  const poll = stage.surroundings.callService(
    'sqs',
    'ReceiveMessage',
    { QueueUrl: url, WaitTimeSeconds: 20 },
    { principal: operator },
  );
  await Promise.resolve();
  while (clock.advance());
  expect(await poll).toEqual({});
  expect(clock.now() - began).toBe(20_000);
});

test('a delayed message is not visible before its time', async () => {
  const { url } = await newQueue();
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm', DelaySeconds: 5 }));
  expect(await receive(url)).toEqual([]);
  passSeconds(5);
  expect(await receive(url)).toHaveLength(1);
});

test('a message received too often moves to the dead-letter queue and says whence', async () => {
  const dead = await newQueue();
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
  const { url, arn: source } = await newQueue({ RedrivePolicy, VisibilityTimeout: '1' });
  const { MessageId } = await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'poison' }));
  for (let round = 0; round < 2; round++) {
    expect(await receive(url)).toHaveLength(1);
    passSeconds(2);
  }
  expect(await receive(url)).toEqual([]);
  const [message] = await receive(dead.url, { MessageSystemAttributeNames: ['DeadLetterQueueSourceArn'] });
  expect(message).toMatchObject({
    MessageId,
    Body: 'poison',
    Attributes: { DeadLetterQueueSourceArn: source },
  });
});

test('a message is gone when its retention period ends', async () => {
  const { url } = await newQueue({ MessageRetentionPeriod: '60' });
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  passSeconds(60);
  expect(await receive(url)).toEqual([]);
});

test('batches report each entry by itself', async () => {
  const { url } = await newQueue();
  const { Successful, Failed } = await sqs.send(
    new SendMessageBatchCommand({
      QueueUrl: url,
      Entries: [
        { Id: 'a', MessageBody: '1' },
        { Id: 'b', MessageBody: '2', DelaySeconds: 901 },
      ],
    }),
  );
  expect(Successful?.map(({ Id }) => Id)).toEqual(['a']);
  expect(Failed).toEqual([
    {
      Id: 'b',
      Code: 'InvalidParameterValue',
      Message:
        'Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.',
      SenderFault: true,
    },
  ]);
  const deleted = await sqs.send(
    new DeleteMessageBatchCommand({ QueueUrl: url, Entries: [{ Id: 'a', ReceiptHandle: 'nonsense' }] }),
  );
  expect(deleted.Failed?.[0]?.Code).toBe('ReceiptHandleIsInvalid');
});

test('attributes are counted, set, taken away and refused by name', async () => {
  const { url, arn: queueArn } = await newQueue();
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });
  await sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy: policy, DelaySeconds: '3' } }),
  );
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
  );
  expect(Attributes).toMatchObject({
    QueueArn: queueArn,
    Policy: policy,
    DelaySeconds: '3',
    VisibilityTimeout: '30',
    ApproximateNumberOfMessages: '0',
    ApproximateNumberOfMessagesDelayed: '1',
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Policy: '' } }));
  const after = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['Policy'] }));
  expect(after.Attributes).toBeUndefined();
  const wrong = sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { Colour: 'red' } as Record<string, string> }),
  );
  await expect(wrong).rejects.toMatchObject({
    name: 'InvalidAttributeName',
    message: 'Unknown Attribute Colour.',
  });
});

test('creating a queue again finds it, and refuses other attributes', async () => {
  await sqs.send(new CreateQueueCommand({ QueueName: 'again', Attributes: { VisibilityTimeout: '7' } }));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'again' }));
  expect(QueueUrl).toBe(`${stage.endpoint}/111122223333/again`);
  const other = sqs.send(
    new CreateQueueCommand({ QueueName: 'again', Attributes: { VisibilityTimeout: '8' } }),
  );
  await expect(other).rejects.toMatchObject({ name: 'QueueNameExists' });
});

test('a queue is found whatever host its URL names', async () => {
  await newQueue();
  const { QueueUrls } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix: 'queue-0' }));
  expect(QueueUrls).toEqual([`${stage.endpoint}/111122223333/queue-0`]);
  const call = stage.surroundings.callService(
    'sqs',
    'GetQueueAttributes',
    { QueueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/queue-0', AttributeNames: ['QueueArn'] },
    { principal: operator },
  );
  expect(await call).toEqual({ Attributes: { QueueArn: arn('queue-0') } });
});

test('FIFO queues and parameters that are not implemented are refused by name', async () => {
  await expect(sqs.send(new CreateQueueCommand({ QueueName: 'a.fifo' }))).rejects.toThrow(/FIFO/);
  const { url } = await newQueue();
  await expect(
    sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm', MessageGroupId: 'g' })),
  ).rejects.toThrow('The embedded cloud does not implement SendMessage with MessageGroupId.');
});

test("a sender's and a receiver's use of the queue's key is asked for", async () => {
  const { url } = await newQueue({ KmsMasterKeyId: 'key-1' });
  keyUses.length = 0;
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  await receive(url);
  expect(keyUses).toEqual([
    'kms:GenerateDataKey key-1 sqs.us-east-1.amazonaws.com',
    'kms:Decrypt key-1 sqs.us-east-1.amazonaws.com',
    'kms:Decrypt key-1 sqs.us-east-1.amazonaws.com',
  ]);
  const closed = await newQueue({ KmsMasterKeyId: 'forbidden' });
  await expect(
    sqs.send(new SendMessageCommand({ QueueUrl: closed.url, MessageBody: 'm' })),
  ).rejects.toMatchObject({ name: 'KmsAccessDenied' });
});

test('the policy of the queue goes with the question, and a refusal is worded as SQS words it', async () => {
  const policy = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'sqs:*' }] };
  const { url } = await newQueue({ Policy: JSON.stringify(policy) });
  stage.asked.length = 0;
  await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }));
  expect(stage.asked[0]).toMatchObject({ action: 'sqs:SendMessage', resourcePolicy: policy });
  stage.refuses = ({ principal }) => principal.kind === 'role';
  const refused = new SQSClient(stage.config(roleKeys)).send(
    new SendMessageCommand({ QueueUrl: url, MessageBody: 'm' }),
  );
  await expect(refused).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringContaining('is not authorized to perform: sqs:sendmessage on resource') as string,
  });
  stage.refuses = () => false;
});

test('a queue that does not exist is named as AWS names it', async () => {
  await expect(sqs.send(new GetQueueUrlCommand({ QueueName: 'nowhere' }))).rejects.toMatchObject({
    name: 'QueueDoesNotExist',
    message: 'The specified queue does not exist.',
  });
});

const onProbe = { QueueUrl: 'http://any/111122223333/probe' };
const probe = (action: string, input: object = {}, resource = arn('probe')) => ({
  input: { ...onProbe, ...input },
  action: `sqs:${action}`,
  resource,
});
everyOperationAsks(
  stage,
  () => service,
  'AccessDeniedException',
  {
    CreateQueue: { ...probe('CreateQueue'), input: { QueueName: 'probe' } },
    DeleteQueue: probe('DeleteQueue'),
    GetQueueUrl: { ...probe('GetQueueUrl'), input: { QueueName: 'probe' } },
    GetQueueAttributes: probe('GetQueueAttributes'),
    SetQueueAttributes: probe('SetQueueAttributes', { Attributes: {} }),
    ListQueues: { ...probe('ListQueues', {}, '*'), input: {} },
    PurgeQueue: probe('PurgeQueue'),
    SendMessage: probe('SendMessage', { MessageBody: 'm' }),
    SendMessageBatch: probe('SendMessage', { Entries: [{ Id: 'a', MessageBody: 'm' }] }),
    ReceiveMessage: probe('ReceiveMessage'),
    DeleteMessage: probe('DeleteMessage', { ReceiptHandle: 'h' }),
    DeleteMessageBatch: probe('DeleteMessage', { Entries: [{ Id: 'a', ReceiptHandle: 'h' }] }),
    ChangeMessageVisibility: probe('ChangeMessageVisibility', { ReceiptHandle: 'h', VisibilityTimeout: 1 }),
    ChangeMessageVisibilityBatch: probe('ChangeMessageVisibility', {
      Entries: [{ Id: 'a', ReceiptHandle: 'h', VisibilityTimeout: 1 }],
    }),
  },
  async () => {
    await sqs.send(new CreateQueueCommand({ QueueName: 'probe' }));
  },
);
