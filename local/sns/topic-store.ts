import { randomUUID } from 'node:crypto';
import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { invalidParameter, unsupported } from './invalid-parameter';
import type { Subscription, SubscriptionProtocol, Topic } from './topic';

const topicAttributes = ['DisplayName', 'KmsMasterKeyId', 'Policy', 'SignatureVersion', 'TracingConfig'];
const subscriptionAttributes = ['RawMessageDelivery', 'RedrivePolicy'];

/** The account's topics and their subscriptions. */
export class TopicStore {
  private readonly topics = new Map<string, Topic>();

  constructor(private readonly surroundings: Surroundings) {}

  get all(): readonly Topic[] {
    return [...this.topics.values()];
  }

  arnOf(name: string): string {
    const { partition, region, account } = this.surroundings;
    return `arn:${partition}:sns:${region}:${account}:${name}`;
  }

  /** Finds a topic; an ARN that names none is NotFound, and what is no ARN is InvalidParameter. */
  byArn(arn: string, parameter = 'TopicArn'): Topic {
    const elements = arn.split(':').length;
    if (elements < 6)
      throw invalidParameter(`${parameter} Reason: An ARN must have at least 6 elements, not ${elements}`);
    const topic = this.topics.get(arn);
    if (topic === undefined) throw new ServiceError('NotFound', 'Topic does not exist', 404);
    return topic;
  }

  /** Creates a topic, or finds the one that exists with these attributes. */
  create(name: string, attributes: Readonly<Record<string, string>>, tags: Topic['tags']): Topic {
    if (name.endsWith('.fifo')) throw unsupported('FIFO topics');
    if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) throw invalidParameter('Topic Name');
    for (const [attribute, value] of Object.entries(attributes)) checkTopicAttribute(attribute, value);
    const arn = this.arnOf(name);
    const existing = this.topics.get(arn);
    if (existing !== undefined) {
      const differs = Object.entries(attributes).some(([key, value]) => existing.attributes[key] !== value);
      if (differs)
        throw invalidParameter('Attributes Reason: Topic already exists with different attributes');
      return existing;
    }
    const topic: Topic = { arn, name, attributes: withoutEmpty(attributes), tags, subscriptions: [] };
    this.topics.set(arn, topic);
    return topic;
  }

  set(topic: Topic, attribute: string, value: string): void {
    checkTopicAttribute(attribute, value);
    topic.attributes = withoutEmpty({ ...topic.attributes, [attribute]: value });
  }

  remove(arn: string): void {
    this.topics.delete(arn);
  }

  /** Finds a subscription with its topic; undefined where there is none. */
  subscription(arn: string): { readonly topic: Topic; readonly subscription: Subscription } | undefined {
    for (const topic of this.topics.values())
      for (const subscription of topic.subscriptions)
        if (subscription.arn === arn) return { topic, subscription };
    return undefined;
  }

  /** Subscribes, or finds the subscription that the endpoint has already. */
  subscribe(
    topic: Topic,
    protocol: SubscriptionProtocol,
    endpoint: string,
    attributes: Readonly<Record<string, string>>,
  ): Subscription {
    for (const [attribute, value] of Object.entries(attributes)) checkSubscriptionAttribute(attribute, value);
    const existing = topic.subscriptions.find(
      (subscription) => subscription.protocol === protocol && subscription.endpoint === endpoint,
    );
    if (existing !== undefined) return existing;
    const subscription = {
      arn: `${topic.arn}:${randomUUID()}`,
      protocol,
      endpoint,
      attributes: withoutEmpty(attributes),
    };
    topic.subscriptions.push(subscription);
    return subscription;
  }

  setOnSubscription(subscription: Subscription, attribute: string, value: string): void {
    checkSubscriptionAttribute(attribute, value);
    subscription.attributes = withoutEmpty({ ...subscription.attributes, [attribute]: value });
  }
}

function checkTopicAttribute(name: string, value: string): void {
  if (/^(DeliveryPolicy|DataProtectionPolicy|ArchivePolicy|.*Feedback.*)$/.test(name))
    throw unsupported(`the topic attribute ${name}`);
  if (name === 'FifoTopic' || name === 'ContentBasedDeduplication' || name === 'FifoThroughputScope')
    throw unsupported('FIFO topics');
  if (!topicAttributes.includes(name)) throw invalidParameter('AttributeName');
  if (name === 'Policy' && value !== '') parseObject(value, 'Policy Error: null');
  if (name === 'SignatureVersion' && !['1', '2'].includes(value)) throw invalidParameter('SignatureVersion');
  if (name === 'TracingConfig' && !['Active', 'PassThrough'].includes(value))
    throw invalidParameter('TracingConfig');
}

function checkSubscriptionAttribute(name: string, value: string): void {
  if (/^(FilterPolicy|FilterPolicyScope|DeliveryPolicy|SubscriptionRoleArn|ReplayPolicy)$/.test(name))
    throw unsupported(`the subscription attribute ${name}`);
  if (!subscriptionAttributes.includes(name)) throw invalidParameter('AttributeName');
  if (name === 'RawMessageDelivery' && !/^(true|false)$/i.test(value))
    throw invalidParameter(
      `Attributes Reason: RawMessageDelivery: Invalid value [${value}]. Must be true or false.`,
    );
  if (name === 'RedrivePolicy' && value !== '') deadLetterQueueOf({ RedrivePolicy: value });
}

/** The ARN of the queue for what a subscription could not be given. */
export function deadLetterQueueOf(attributes: Readonly<Record<string, string>>): string | undefined {
  const text = attributes['RedrivePolicy'];
  if (text === undefined) return undefined;
  const { deadLetterTargetArn } = parseObject(text, 'RedrivePolicy: failed to parse JSON.');
  if (typeof deadLetterTargetArn === 'string' && /^arn:[^:]+:sqs:/.test(deadLetterTargetArn))
    return deadLetterTargetArn;
  throw invalidParameter('RedrivePolicy: deadLetterTargetArn is not the ARN of an SQS queue.');
}

function parseObject(text: string, otherwise: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Answered below, like any other wrong value.
  }
  throw invalidParameter(otherwise);
}

function withoutEmpty(attributes: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));
}
