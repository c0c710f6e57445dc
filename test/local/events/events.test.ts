import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeArchiveCommand,
  DescribeEventBusCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  ListArchivesCommand,
  ListEventBusesCommand,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemovePermissionCommand,
  RemoveTargetsCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import type { PutEventsRequestEntry, Target } from '@aws-sdk/client-eventbridge';
import type { DeliveryOutcome } from '../../../local/events/delivery';
import type { Event } from '../../../local/events/event';
import type { EventsService } from '../../../local/events/events-service';
import { createEvents } from '../../../local/events/events-service';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError } from '../../../local/kernel/service';
import { createSns } from '../../../local/sns/sns-service';
import { createSqs } from '../../../local/sqs/sqs-service';
import { operator, role, roleKeys, settle, Stage } from '../gateway/stage';

const arn = (resource: string) => `arn:aws:events:us-east-1:111122223333:${resource}`;
const clock = new VirtualClock();
const stage = new Stage(clock);
const accepted: Event[] = [];
const outcomes: DeliveryOutcome[] = [];
const topicMessages: string[] = [];
/** What the stand-in for Lambda answers before it accepts. */
const failures: ServiceError[] = [];
const invoked: Readonly<Record<string, unknown>>[] = [];
let service: EventsService;
let events: EventBridgeClient;

beforeAll(async () => {
  await stage.start();
  const { surroundings } = stage;
  const allowed = { surroundings, authorizeKeyUse: () => undefined };
  service = createEvents({
    surroundings,
    assumeRole: (roleArn) => {
      if (roleArn.endsWith('/untrusting'))
        throw new ServiceError('AccessDenied', 'the role does not trust you');
      return role;
    },
    random: () => 1,
    observer: {
      accepted: (event) => accepted.push(event),
      ended: (outcome) => outcomes.push(outcome),
    },
  });
  stage.services.push(
    service,
    createSqs({ ...allowed, endpoint: () => stage.endpoint }),
    createSns({ ...allowed, onPublish: (notification) => topicMessages.push(notification.message) }),
    {
      id: 'lambda',
      operations: {
        async Invoke(input) {
          const failure = failures.shift();
          if (failure !== undefined) throw failure;
          invoked.push(input);
          return { StatusCode: 202, Payload: '' };
        },
      },
    },
  );
  events = new EventBridgeClient(stage.config());
});
afterAll(async () => {
  service.stop();
  await stage.stop();
});
beforeEach(() => {
  outcomes.length = accepted.length = stage.asked.length = failures.length = 0;
  stage.refuses = () => false;
});

let count = 0;
const unique = (name: string) => `${name}-${count++}`;
const as = { principal: operator };

async function newQueue(): Promise<string> {
  const QueueName = unique('queue');
  await stage.surroundings.callService('sqs', 'CreateQueue', { QueueName }, as);
  return `arn:aws:sqs:us-east-1:111122223333:${QueueName}`;
}

interface Received {
  readonly Body: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly StringValue: string }>>;
}

async function messagesIn(queueArn: string): Promise<readonly Received[]> {
  const QueueUrl = `http://any/111122223333/${queueArn.split(':').at(-1) ?? ''}`;
  const input = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] };
  const answer = await stage.surroundings.callService('sqs', 'ReceiveMessage', input, as);
  return 'Messages' in answer ? (answer.Messages as readonly Received[]) : [];
}

/** A bus of its own with one rule, so that no test sees another's events. */
async function newBus(pattern: object, ...targets: readonly Target[]): Promise<string> {
  const Name = unique('bus');
  await events.send(new CreateEventBusCommand({ Name }));
  await events.send(
    new PutRuleCommand({ Name: 'rule', EventBusName: Name, EventPattern: JSON.stringify(pattern) }),
  );
  if (targets.length > 0)
    await events.send(new PutTargetsCommand({ Rule: 'rule', EventBusName: Name, Targets: [...targets] }));
  return Name;
}

const entry = (EventBusName: string, more: PutEventsRequestEntry = {}) => ({
  Source: 'app',
  DetailType: 'Thing Happened',
  Detail: '{"name":"a"}',
  EventBusName,
  ...more,
});

const put = (...Entries: PutEventsRequestEntry[]) => events.send(new PutEventsCommand({ Entries }));

/** Lets deliveries go on, through all their waits on the clock. */
const settled = () => settle(clock, service.idle());

const anything = { source: [{ prefix: '' }] };

