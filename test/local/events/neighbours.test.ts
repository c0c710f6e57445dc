import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { startCloud, type Cloud, type CloudOptions } from '../../../local/cloud';
import type { Event } from '../../../local/events/event';
import { VirtualClock } from '../../../local/kernel/clock';
import { Neighbours } from '../../../local/neighbours';

const ours = '111122223333';
const theirs = '444455556666';
const elsewhere = 'eu-west-1';
const busOf = (account: string, region = 'us-east-1') => `arn:aws:events:${region}:${account}:event-bus/team`;

const running: Cloud[] = [];
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop();
});

/** A cloud with a bus `team`, and what arrives there. */
interface Place {
  readonly cloud: Cloud;
  readonly arrived: readonly Event[];
  /** A role that EventBridge and applications may assume, and that may put events on any bus. */
  readonly roleArn: string;
}

/** Starts clouds that reach each other. */
async function start(...each: readonly CloudOptions[]): Promise<[Place, Place, Place]> {
  const neighbours = new Neighbours();
  const places: Place[] = [];
  for (const options of each) {
    const arrived: Event[] = [];
    const cloud = await startCloud({ neighbours, ...options, onEvent: (event) => arrived.push(event) });
    running.push(cloud);
    await cloud.call('eventbridge', 'CreateEventBus', { Name: 'team' });
    const trusted = { Service: ['events.amazonaws.com', 'ecs-tasks.amazonaws.com'] };
    const { roles } = neighbours.account(cloud.account, () => {
      throw new Error('the account is there');
    });
    const roleArn = roles.put({
      name: 'sender',
      trustPolicy: document({ Effect: 'Allow', Principal: trusted, Action: 'sts:AssumeRole' }),
      policies: { put: document({ Effect: 'Allow', Action: 'events:PutEvents', Resource: '*' }) },
    });
    places.push({ cloud, arrived, roleArn });
  }
  const [first, second, third = second] = places;
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('two clouds or three');
  return [first, second, third];
}

const document = (...Statement: readonly object[]) => ({ Version: '2012-10-17', Statement });

/** Lets principals put events on the bus `team` of a place, under a condition. */
async function admit({ cloud }: Place, Principal: unknown, Condition?: object): Promise<void> {
  const Resource = busOf(cloud.account, cloud.region);
  const statement = { Effect: 'Allow', Principal, Action: 'events:PutEvents', Resource };
  await cloud.call('eventbridge', 'PutPermission', {
    EventBusName: 'team',
    Policy: JSON.stringify(document({ Sid: 's', ...statement, ...(Condition && { Condition }) })),
  });
}

/** A rule that brings everything on to another bus; answers the URL of its dead-letter queue. */
async function forward({ cloud, roleArn }: Place, Arn: string): Promise<string> {
  await cloud.call('eventbridge', 'PutRule', {
    Name: 'onwards',
    EventBusName: 'team',
    EventPattern: '{"source":["app"]}',
  });
  const queueArn = `arn:aws:sqs:${cloud.region}:${cloud.account}:dead`;
  const allowed = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sqs:SendMessage',
  };
  const { QueueUrl } = await cloud.call<{ QueueUrl: string }>('sqs', 'CreateQueue', {
    QueueName: 'dead',
    Attributes: { Policy: JSON.stringify(document({ ...allowed, Resource: queueArn })) },
  });
  const target = { Id: 'bus', Arn, RoleArn: roleArn, DeadLetterConfig: { Arn: queueArn } };
  await cloud.call('eventbridge', 'PutTargets', { Rule: 'onwards', EventBusName: 'team', Targets: [target] });
  return QueueUrl;
}

async function deadIn({ cloud }: Place, QueueUrl: string): Promise<readonly (string | undefined)[]> {
  const { Messages = [] } = await cloud.call<{
    Messages?: { MessageAttributes: Record<string, { StringValue: string }> }[];
  }>('sqs', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] });
  return Messages.map(({ MessageAttributes }) => MessageAttributes['ERROR_CODE']?.StringValue);
}

const entry = { Source: 'app', DetailType: 'Thing Happened', Detail: '{"name":"a"}' };
const put = ({ cloud }: Place) =>
  cloud.call('eventbridge', 'PutEvents', { Entries: [{ ...entry, EventBusName: 'team' }] });

/** Puts an event as an application of a place does: through its own endpoint, signed for a region. */
async function putAs({ cloud, roleArn }: Place, EventBusName: string, region = cloud.region) {
  const credentials = cloud.assume(roleArn, 'ecs-tasks.amazonaws.com', 'app');
  const client = new EventBridgeClient({ endpoint: cloud.endpoint, region, credentials, maxAttempts: 1 });
  try {
    return await client.send(new PutEventsCommand({ Entries: [{ ...entry, EventBusName }] }));
  } finally {
    client.destroy();
  }
}

const settled = async (...places: readonly Place[]) => {
  for (const { cloud } of places) await cloud.idle();
};

