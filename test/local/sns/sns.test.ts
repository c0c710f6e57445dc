import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListTagsForResourceCommand,
  ListTopicsCommand,
  PublishCommand,
  SetSubscriptionAttributesCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Principal } from '../../../local/kernel/service';
import { ServiceError } from '../../../local/kernel/service';
import type { DeliveryOutcome } from '../../../local/sns/delivery';
import type { SnsService } from '../../../local/sns/sns-service';
import { createSns } from '../../../local/sns/sns-service';
import { createSqs } from '../../../local/sqs/sqs-service';
import { operator, roleKeys, settle, Stage } from '../gateway/stage';

const clock = new VirtualClock();
const stage = new Stage(clock);
const outcomes: DeliveryOutcome[] = [];
const published: string[] = [];
const invoked: { input: Readonly<Record<string, unknown>>; principal: Principal }[] = [];
/** Errors that the stand-in for Lambda answers before it accepts. */
const failures: ServiceError[] = [];
const keyUses: string[] = [];
let service: SnsService;
let sns: SNSClient;

beforeAll(async () => {
  await stage.start();
  const authorizeKeyUse = (_call: unknown, keyId: string, action: string, via: string) => {
    keyUses.push(`${action} ${keyId} ${via}`);
    if (keyId === 'forbidden') throw new ServiceError('AccessDeniedException', 'no');
  };
  service = createSns({
    surroundings: stage.surroundings,
    authorizeKeyUse,
    onPublish: (notification) => published.push(notification.message),
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  const sqs = createSqs({
    surroundings: stage.surroundings,
    endpoint: () => stage.endpoint,
    authorizeKeyUse,
  });
  stage.services.push(service, sqs, {
    id: 'lambda',
    operations: {
      async Invoke(input, call) {
        const failure = failures.shift();
        if (failure !== undefined) throw failure;
        invoked.push({ input, principal: call.principal });
        return { StatusCode: 202, Payload: '' };
      },
    },
  });
  sns = new SNSClient(stage.config());
});
afterAll(async () => {
  service.stop();
  await stage.stop();
});
beforeEach(() => {
  outcomes.length = 0;
  stage.refuses = () => false;
});

let count = 0;
async function newTopic(attributes: Record<string, string> = {}): Promise<string> {
  const answer = await sns.send(new CreateTopicCommand({ Name: `topic-${count++}`, Attributes: attributes }));
  return answer.TopicArn ?? '';
}

const as = { principal: operator };
async function newQueue(): Promise<string> {
  const name = `queue-${count++}`;
  await stage.surroundings.callService('sqs', 'CreateQueue', { QueueName: name }, as);
  return `arn:aws:sqs:us-east-1:111122223333:${name}`;
}

interface Received {
  readonly Body: string;
  readonly MessageAttributes?: object;
}

async function messagesIn(queueArn: string): Promise<readonly Received[]> {
  const QueueUrl = `http://any/111122223333/${queueArn.split(':').at(-1) ?? ''}`;
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
  const answer = await stage.surroundings.callService('sqs', 'ReceiveMessage', input, as);
  return 'Messages' in answer ? (answer.Messages as readonly Received[]) : [];
}

async function subscribe(
  TopicArn: string,
  Protocol: string,
  Endpoint: string,
  Attributes: Record<string, string> = {},
) {
  const command = new SubscribeCommand({
    TopicArn,
    Protocol,
    Endpoint,
    Attributes,
    ReturnSubscriptionArn: true,
  });
  return (await sns.send(command)).SubscriptionArn ?? '';
}

/** Lets deliveries go on, through all their waits on the clock. */
const settled = () => settle(clock, service.idle());

test('a queue gets the message in its envelope', async () => {
  const topic = await newTopic();
  const queue = await newQueue();
  const subscription = await subscribe(topic, 'sqs', queue);
  const { MessageId } = await sns.send(
    new PublishCommand({
      TopicArn: topic,
      Subject: 'News',
      Message: 'über',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'alert' } },
    }),
  );
  await settled();
  const [message] = await messagesIn(queue);
  expect(JSON.parse(message?.Body ?? '')).toEqual({
    Type: 'Notification',
    MessageId,
    TopicArn: topic,
    Subject: 'News',
    Message: 'über',
    Timestamp: new Date(clock.now()).toISOString(),
    SignatureVersion: '1',
    Signature: '',
    SigningCertURL: expect.stringMatching(/^https:\/\/sns\.us-east-1/) as string,
    UnsubscribeURL: expect.stringContaining(subscription) as string,
    MessageAttributes: { kind: { Type: 'String', Value: 'alert' } },
  });
  expect(outcomes).toMatchObject([{ subscriptionArn: subscription, outcome: 'delivered' }]);
  expect(published).toContain('über');
});

test('raw delivery leaves the envelope out and passes the attributes on', async () => {
  const topic = await newTopic();
  const queue = await newQueue();
  await subscribe(topic, 'sqs', queue, { RawMessageDelivery: 'true' });
  const MessageAttributes = { kind: { DataType: 'String', StringValue: 'alert' } };
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm', MessageAttributes }));
  await settled();
  expect(await messagesIn(queue)).toMatchObject([{ Body: 'm', MessageAttributes }]);
});

