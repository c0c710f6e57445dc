import { VirtualClock } from '../../../local/kernel/clock';
import { createSns } from '../../../local/sns/sns-service';
import { everyOperationAsks } from '../gateway/authorisation';
import { operator, Stage } from '../gateway/stage';

const stage = new Stage(new VirtualClock());
const sns = createSns({ surroundings: stage.surroundings, authorizeKeyUse: () => undefined });
stage.services.push(sns);

const call = (operation: string, input: object) =>
  stage.surroundings.callService('sns', operation, { ...input }, { principal: operator });

const topicArn = 'arn:aws:sns:us-east-1:111122223333:probe';
const probe = (action: string, input: object = {}, resource = topicArn) => ({
  input: { TopicArn: topicArn, ...input },
  action: `sns:${action}`,
  resource,
});
// Filled when the topic is there: a subscription's ARN is drawn at random.
const onSubscription: Record<string, unknown> = {};
everyOperationAsks(
  stage,
  () => sns,
  'AuthorizationError',
  {
    CreateTopic: { ...probe('CreateTopic'), input: { Name: 'probe' } },
    DeleteTopic: probe('DeleteTopic'),
    GetTopicAttributes: probe('GetTopicAttributes'),
    SetTopicAttributes: probe('SetTopicAttributes', { AttributeName: 'DisplayName' }),
    ListTopics: { ...probe('ListTopics', {}, '*'), input: {} },
    ListTagsForResource: { ...probe('ListTagsForResource'), input: { ResourceArn: topicArn } },
    Publish: probe('Publish', { Message: 'm' }),
    Subscribe: probe('Subscribe', { Protocol: 'email', Endpoint: 'a@example.com' }),
    Unsubscribe: { ...probe('Unsubscribe'), input: onSubscription },
    GetSubscriptionAttributes: { ...probe('GetSubscriptionAttributes'), input: onSubscription },
    SetSubscriptionAttributes: {
      ...probe('SetSubscriptionAttributes'),
      // A getter, because the subscription does not exist yet when this table is made.
      get input() {
        return { ...onSubscription, AttributeName: 'RawMessageDelivery', AttributeValue: 'true' };
      },
    },
    ListSubscriptions: { ...probe('ListSubscriptions', {}, '*'), input: {} },
    ListSubscriptionsByTopic: probe('ListSubscriptionsByTopic'),
  },
  async () => {
    await call('CreateTopic', { Name: 'probe' });
    const made = await call('Subscribe', {
      TopicArn: topicArn,
      Protocol: 'email',
      Endpoint: 'probe@example.com',
    });
    onSubscription['SubscriptionArn'] = 'SubscriptionArn' in made ? made.SubscriptionArn : undefined;
  },
);