describe('a rule whose target is a bus of another account', () => {
  const condition = (source: string) => ({
    StringEquals: { 'events:source': source, 'events:eventBusInvocation': 'true' },
  });

  it('brings the event there as it was, when that bus’s policy lets it in', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    await admit(b, { AWS: `arn:aws:iam::${ours}:root` }, condition('app'));
    await forward(a, busOf(theirs));
    await put(a);
    await settled(a, b);
    expect(b.arrived).toEqual(a.arrived);
    expect(b.arrived).toMatchObject([{ account: ours, region: 'us-east-1', source: 'app' }]);
  });

  it.each([
    ['has no policy', undefined],
    ['wants another source', condition('rotor')],
    ['wants calls alone', { StringEquals: { 'events:eventBusInvocation': 'false' } }],
    ['wants to know the rule', { ArnLike: { 'aws:SourceArn': `arn:aws:events:us-east-1:${ours}:rule/*` } }],
  ])('keeps it in the dead-letter queue when that bus %s', async (_name, wanted) => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    if (wanted !== undefined) await admit(b, { AWS: `arn:aws:iam::${ours}:root` }, wanted);
    const dead = await forward(a, busOf(theirs));
    await put(a);
    await settled(a, b);
    expect(b.arrived).toEqual([]);
    expect(await deadIn(a, dead)).toEqual(['NO_PERMISSIONS']);
  });

  it('keeps it likewise when nobody has that account', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    const dead = await forward(a, busOf('777788889999'));
    await put(a);
    await settled(a, b);
    expect(await deadIn(a, dead)).toEqual(['NO_PERMISSIONS']);
  });

  it('brings nothing on to a third account, nor back', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    await admit(a, { AWS: theirs });
    await admit(b, { AWS: ours });
    await forward(a, busOf(theirs));
    const dead = await forward(b, busOf(ours));
    await put(a);
    await settled(a, b);
    expect([a.arrived.length, b.arrived.length]).toEqual([1, 1]);
    expect(await deadIn(b, dead)).toEqual(['THIRD_ACCOUNT_HOP_DETECTED']);
  });
});

describe('a rule whose target is a bus of another region', () => {
  it('needs no policy within one account, and the event gets another id and keeps its origin', async () => {
    const clock = new VirtualClock();
    const [a, b] = await start({ account: ours, clock }, { account: ours, clock, region: elsewhere });
    await forward(a, busOf(ours, elsewhere));
    await put(a);
    await settled(a, b);
    expect(b.arrived).toEqual([{ ...a.arrived[0], id: expect.any(String) as string }]);
    expect(b.arrived[0]).toMatchObject({ account: ours, region: 'us-east-1' });
    expect(b.arrived[0]?.id).not.toBe(a.arrived[0]?.id);
  });

  it('may be followed by one to another account of that region, and by none to a further region', async () => {
    const [a, b, c] = await start(
      { account: ours },
      { account: ours, region: elsewhere },
      { account: theirs, region: elsewhere },
    );
    await admit(c, { AWS: ours });
    await admit(a, { AWS: theirs });
    await forward(a, busOf(ours, elsewhere));
    await forward(b, busOf(theirs, elsewhere));
    const dead = await forward(c, busOf(ours));
    await put(a);
    await settled(a, b, c);
    expect([a.arrived.length, b.arrived.length, c.arrived.length]).toEqual([1, 1, 1]);
    expect(await deadIn(c, dead)).toEqual(['THIRD_REGION_HOP_DETECTED']);
  });
});

describe('PutEvents on a bus of another account', () => {
  it('is answered by that account, and the event says whose it is', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    await admit(a, { AWS: theirs }, { StringEquals: { 'events:source': 'app' } });
    await expect(putAs(b, busOf(ours))).resolves.toMatchObject({ FailedEntryCount: 0 });
    expect(a.arrived).toMatchObject([{ account: theirs, region: 'us-east-1', source: 'app' }]);
    expect(b.arrived).toEqual([]);
  });

  it('is refused without leave of its policy, and without leave of the caller’s own', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs });
    await expect(putAs(b, busOf(ours))).rejects.toThrow(/no resource-based policy allows/);
    // The operator of one account is nobody in another.
    const operator = { ...b, cloud: { ...b.cloud, assume: () => b.cloud.operator } };
    await expect(putAs(operator, busOf(ours))).rejects.toThrow(/no resource-based policy allows/);
    await admit(a, { AWS: theirs });
    await expect(putAs(operator, busOf(ours))).resolves.toMatchObject({ FailedEntryCount: 0 });
    expect(a.arrived).toMatchObject([{ account: theirs }]);
  });

  it.each([
    ['of the organisation', 'o-abcdefghij', 'resolves'],
    ['of another organisation', 'o-0000000000', 'rejects'],
    ['of none', undefined, 'rejects'],
  ] as const)(
    'by an account %s, under a policy for the organisation',
    async (_name, organizationId, ends) => {
      const theirsHas = organizationId === undefined ? {} : { organizationId };
      const [a, b] = await start({ account: ours }, { account: theirs, ...theirsHas });
      await admit(a, '*', { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdefghij' } });
      const answer = putAs(b, busOf(ours));
      if (ends === 'resolves') await expect(answer).resolves.toMatchObject({ FailedEntryCount: 0 });
      else await expect(answer).rejects.toThrow(/is not authorized to perform: events:PutEvents/);
    },
  );

  it('of another region goes there when it is signed for it, and nowhere when it is not', async () => {
    const [a, b] = await start({ account: ours }, { account: theirs, region: elsewhere });
    await admit(a, { AWS: theirs });
    await putAs(b, busOf(ours), 'us-east-1');
    expect(a.arrived).toMatchObject([{ account: theirs, region: 'us-east-1' }]);
    await expect(putAs(b, busOf(ours))).rejects.toThrow(/no resource-based policy allows/);
    expect(a.arrived).toHaveLength(1);
    await expect(putAs(b, 'team', 'ap-south-1')).rejects.toThrow(/has no region ap-south-1/);
  });
});
