import type { DeliveryOutcome } from '../../../local/events/delivery';
import type { EventsService } from '../../../local/events/events-service';
import { createEvents } from '../../../local/events/events-service';
import { createCallService, Dispatcher } from '../../../local/gateway/dispatch';
import { Journal } from '../../../local/gateway/journal';
import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Principal, Service } from '../../../local/kernel/service';
import { createKeyManagement } from '../../../local/kms/service';
import { createSns } from '../../../local/sns/sns-service';
import { createSqs } from '../../../local/sqs/sqs-service';

const where = { account: '111122223333', region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
const queueArn = 'arn:aws:sqs:us-east-1:111122223333:orders';
const ruleArn = 'arn:aws:events:us-east-1:111122223333:rule/rotor/orders';

/** The messaging services under the real evaluation of policies. */
function cloud() {
  const roles = new RoleStore(where);
  const services: Service[] = [];
  const callService = createCallService(new Dispatcher(services, new Journal(where.clock)));
  const surroundings = { ...where, authorize: createAuthorize({ ...where, roles }), callService };
  const kms = createKeyManagement(surroundings);
  const outcomes: DeliveryOutcome[] = [];
  const authorizeKeyUse = kms.authorizeKeyUse.bind(kms);
  const events: EventsService = createEvents({
    surroundings,
    assumeRole: () => roles.operator.principal,
    observer: { ended: (outcome) => outcomes.push(outcome) },
  });
  services.push(kms, events, createSns({ surroundings, authorizeKeyUse }));
  services.push(createSqs({ surroundings, authorizeKeyUse, endpoint: () => 'http://127.0.0.1' }));
  const operate = (service: string, operation: string, input: object) =>
    callService(service, operation, { ...input }, { principal: roles.operator.principal });
  return { roles, events, outcomes, callService, operate };
}

type Cloud = ReturnType<typeof cloud>;

async function newBus({ operate }: Cloud, targetArn: string): Promise<void> {
  await operate('eventbridge', 'CreateEventBus', { Name: 'rotor' });
  await operate('eventbridge', 'PutRule', {
    Name: 'orders',
    EventBusName: 'rotor',
    EventPattern: '{"detail":{"consumer":["orders"]}}',
  });
  const Targets = [{ Id: 't', Arn: targetArn }];
  await operate('eventbridge', 'PutTargets', { Rule: 'orders', EventBusName: 'rotor', Targets });
}

const entry = { Source: 'rotor', DetailType: 'd', Detail: '{"consumer":"orders"}', EventBusName: 'rotor' };

/** What a queue's policy says when a template lets one rule send to it. */
const queuePolicy = (sourceArn: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': sourceArn } },
      },
    ],
  });

test.each([
  ['this rule', ruleArn, 'delivered', undefined],
  ['another rule', `${ruleArn}-other`, 'dropped', 'NO_PERMISSIONS'],
])('a queue whose policy names %s', async (_name, sourceArn, outcome, errorCode) => {
  const stage = cloud();
  await stage.operate('sqs', 'CreateQueue', {
    QueueName: 'orders',
    Attributes: { Policy: queuePolicy(sourceArn) },
  });
  await newBus(stage, queueArn);
  await stage.operate('eventbridge', 'PutEvents', { Entries: [entry] });
  await stage.events.idle();
  expect(stage.outcomes).toHaveLength(1);
  expect(stage.outcomes[0]).toMatchObject({ outcome, ...(errorCode !== undefined && { errorCode }) });
});

const root = {
  Effect: 'Allow',
  Principal: { AWS: 'arn:aws:iam::111122223333:root' },
  Action: 'kms:*',
  Resource: '*',
};
const forEvents = {
  Effect: 'Allow',
  Principal: { Service: 'events.amazonaws.com' },
  Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
  Resource: '*',
};

test.each([
  ['lets EventBridge use it', [root, forEvents], 'delivered'],
  ['knows only the account', [root], 'dropped'],
])('an encrypted topic whose key %s', async (_name, Statement, outcome) => {
  const stage = cloud();
  const key = await stage.operate('kms', 'CreateKey', {
    Policy: JSON.stringify({ Version: '2012-10-17', Statement }),
  });
  const { KeyMetadata } = key as { KeyMetadata: { Arn: string } };
  const TopicArn = 'arn:aws:sns:us-east-1:111122223333:rotor-alerts';
  const allow = {
    Effect: 'Allow',
    Principal: { Service: 'events.amazonaws.com' },
    Action: 'sns:Publish',
    Resource: TopicArn,
  };
  await stage.operate('sns', 'CreateTopic', {
    Name: 'rotor-alerts',
    Attributes: {
      KmsMasterKeyId: KeyMetadata.Arn,
      Policy: JSON.stringify({ Version: '2012-10-17', Statement: [allow] }),
    },
  });
  await newBus(stage, TopicArn);
  await stage.operate('eventbridge', 'PutEvents', { Entries: [entry] });
  await stage.events.idle();
  expect(stage.outcomes).toMatchObject([{ outcome }]);
});

test("a role puts events of its own source on the bus, and not Rotor's", async () => {
  const stage = cloud();
  await newBus(stage, queueArn);
  const roleArn = stage.roles.put({
    name: 'consumer',
    trustPolicy: { Version: '2012-10-17', Statement: [] },
    policies: {
      acknowledge: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 'events:PutEvents',
            Resource: 'arn:aws:events:us-east-1:111122223333:event-bus/rotor',
            Condition: { StringEquals: { 'events:source': 'rotor.consumer' } },
          },
        ],
      },
    },
  });
  const principal: Principal = {
    kind: 'role',
    arn: 'arn:aws:sts::111122223333:assumed-role/consumer/s',
    account: where.account,
    roleArn,
  };
  const put = (Source: string) =>
    stage.callService('eventbridge', 'PutEvents', { Entries: [{ ...entry, Source }] }, { principal });
  await expect(put('rotor.consumer')).resolves.toMatchObject({ FailedEntryCount: 0 });
  await expect(put('rotor')).rejects.toMatchObject({
    code: 'AccessDeniedException',
    message: expect.stringContaining('is not authorized to perform: events:PutEvents') as string,
  });
});
