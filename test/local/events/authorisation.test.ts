import { createEvents } from '../../../local/events/events-service';
import { VirtualClock } from '../../../local/kernel/clock';
import { everyOperationAsks } from '../gateway/authorisation';
import { operator, Stage } from '../gateway/stage';

const arn = (resource: string) => `arn:aws:events:us-east-1:111122223333:${resource}`;
const stage = new Stage(new VirtualClock());
const events = createEvents({ surroundings: stage.surroundings, assumeRole: () => operator });
stage.services.push(events);

const rule = { Name: 'probe', EventBusName: 'probe' };
const onRule = (action: string, input: object = rule) => ({
  input: { ...input },
  action: `events:${action}`,
  resource: arn('rule/probe/probe'),
});
const onBus = (action: string, input: object) => ({
  input: { ...input },
  action: `events:${action}`,
  resource: arn('event-bus/probe'),
});
const onAll = (action: string, input: object = {}) => ({
  input: { ...input },
  action: `events:${action}`,
  resource: '*',
});
const onArchive = (action: string, input: object = {}) => ({
  input: { ArchiveName: 'probe', ...input },
  action: `events:${action}`,
  resource: arn('archive/probe'),
});
const targets = { Rule: 'probe', EventBusName: 'probe' };
everyOperationAsks(
  stage,
  () => events,
  'AccessDeniedException',
  {
    PutEvents: onBus('PutEvents', {
      Entries: [{ Source: 'a', DetailType: 'd', Detail: '{}', EventBusName: 'probe' }],
    }),
    CreateEventBus: onBus('CreateEventBus', { Name: 'probe' }),
    DeleteEventBus: onBus('DeleteEventBus', { Name: 'probe' }),
    DescribeEventBus: onBus('DescribeEventBus', { Name: 'probe' }),
    ListEventBuses: onAll('ListEventBuses'),
    PutPermission: onBus('PutPermission', { EventBusName: 'probe', Policy: '{"Statement":[]}' }),
    RemovePermission: onBus('RemovePermission', { EventBusName: 'probe', RemoveAllPermissions: true }),
    TestEventPattern: onAll('TestEventPattern', { EventPattern: '{}', Event: '{}' }),
    PutRule: onRule('PutRule', { ...rule, EventPattern: '{"source":["a"]}' }),
    DescribeRule: onRule('DescribeRule'),
    EnableRule: onRule('EnableRule'),
    DisableRule: onRule('DisableRule'),
    DeleteRule: onRule('DeleteRule'),
    ListRules: { ...onRule('ListRules', { EventBusName: 'probe' }), resource: arn('rule/probe/*') },
    ListRuleNamesByTarget: {
      ...onRule('ListRuleNamesByTarget', { EventBusName: 'probe', TargetArn: 'a' }),
      resource: arn('rule/probe/*'),
    },
    PutTargets: onRule('PutTargets', { ...targets, Targets: [{ Id: 'a', Arn: 'arn:aws:sqs:r:a:q' }] }),
    ListTargetsByRule: onRule('ListTargetsByRule', targets),
    RemoveTargets: onRule('RemoveTargets', { ...targets, Ids: ['a'] }),
    CreateArchive: onArchive('CreateArchive', { EventSourceArn: arn('event-bus/probe') }),
    DescribeArchive: onArchive('DescribeArchive'),
    ListArchives: onAll('ListArchives'),
    DeleteArchive: onArchive('DeleteArchive'),
  },
  async () => {
    // It is there from the second time on.
    await stage.surroundings
      .callService('eventbridge', 'CreateEventBus', { Name: 'probe' }, { principal: operator })
      .catch(() => undefined);
  },
);