test('an event reaches the queue of a rule that it fits, in the envelope of EventBridge', async () => {
  const queue = await newQueue();
  const bus = await newBus({ source: ['app'], detail: { name: ['a'] } }, { Id: 'q', Arn: queue });
  const time = new Date('2026-02-03T04:05:06.789Z');
  const answer = await put(
    entry(bus, { Resources: ['arn:r'], Time: time }),
    entry(bus, { Detail: '{"name":"b"}' }),
    entry(bus, { Source: 'other' }),
  );
  expect(answer.FailedEntryCount).toBe(0);
  await settled();
  const messages = await messagesIn(queue);
  expect(messages.map((message) => JSON.parse(message.Body) as unknown)).toEqual([
    {
      version: '0',
      id: answer.Entries?.[0]?.EventId,
      'detail-type': 'Thing Happened',
      source: 'app',
      account: '111122223333',
      time: '2026-02-03T04:05:06Z',
      region: 'us-east-1',
      resources: ['arn:r'],
      detail: { name: 'a' },
    },
  ]);
  expect(accepted).toHaveLength(3);
  expect(outcomes).toMatchObject([{ outcome: 'delivered', attempts: 1, ruleArn: arn(`rule/${bus}/rule`) }]);
});

test('functions and topics are targets, each by its own operation as EventBridge for this rule', async () => {
  const topic = await stage.surroundings.callService('sns', 'CreateTopic', { Name: unique('topic') }, as);
  const TopicArn = 'TopicArn' in topic ? String(topic.TopicArn) : '';
  const fn = 'arn:aws:lambda:us-east-1:111122223333:function:f';
  const bus = await newBus(
    anything,
    { Id: 'f', Arn: fn, InputPath: '$.detail' },
    { Id: 't', Arn: TopicArn, Input: '"constant"' },
  );
  stage.asked.length = 0;
  await put(entry(bus));
  await settled();
  expect(invoked.at(-1)).toEqual({ FunctionName: fn, InvocationType: 'Event', Payload: '{"name":"a"}' });
  expect(topicMessages.at(-1)).toBe('"constant"');
  const asked = stage.asked.find(({ action }) => action === 'sns:Publish');
  expect(asked?.principal).toMatchObject({ kind: 'service', service: 'events.amazonaws.com' });
  expect(asked?.call.conditions).toEqual({
    'aws:SourceArn': arn(`rule/${bus}/rule`),
    'aws:SourceAccount': '111122223333',
  });
});

test('a target bus gets the same event, put there by the role of the target', async () => {
  const queue = await newQueue();
  const second = await newBus(anything, { Id: 'q', Arn: queue });
  const RoleArn = 'arn:aws:iam::111122223333:role/forwarder';
  const first = await newBus(anything, { Id: 'b', Arn: arn(`event-bus/${second}`), RoleArn });
  const { Entries } = await put(entry(first));
  await settled();
  const [message] = await messagesIn(queue);
  expect(JSON.parse(message?.Body ?? '')).toMatchObject({ id: Entries?.[0]?.EventId, source: 'app' });
  expect(stage.asked).toContainEqual(
    expect.objectContaining({
      action: 'events:PutEvents',
      resource: arn(`event-bus/${second}`),
      principal: role,
      conditions: {
        'events:source': 'app',
        'events:detail-type': 'Thing Happened',
        'events:eventBusInvocation': 'true',
      },
    }),
  );
});

test('an event that came from another bus goes to no third one, not even back to the first', async () => {
  const RoleArn = 'arn:aws:iam::111122223333:role/forwarder';
  const first = await newBus(anything);
  const second = await newBus(anything, { Id: 'b', Arn: arn(`event-bus/${first}`), RoleArn });
  const Targets = [{ Id: 'b', Arn: arn(`event-bus/${second}`), RoleArn }];
  await events.send(new PutTargetsCommand({ Rule: 'rule', EventBusName: first, Targets }));
  await put(entry(first));
  await settled();
  expect(accepted).toHaveLength(2);
  expect(outcomes.at(-1)).toMatchObject({ outcome: 'dropped', errorCode: 'THIRD_ACCOUNT_HOP_DETECTED' });
});

test.each([
  ['an input of its own', { Input: '{}' }],
  ['a part of the event', { InputPath: '$.detail' }],
  ['a retry policy', { RetryPolicy: { MaximumRetryAttempts: 3 } }],
])('a target bus with %s is refused', async (_name, settings) => {
  const RoleArn = 'arn:aws:iam::111122223333:role/forwarder';
  const target = { Id: 'b', Arn: arn('event-bus/default'), RoleArn, ...settings };
  await expect(newBus(anything, target)).rejects.toThrow(/is not supported for target/);
});