test('a function is invoked as an event, by SNS for this topic', async () => {
  const topic = await newTopic();
  const fn = 'arn:aws:lambda:us-east-1:111122223333:function:f';
  const subscription = await subscribe(topic, 'lambda', fn);
  stage.asked.length = 0;
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm' }));
  await settled();
  const last = invoked.at(-1);
  expect(last?.principal).toMatchObject({ kind: 'service', service: 'sns.amazonaws.com' });
  expect(last?.input).toMatchObject({ FunctionName: fn, InvocationType: 'Event' });
  expect(JSON.parse(String(last?.input['Payload']))).toMatchObject({
    Records: [
      {
        EventSource: 'aws:sns',
        EventSubscriptionArn: subscription,
        Sns: { Message: 'm', Subject: null, TopicArn: topic, MessageAttributes: {} },
      },
    ],
  });
});

test('MessageStructure json gives each protocol its own text', async () => {
  const topic = await newTopic();
  const queue = await newQueue();
  await subscribe(topic, 'sqs', queue, { RawMessageDelivery: 'true' });
  await subscribe(topic, 'email', 'oncall@example.com');
  await subscribe(topic, 'https', 'https://chat.example.com/hook', { RawMessageDelivery: 'true' });
  const Message = JSON.stringify({ default: 'all', email: 'for people', https: '{"version":"1.0"}' });
  await sns.send(new PublishCommand({ TopicArn: topic, Message, MessageStructure: 'json' }));
  await settled();
  expect(await messagesIn(queue)).toMatchObject([{ Body: 'all' }]);
  expect(service.outbox.filter((entry) => entry.topicArn === topic)).toMatchObject([
    {
      protocol: 'email',
      endpoint: 'oncall@example.com',
      subject: 'AWS Notification Message',
      body: 'for people',
    },
    { protocol: 'https', endpoint: 'https://chat.example.com/hook', body: '{"version":"1.0"}' },
  ]);
});

test('an HTTP endpoint on this machine gets a request', async () => {
  const seen: { headers: Record<string, unknown>; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const topic = await newTopic();
  await subscribe(topic, 'http', `http://127.0.0.1:${port}/hook`);
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm' }));
  await service.idle();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  expect(seen).toHaveLength(1);
  expect(seen[0]?.headers).toMatchObject({
    'x-amz-sns-message-type': 'Notification',
    'x-amz-sns-topic-arn': topic,
  });
  expect(JSON.parse(seen[0]?.body ?? '')).toMatchObject({ Type: 'Notification', Message: 'm' });
});

test('a delivery that is refused goes to the dead-letter queue at once', async () => {
  const topic = await newTopic();
  const queue = await newQueue();
  const dead = await newQueue();
  await subscribe(topic, 'sqs', queue, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead }) });
  stage.refuses = ({ resource, principal }) => resource === queue && principal.kind === 'service';
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm' }));
  await settled();
  expect(outcomes).toMatchObject([{ outcome: 'dead-lettered', errorCode: 'AccessDeniedException' }]);
  expect(await messagesIn(dead)).toHaveLength(1);
});

test('a delivery that fails for the moment is tried again', async () => {
  const topic = await newTopic();
  await subscribe(topic, 'lambda', 'arn:aws:lambda:us-east-1:111122223333:function:f');
  failures.push(
    ...Array.from({ length: 5 }, () => new ServiceError('TooManyRequestsException', 'busy', 429)),
  );
  const before = clock.now();
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm' }));
  await settled();
  expect(outcomes).toMatchObject([{ outcome: 'delivered' }]);
  expect(clock.now() - before).toBe(3000);
});

test('a delivery that never succeeds is dropped in the end', async () => {
  const topic = await newTopic();
  await subscribe(topic, 'lambda', 'arn:aws:lambda:us-east-1:111122223333:function:f');
  failures.push(...Array.from({ length: 15 }, () => new ServiceError('ServiceException', 'broken', 500)));
  await sns.send(new PublishCommand({ TopicArn: topic, Message: 'm' }));
  await settled();
  expect(outcomes).toMatchObject([{ outcome: 'dropped', errorCode: 'ServiceException' }]);
  expect(failures).toEqual([]);
});

test.each([
  [{ Message: '' }, 'Invalid parameter: Empty message'],
  [{ Message: 'x'.repeat(262_145) }, 'Invalid parameter: Message too long'],
  [{ Message: 'm', Subject: 'two\nlines' }, 'Invalid parameter: Subject'],
  [{ Message: 'm', Subject: 'x'.repeat(101) }, 'Invalid parameter: Subject'],
  [
    { Message: '{"email":"m"}', MessageStructure: 'json' },
    'Invalid parameter: Message Structure - No default entry in JSON message body',
  ],
  [
    { Message: 'm', MessageStructure: 'json' },
    'Invalid parameter: Message Structure - JSON message body failed to parse',
  ],
])('Publish refuses what AWS refuses, case %#', async (input, message) => {
  const TopicArn = await newTopic();
  const failure = sns.send(new PublishCommand({ TopicArn, ...input }));
  await expect(failure).rejects.toMatchObject({ name: 'InvalidParameterException', message });
});

