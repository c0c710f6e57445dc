import * as z from 'zod';
import type { Operation } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { QueueAccess } from './access';
import type { Queue } from './queue';
import { defaults, settable } from './queue-attributes';
import type { QueueStore } from './queue-store';

const attributes = z.record(z.string(), z.string());
const onQueue = z.object({ QueueUrl: z.string() });
const createInput = z.object({
  QueueName: z.string(),
  Attributes: attributes.optional(),
  tags: attributes.optional(),
});
const urlInput = z.object({ QueueName: z.string(), QueueOwnerAWSAccountId: z.string().optional() });
const getInput = onQueue.extend({ AttributeNames: z.array(z.string()).optional() });
const setInput = onQueue.extend({ Attributes: attributes });
const listInput = z.object({
  QueueNamePrefix: z.string().optional(),
  MaxResults: z.int().min(1).max(1000).optional(),
  NextToken: z.string().optional(),
});

/** Operations on queues as such. */
export function queueOperations(store: QueueStore, access: QueueAccess): Readonly<Record<string, Operation>> {
  return {
    async CreateQueue(input, call) {
      const { QueueName, Attributes = {} } = parseInput('CreateQueue', createInput, input);
      access.require(call, 'CreateQueue', { arn: store.arnOf(QueueName), attributes: {} });
      store.create(QueueName, Attributes);
      return { QueueUrl: store.urlOf(QueueName) };
    },

    async DeleteQueue(input, call) {
      const queue = store.byUrl(parseInput('DeleteQueue', onQueue, input).QueueUrl);
      access.require(call, 'DeleteQueue', queue);
      store.remove(queue);
      return {};
    },

    async GetQueueUrl(input, call) {
      const { QueueName } = parseInput('GetQueueUrl', urlInput, input);
      const queue = store.byName(QueueName);
      access.require(call, 'GetQueueUrl', queue);
      return { QueueUrl: store.urlOf(QueueName) };
    },

    async GetQueueAttributes(input, call) {
      const { QueueUrl, AttributeNames = [] } = parseInput('GetQueueAttributes', getInput, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'GetQueueAttributes', queue);
      const selected = selectQueueAttributes(queue, AttributeNames);
      return Object.keys(selected).length === 0 ? {} : { Attributes: selected };
    },

    async SetQueueAttributes(input, call) {
      const { QueueUrl, Attributes } = parseInput('SetQueueAttributes', setInput, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'SetQueueAttributes', queue);
      store.update(queue, Attributes);
      return {};
    },

    async ListQueues(input, call) {
      const {
        QueueNamePrefix = '',
        MaxResults = 1000,
        NextToken = '',
      } = parseInput('ListQueues', listInput, input);
      access.require(call, 'ListQueues', { arn: '*', attributes: {} });
      // The token is the last name of the page before.
      const names = store.all.map((queue) => queue.name).sort();
      const rest = names.filter((name) => name.startsWith(QueueNamePrefix) && name > NextToken);
      const page = rest.slice(0, MaxResults);
      if (page.length === 0) return {};
      return {
        QueueUrls: page.map((name) => store.urlOf(name)),
        ...(rest.length > page.length && { NextToken: page.at(-1) }),
      };
    },

    async PurgeQueue(input, call) {
      const queue = store.byUrl(parseInput('PurgeQueue', onQueue, input).QueueUrl);
      access.require(call, 'PurgeQueue', queue);
      queue.purge();
      return {};
    },
  };
}

function selectQueueAttributes(queue: Queue, names: readonly string[]): Readonly<Record<string, string>> {
  const { visible, inFlight, delayed } = queue.counts();
  const all: Readonly<Record<string, string>> = {
    ...defaults,
    ...(queue.attributes['KmsMasterKeyId'] === undefined && { SqsManagedSseEnabled: 'true' }),
    ...queue.attributes,
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
  };
  for (const name of names)
    if (name !== 'All' && !Object.hasOwn(all, name) && !settable.includes(name))
      throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
  return Object.fromEntries(
    Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name)),
  );
}