test('a bus is no target of its own rule, and what another account owns no target but a bus', async () => {
  const bus = await newBus(anything);
  const putTarget = (target: Partial<Target>) =>
    events.send(
      new PutTargetsCommand({ Rule: 'rule', EventBusName: bus, Targets: [{ Id: 'b', Arn: '', ...target }] }),
    );
  const RoleArn = 'arn:aws:iam::111122223333:role/forwarder';
  await expect(putTarget({ Arn: arn(`event-bus/${bus}`), RoleArn })).rejects.toThrow(/its own rule/);
  await expect(putTarget({ Arn: 'arn:aws:sqs:us-east-1:444455556666:queue' })).rejects.toThrow(
    /does not implement PutTargets with targets of other accounts/,
  );
});

test('a role that cannot be assumed is a failure without a second attempt', async () => {
  const bus = await newBus(anything, {
    Id: 'b',
    Arn: arn('event-bus/default'),
    RoleArn: 'arn:aws:iam::111122223333:role/untrusting',
  });
  await put(entry(bus));
  await settled();
  expect(outcomes).toMatchObject([{ outcome: 'dropped', errorCode: 'FAILED_TO_ASSUME_ROLE', attempts: 1 }]);
});

test('a missing permission sends the event to the dead-letter queue at once, with the reason', async () => {
  const [queue, dead] = [await newQueue(), await newQueue()];
  const bus = await newBus(anything, { Id: 'q', Arn: queue, DeadLetterConfig: { Arn: dead } });
  stage.refuses = ({ resource, principal }) => resource === queue && principal.kind === 'service';
  await put(entry(bus));
  await settled();
  const [message] = await messagesIn(dead);
  expect(JSON.parse(message?.Body ?? '')).toMatchObject({ source: 'app', detail: { name: 'a' } });
  const attributes = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
    name,
    StringValue,
  ]);
  expect(Object.fromEntries(attributes)).toEqual({
    RULE_ARN: arn(`rule/${bus}/rule`),
    TARGET_ARN: queue,
    ERROR_CODE: 'NO_PERMISSIONS',
    ERROR_MESSAGE: expect.stringContaining('events.amazonaws.com is not authorized') as string,
  });
  expect(outcomes).toMatchObject([{ outcome: 'dead-lettered', attempts: 1 }]);
});

test('a target that does not exist sends the event to the dead-letter queue at once', async () => {
  const dead = await newQueue();
  const Arn = 'arn:aws:sqs:us-east-1:111122223333:nowhere';
  const bus = await newBus(anything, { Id: 'q', Arn, DeadLetterConfig: { Arn: dead } });
  await put(entry(bus));
  await settled();
  const [message] = await messagesIn(dead);
  expect(message?.MessageAttributes?.['ERROR_CODE']?.StringValue).toBe('NO_RESOURCE');
});

const fn = 'arn:aws:lambda:us-east-1:111122223333:function:f';
const busy = () => new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429);

test('a target that is busy is tried again, with growing delays on the clock', async () => {
  const bus = await newBus(anything, { Id: 'f', Arn: fn });
  failures.push(busy(), busy(), busy());
  const before = clock.now();
  await put(entry(bus));
  await settled();
  expect(outcomes).toMatchObject([{ outcome: 'delivered', attempts: 4 }]);
  expect(clock.now() - before).toBe(7000);
});

test('attempts end with the retry policy, and the dead letter says how many there were', async () => {
  const dead = await newQueue();
  const bus = await newBus(anything, {
    Id: 'f',
    Arn: fn,
    DeadLetterConfig: { Arn: dead },
    RetryPolicy: { MaximumRetryAttempts: 2 },
  });
  failures.push(busy(), busy(), busy(), busy());
  await put(entry(bus));
  await settled();
  expect(failures).toHaveLength(1);
  const [message] = await messagesIn(dead);
  expect(message?.MessageAttributes).toMatchObject({
    ERROR_CODE: { StringValue: 'THROTTLING' },
    EXHAUSTED_RETRY_CONDITION: { StringValue: 'MaximumRetryAttempts' },
    RETRY_ATTEMPTS: { StringValue: '2' },
  });
});

test('attempts end with the age of the event', async () => {
  const bus = await newBus(anything, { Id: 'f', Arn: fn, RetryPolicy: { MaximumEventAgeInSeconds: 60 } });
  failures.push(...Array.from({ length: 20 }, busy));
  await put(entry(bus));
  await settled();
  // 1 + 2 + 4 + 8 + 16 s have passed at the sixth attempt; the next would be after 63 s.
  expect(outcomes).toMatchObject([{ outcome: 'dropped', attempts: 6, errorCode: 'THROTTLING' }]);
});

