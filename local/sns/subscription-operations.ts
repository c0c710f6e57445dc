import * as z from 'zod';
import type { Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { TopicAccess } from './access';
import { invalidParameter, unsupported } from './invalid-parameter';
import { page } from './page';
import type { Subscription, SubscriptionProtocol, Topic } from './topic';
import { protocols } from './topic';
import type { TopicStore } from './topic-store';

const subscribeInput = z.object({
  TopicArn: z.string(),
  Protocol: z.string(),
  Endpoint: z.string().optional(),
  Attributes: z.record(z.string(), z.string()).optional(),
  ReturnSubscriptionArn: z.boolean().optional(),
});
const onSubscription = z.object({ SubscriptionArn: z.string() });
const setInput = onSubscription.extend({ AttributeName: z.string(), AttributeValue: z.string().optional() });
const listInput = z.object({ NextToken: z.string().optional() });
const listByTopicInput = listInput.extend({ TopicArn: z.string() });

/** Operations on subscriptions. Every subscription is confirmed at once. */
export function subscriptionOperations(
  { account }: Surroundings,
  store: TopicStore,
  access: TopicAccess,
): Readonly<Record<string, Operation>> {
  const find = (arn: string) => {
    const found = store.subscription(arn);
    if (found === undefined) throw new ServiceError('NotFound', 'Subscription does not exist', 404);
    return found;
  };
  const row = (topic: Topic, subscription: Subscription) => ({
    SubscriptionArn: subscription.arn,
    Owner: account,
    Protocol: subscription.protocol,
    Endpoint: subscription.endpoint,
    TopicArn: topic.arn,
  });

  return {
    async Subscribe(input, call) {
      const request = parseInput('Subscribe', subscribeInput, input);
      const topic = store.byArn(request.TopicArn);
      const protocol = parseProtocol(request.Protocol);
      const endpoint = request.Endpoint ?? '';
      access.require(call, 'Subscribe', topic, { 'sns:Protocol': protocol, 'sns:Endpoint': endpoint });
      checkEndpoint(protocol, endpoint);
      return { SubscriptionArn: store.subscribe(topic, protocol, endpoint, request.Attributes ?? {}).arn };
    },

    async Unsubscribe(input, call) {
      const { SubscriptionArn } = parseInput('Unsubscribe', onSubscription, input);
      const found = store.subscription(SubscriptionArn);
      // Ending what is not there succeeds, for those who may end it.
      access.require(call, 'Unsubscribe', found?.topic ?? { arn: topicOf(SubscriptionArn), attributes: {} });
      if (found !== undefined)
        found.topic.subscriptions.splice(found.topic.subscriptions.indexOf(found.subscription), 1);
      return {};
    },

    async GetSubscriptionAttributes(input, call) {
      const { SubscriptionArn } = parseInput('GetSubscriptionAttributes', onSubscription, input);
      const { topic, subscription } = find(SubscriptionArn);
      access.require(call, 'GetSubscriptionAttributes', topic);
      return {
        Attributes: {
          RawMessageDelivery: 'false',
          ...subscription.attributes,
          ...row(topic, subscription),
          PendingConfirmation: 'false',
          ConfirmationWasAuthenticated: 'true',
        },
      };
    },

    async SetSubscriptionAttributes(input, call) {
      const request = parseInput('SetSubscriptionAttributes', setInput, input);
      const { topic, subscription } = find(request.SubscriptionArn);
      access.require(call, 'SetSubscriptionAttributes', topic);
      store.setOnSubscription(subscription, request.AttributeName, request.AttributeValue ?? '');
      return {};
    },

    async ListSubscriptions(input, call) {
      const { NextToken } = parseInput('ListSubscriptions', listInput, input);
      access.require(call, 'ListSubscriptions', { arn: '*', attributes: {} });
      const all = store.all.flatMap((topic) =>
        topic.subscriptions.map((subscription) => row(topic, subscription)),
      );
      const { items, next } = page(all, NextToken);
      return { Subscriptions: items, NextToken: next };
    },

    async ListSubscriptionsByTopic(input, call) {
      const { TopicArn, NextToken } = parseInput('ListSubscriptionsByTopic', listByTopicInput, input);
      const topic = store.byArn(TopicArn);
      access.require(call, 'ListSubscriptionsByTopic', topic);
      const { items, next } = page(topic.subscriptions, NextToken);
      return { Subscriptions: items.map((subscription) => row(topic, subscription)), NextToken: next };
    },
  };
}

function parseProtocol(text: string): SubscriptionProtocol {
  const found = protocols.find((protocol) => protocol === text);
  if (found !== undefined) return found;
  if (['sms', 'application', 'firehose'].includes(text)) throw unsupported(`subscriptions by ${text}`);
  throw invalidParameter(`Amazon SNS does not support this protocol string: ${text}`);
}

function checkEndpoint(protocol: SubscriptionProtocol, endpoint: string): void {
  switch (protocol) {
    case 'sqs':
      if (!/^arn:[^:]+:sqs:[^:]+:\d{12}:[^:]+$/.test(endpoint)) throw invalidParameter('SQS endpoint ARN');
      return;
    case 'lambda':
      if (!/^arn:[^:]+:lambda:[^:]+:\d{12}:function:.+$/.test(endpoint))
        throw invalidParameter('Lambda endpoint ARN');
      return;
    case 'email':
    case 'email-json':
      if (!/^[^@\s]+@[^@\s]+$/.test(endpoint)) throw invalidParameter('Email address');
      return;
    case 'http':
    case 'https':
      if (!endpoint.startsWith(`${protocol}://`) || !URL.canParse(endpoint))
        throw invalidParameter('Endpoint must match the specified protocol');
      return;
  }
}

function topicOf(subscriptionArn: string): string {
  const parts = subscriptionArn.split(':');
  if (parts.length < 7)
    throw invalidParameter(
      `SubscriptionArn Reason: An ARN must have at least 7 elements, not ${parts.length}`,
    );
  return parts.slice(0, 6).join(':');
}
