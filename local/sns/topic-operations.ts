import * as z from 'zod';
import type { Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { TopicAccess } from './access';
import type { Delivery } from './delivery';
import { invalidParameter } from './invalid-parameter';
import type { Notification } from './notification';
import { createNotification, messageAttribute } from './notification';
import { page } from './page';
import type { Topic } from './topic';
import type { TopicStore } from './topic-store';

const attributes = z.record(z.string(), z.string());
const tags = z.array(z.strictObject({ Key: z.string(), Value: z.string() }));
const createInput = z.object({ Name: z.string(), Attributes: attributes.optional(), Tags: tags.optional() });
const onTopic = z.object({ TopicArn: z.string() });
const setInput = onTopic.extend({ AttributeName: z.string(), AttributeValue: z.string().optional() });
const listInput = z.object({ NextToken: z.string().optional() });
const tagsInput = z.object({ ResourceArn: z.string() });
const publishInput = z.object({
  TopicArn: z.string().optional(),
  TargetArn: z.string().optional(),
  Message: z.string(),
  Subject: z.string().optional(),
  MessageStructure: z.string().optional(),
  MessageAttributes: z.record(z.string(), messageAttribute).optional(),
});

/** Operations on topics, and Publish. */
export function topicOperations(
  surroundings: Surroundings,
  store: TopicStore,
  access: TopicAccess,
  delivery: Delivery,
  onPublish: (notification: Notification) => void,
): Readonly<Record<string, Operation>> {
  return {
    async CreateTopic(input, call) {
      const { Name, Attributes = {}, Tags = [] } = parseInput('CreateTopic', createInput, input);
      access.require(call, 'CreateTopic', { arn: store.arnOf(Name), attributes: {} });
      return { TopicArn: store.create(Name, Attributes, Tags).arn };
    },

    async DeleteTopic(input, call) {
      const { TopicArn } = parseInput('DeleteTopic', onTopic, input);
      // Deleting what is not there succeeds, for those who may delete it.
      const topic = store.all.find((candidate) => candidate.arn === TopicArn);
      access.require(call, 'DeleteTopic', topic ?? { arn: TopicArn, attributes: {} });
      store.remove(TopicArn);
      return {};
    },

    async GetTopicAttributes(input, call) {
      const topic = store.byArn(parseInput('GetTopicAttributes', onTopic, input).TopicArn);
      access.require(call, 'GetTopicAttributes', topic);
      return { Attributes: describe(topic, surroundings.account) };
    },

    async SetTopicAttributes(input, call) {
      const request = parseInput('SetTopicAttributes', setInput, input);
      const topic = store.byArn(request.TopicArn);
      access.require(call, 'SetTopicAttributes', topic);
      store.set(topic, request.AttributeName, request.AttributeValue ?? '');
      return {};
    },

    async ListTopics(input, call) {
      const { NextToken } = parseInput('ListTopics', listInput, input);
      access.require(call, 'ListTopics', { arn: '*', attributes: {} });
      const { items, next } = page(store.all, NextToken);
      return { Topics: items.map((topic) => ({ TopicArn: topic.arn })), NextToken: next };
    },

    async ListTagsForResource(input, call) {
      const { ResourceArn } = parseInput('ListTagsForResource', tagsInput, input);
      const topic = store.all.find((candidate) => candidate.arn === ResourceArn);
      if (topic === undefined) throw new ServiceError('ResourceNotFound', 'Resource does not exist', 404);
      access.require(call, 'ListTagsForResource', topic);
      return { Tags: topic.tags };
    },

    async Publish(input, call) {
      const request = parseInput('Publish', publishInput, input);
      const { TopicArn, TargetArn } = request;
      if ((TopicArn === undefined) === (TargetArn === undefined))
        throw invalidParameter('TopicArn or TargetArn Reason: exactly one of them is required');
      const parameter = TopicArn === undefined ? 'TargetArn' : 'TopicArn';
      const topic = store.byArn(TopicArn ?? TargetArn ?? '', parameter);
      access.require(call, 'Publish', topic);
      const notification = createNotification(
        {
          topicArn: topic.arn,
          message: request.Message,
          subject: request.Subject,
          structure: request.MessageStructure,
          attributes: request.MessageAttributes ?? {},
        },
        surroundings.clock.now(),
      );
      access.requireKey(call, topic);
      onPublish(notification);
      for (const subscription of topic.subscriptions) delivery.start(notification, subscription);
      return { MessageId: notification.messageId };
    },
  };
}

function describe(topic: Topic, account: string): Readonly<Record<string, string>> {
  return {
    Policy: JSON.stringify(defaultPolicy(topic.arn, account)),
    DisplayName: '',
    ...topic.attributes,
    TopicArn: topic.arn,
    Owner: account,
    SubscriptionsConfirmed: String(topic.subscriptions.length),
    SubscriptionsPending: '0',
    SubscriptionsDeleted: '0',
  };
}

/** The policy that a topic has until it is given one; it allows nothing that the account's own roles do not. */
function defaultPolicy(topicArn: string, account: string): object {
  const actions =
    'GetTopicAttributes SetTopicAttributes AddPermission RemovePermission DeleteTopic Subscribe ListSubscriptionsByTopic Publish';
  return {
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: actions.split(' ').map((action) => `SNS:${action}`),
        Resource: topicArn,
        Condition: { StringEquals: { 'AWS:SourceOwner': account } },
      },
    ],
  };
}