test('each entry of PutEvents is refused by itself', async () => {
  const bus = await newBus(anything);
  const answer = await put(
    entry(bus, { Source: '' }),
    entry(bus, { Detail: 'no json' }),
    entry(bus, { Detail: '[1]' }),
    entry(bus, { Source: 'aws.secretsmanager' }),
    entry(bus),
  );
  expect(answer.FailedEntryCount).toBe(4);
  expect(answer.Entries?.map((one) => one.ErrorCode)).toEqual([
    'InvalidArgument',
    'MalformedDetail',
    'MalformedDetail',
    'NotAuthorizedForSource',
    undefined,
  ]);
});

test('an event for a bus that does not exist is answered with an id and dropped', async () => {
  const answer = await put(entry('nowhere'));
  expect(answer.Entries?.[0]?.EventId).toMatch(/^[0-9a-f-]{36}$/);
  expect(accepted).toEqual([]);
});

test('more than ten entries, none, or more than a megabyte are refused whole', async () => {
  const bus = await newBus(anything);
  await expect(put(...Array.from({ length: 11 }, () => entry(bus)))).rejects.toThrow(
    /less than or equal to 10/,
  );
  await expect(put()).rejects.toThrow(/greater than or equal to 1/);
  const Detail = JSON.stringify({ text: 'x'.repeat(600_000) });
  await expect(put(entry(bus, { Detail }), entry(bus, { Detail }))).rejects.toThrow(
    'Total size of the entries in the request is over the limit.',
  );
});

test('PutEvents asks for every entry by bus, source and detail-type, with the policy of the bus', async () => {
  const bus = await newBus(anything);
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: 's', Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: '*' }],
  });
  await events.send(new PutPermissionCommand({ EventBusName: bus, Policy }));
  stage.asked.length = 0;
  await put(entry(bus), entry(bus, { Source: 'second' }));
  expect(stage.asked).toMatchObject([
    {
      action: 'events:PutEvents',
      resource: arn(`event-bus/${bus}`),
      resourcePolicy: JSON.parse(Policy) as object,
      conditions: { 'events:source': 'app', 'events:detail-type': 'Thing Happened' },
    },
    { conditions: { 'events:source': 'second' } },
  ]);
  stage.refuses = ({ conditions }) => conditions?.['events:source'] === 'rotor';
  const forged = new EventBridgeClient(stage.config(roleKeys)).send(
    new PutEventsCommand({ Entries: [entry(bus), entry(bus, { Source: 'rotor' })] }),
  );
  await expect(forged).rejects.toMatchObject({ name: 'AccessDeniedException' });
  expect(accepted).toHaveLength(2);
});