test('a topic that does not exist is NotFound, and what is no ARN is InvalidParameter', async () => {
  const TopicArn = 'arn:aws:sns:us-east-1:111122223333:nowhere';
  await expect(sns.send(new PublishCommand({ TopicArn, Message: 'm' }))).rejects.toMatchObject({
    name: 'NotFoundException',
    message: 'Topic does not exist',
    $metadata: { httpStatusCode: 404 },
  });
  await expect(sns.send(new PublishCommand({ TopicArn: 'x', Message: 'm' }))).rejects.toMatchObject({
    message: 'Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
  });
});

test("a publisher's use of the topic's key is asked for, and refused by its own name", async () => {
  keyUses.length = 0;
  await sns.send(new PublishCommand({ TopicArn: await newTopic({ KmsMasterKeyId: 'key-1' }), Message: 'm' }));
  expect(keyUses).toEqual([
    'kms:GenerateDataKey key-1 sns.us-east-1.amazonaws.com',
    'kms:Decrypt key-1 sns.us-east-1.amazonaws.com',
  ]);
  const TopicArn = await newTopic({ KmsMasterKeyId: 'forbidden' });
  await expect(sns.send(new PublishCommand({ TopicArn, Message: 'm' }))).rejects.toMatchObject({
    name: 'KMSAccessDeniedException',
  });
});

test('the policy of the topic goes with the question, and a refusal is worded as SNS words it', async () => {
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });
  const TopicArn = await newTopic({ Policy });
  stage.refuses = ({ principal }) => principal.kind === 'role';
  stage.asked.length = 0;
  const refused = new SNSClient(stage.config(roleKeys)).send(new PublishCommand({ TopicArn, Message: 'm' }));
  await expect(refused).rejects.toMatchObject({
    name: 'AuthorizationErrorException',
    message: expect.stringContaining(
      `is not authorized to perform: SNS:Publish on resource: ${TopicArn}`,
    ) as string,
    $metadata: { httpStatusCode: 403 },
  });
  expect(stage.asked[0]?.resourcePolicy).toEqual(JSON.parse(Policy));
});

test('topics and subscriptions are described, listed, changed and ended', async () => {
  const { TopicArn = '' } = await sns.send(
    new CreateTopicCommand({
      Name: 'whole',
      Tags: [{ Key: 'team', Value: 'a' }],
      Attributes: { DisplayName: 'W' },
    }),
  );
  const again = await sns.send(new CreateTopicCommand({ Name: 'whole' }));
  expect(again.TopicArn).toBe(TopicArn);
  const subscription = await subscribe(TopicArn, 'email', 'a@example.com');
  expect(await subscribe(TopicArn, 'email', 'a@example.com')).toBe(subscription);
  const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
  expect(Attributes).toMatchObject({ DisplayName: 'W', SubscriptionsConfirmed: '1', Owner: '111122223333' });
  await sns.send(
    new SetTopicAttributesCommand({ TopicArn, AttributeName: 'DisplayName', AttributeValue: 'V' }),
  );
  await sns.send(
    new SetSubscriptionAttributesCommand({
      SubscriptionArn: subscription,
      AttributeName: 'RawMessageDelivery',
      AttributeValue: 'true',
    }),
  );
  const details = await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: subscription }));
  expect(details.Attributes).toMatchObject({ RawMessageDelivery: 'true', Endpoint: 'a@example.com' });
  const { Topics } = await sns.send(new ListTopicsCommand({}));
  expect(Topics).toContainEqual({ TopicArn });
  const { Tags } = await sns.send(new ListTagsForResourceCommand({ ResourceArn: TopicArn }));
  expect(Tags).toEqual([{ Key: 'team', Value: 'a' }]);
  await sns.send(new UnsubscribeCommand({ SubscriptionArn: subscription }));
  const { Subscriptions } = await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }));
  expect(Subscriptions ?? []).toEqual([]);
  await sns.send(new DeleteTopicCommand({ TopicArn }));
  await sns.send(new DeleteTopicCommand({ TopicArn }));
});

test('what is not implemented is refused by name', async () => {
  const TopicArn = await newTopic();
  await expect(sns.send(new CreateTopicCommand({ Name: 'a.fifo' }))).rejects.toThrow(/FIFO/);
  await expect(sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sms', Endpoint: '+1' }))).rejects.toThrow(
    'The embedded cloud does not implement subscriptions by sms.',
  );
  await expect(subscribe(TopicArn, 'email', 'a@example.com', { FilterPolicy: '{}' })).rejects.toThrow(
    /FilterPolicy/,
  );
  await expect(sns.send(new PublishCommand({ TopicArn, Message: 'm', MessageGroupId: 'g' }))).rejects.toThrow(
    'The embedded cloud does not implement Publish with MessageGroupId.',
  );
});