test('permissions are added and removed by statement', async () => {
  const bus = await newBus(anything);
  const permit = (StatementId: string, Principal: string) =>
    events.send(
      new PutPermissionCommand({ EventBusName: bus, StatementId, Principal, Action: 'events:PutEvents' }),
    );
  await permit('one', '444455556666');
  await permit('two', '*');
  await events.send(new RemovePermissionCommand({ EventBusName: bus, StatementId: 'two' }));
  const { Policy = '' } = await events.send(new DescribeEventBusCommand({ Name: bus }));
  expect(JSON.parse(Policy)).toMatchObject({
    Statement: [{ Sid: 'one', Principal: { AWS: 'arn:aws:iam::444455556666:root' } }],
  });
  const missing = events.send(new RemovePermissionCommand({ EventBusName: bus, StatementId: 'two' }));
  await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('rules and targets are described, listed, changed and removed', async () => {
  const queue = await newQueue();
  const bus = await newBus(anything, { Id: 'q', Arn: queue });
  const described = await events.send(new DescribeRuleCommand({ Name: 'rule', EventBusName: bus }));
  expect(described).toMatchObject({
    State: 'ENABLED',
    EventBusName: bus,
    EventPattern: JSON.stringify(anything),
  });
  const listed = await events.send(new ListRulesCommand({ EventBusName: bus }));
  expect(listed.Rules?.map((rule) => rule.Arn)).toEqual([arn(`rule/${bus}/rule`)]);
  const named = await events.send(new ListRuleNamesByTargetCommand({ TargetArn: queue, EventBusName: bus }));
  expect(named.RuleNames).toEqual(['rule']);
  const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: 'rule', EventBusName: bus }));
  expect(Targets).toEqual([{ Id: 'q', Arn: queue }]);

  await events.send(new DisableRuleCommand({ Name: 'rule', EventBusName: bus }));
  await put(entry(bus));
  await settled();
  expect(outcomes).toEqual([]);

  const full = events.send(new DeleteRuleCommand({ Name: 'rule', EventBusName: bus }));
  await expect(full).rejects.toThrow("Rule can't be deleted since it has targets.");
  const removed = await events.send(
    new RemoveTargetsCommand({ Rule: 'rule', EventBusName: bus, Ids: ['q', 'other'] }),
  );
  expect(removed).toMatchObject({ FailedEntryCount: 1, FailedEntries: [{ TargetId: 'other' }] });
  await events.send(new DeleteRuleCommand({ Name: 'rule', EventBusName: bus }));
  await expect(
    events.send(new DescribeRuleCommand({ Name: 'rule', EventBusName: bus })),
  ).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('an archive keeps the events that fit its pattern, and no others', async () => {
  const bus = await newBus(anything);
  const ArchiveName = unique('archive');
  await events.send(
    new CreateArchiveCommand({
      ArchiveName,
      EventSourceArn: arn(`event-bus/${bus}`),
      EventPattern: JSON.stringify({ 'detail-type': [{ 'anything-but': 'Secret Refresh Requested' }] }),
      RetentionDays: 30,
    }),
  );
  await put(entry(bus), entry(bus, { DetailType: 'Secret Refresh Requested', Detail: '{"taskToken":"t"}' }));
  const archive = await events.send(new DescribeArchiveCommand({ ArchiveName }));
  expect(archive).toMatchObject({ EventCount: 1, State: 'ENABLED', RetentionDays: 30 });
  expect(service.archived()[ArchiveName]).toMatchObject([{ 'detail-type': 'Thing Happened' }]);
  const { Archives } = await events.send(new ListArchivesCommand({ NamePrefix: ArchiveName }));
  expect(Archives).toHaveLength(1);
});

test("an AWS service's event goes to the default bus, whose rules have ARNs without a bus", async () => {
  const queue = await newQueue();
  const { RuleArn } = await events.send(
    new PutRuleCommand({ Name: 'label', EventPattern: '{"source":["aws.secretsmanager"]}' }),
  );
  expect(RuleArn).toBe(arn('rule/label'));
  await events.send(new PutTargetsCommand({ Rule: 'label', Targets: [{ Id: 'q', Arn: queue }] }));
  service.publish({
    source: 'aws.secretsmanager',
    detailType: 'Secret Label Updated',
    resources: ['arn:secret'],
    detail: { labelUpdated: 'AWSCURRENT' },
  });
  await settled();
  expect(await messagesIn(queue)).toHaveLength(1);
  const { EventBuses } = await events.send(new ListEventBusesCommand({ NamePrefix: 'default' }));
  expect(EventBuses?.map((bus) => bus.Arn)).toEqual([arn('event-bus/default')]);
});

test('TestEventPattern says whether an event fits', async () => {
  const event = {
    id: '1',
    account: '1',
    source: 'app',
    time: 't',
    region: 'r',
    resources: [],
    'detail-type': 'd',
  };
  const ask = (EventPattern: string) =>
    events.send(new TestEventPatternCommand({ EventPattern, Event: JSON.stringify(event) }));
  expect((await ask('{"source":["app"]}')).Result).toBe(true);
  expect((await ask('{"source":["other"]}')).Result).toBe(false);
  await expect(ask('{"source":[{"like":"a"}]}')).rejects.toMatchObject({
    name: 'InvalidEventPatternException',
  });
});

test('what is not implemented is refused by name', async () => {
  const bus = await newBus(anything);
  await expect(
    events.send(new PutRuleCommand({ Name: 'r', EventBusName: bus, ScheduleExpression: 'rate(1 day)' })),
  ).rejects.toThrow('The embedded cloud does not implement PutRule with ScheduleExpression.');
  const target = (more: Partial<Target>) =>
    events.send(
      new PutTargetsCommand({
        Rule: 'rule',
        EventBusName: bus,
        Targets: [{ Id: 't', Arn: 'arn:aws:sqs:us-east-1:111122223333:q', ...more }],
      }),
    );
  await expect(target({ SqsParameters: { MessageGroupId: 'g' } })).rejects.toThrow(
    'The embedded cloud does not implement PutTargets with SqsParameters.',
  );
  await expect(target({ Arn: 'arn:aws:kinesis:us-east-1:111122223333:stream/s' })).rejects.toThrow(
    /targets such as/,
  );
  await expect(target({ RoleArn: 'arn:r' })).rejects.toThrow(/RoleArn for a target of sqs/);
  await expect(target({ Arn: arn('event-bus/default') })).rejects.toThrow(/RoleArn is required/);
});
