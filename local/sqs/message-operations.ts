import * as z from 'zod';
import type { Call, Operation } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { QueueAccess } from './access';
import type { MessageAttributes } from './message-attributes';
import {
  checkAttributes,
  md5,
  md5OfAttributes,
  messageAttribute,
  selectAttributes,
  sizeOfAttributes,
} from './message-attributes';
import type { Message, Queue } from './queue';
import { numberOf } from './queue-attributes';
import type { QueueStore } from './queue-store';

/** Told of every message that a queue accepts, before anybody receives it; messages may hold what a sender leaked. */
export type OnMessage = (queueArn: string, message: Readonly<Message>) => void;

const sendShape = {
  MessageBody: z.string(),
  DelaySeconds: z.int().optional(),
  MessageAttributes: z.record(z.string(), messageAttribute).optional(),
  MessageSystemAttributes: z.strictObject({ AWSTraceHeader: messageAttribute.optional() }).optional(),
};
const sendInput = z.object({ QueueUrl: z.string(), ...sendShape });
const sendEntry = z.strictObject({ Id: z.string(), ...sendShape });
const receiveInput = z.object({
  QueueUrl: z.string(),
  AttributeNames: z.array(z.string()).optional(),
  MessageSystemAttributeNames: z.array(z.string()).optional(),
  MessageAttributeNames: z.array(z.string()).optional(),
  MaxNumberOfMessages: z.int().optional(),
  VisibilityTimeout: z.int().optional(),
  WaitTimeSeconds: z.int().optional(),
});
const deleteInput = z.object({ QueueUrl: z.string(), ReceiptHandle: z.string() });
const visibilityInput = deleteInput.extend({ VisibilityTimeout: z.int() });

function batchOf<Entry extends z.ZodType>(entry: Entry) {
  return z.object({ QueueUrl: z.string(), Entries: z.array(entry) });
}
const sendBatch = batchOf(sendEntry);
const deleteBatch = batchOf(z.strictObject({ Id: z.string(), ReceiptHandle: z.string() }));
const visibilityBatch = batchOf(
  z.strictObject({ Id: z.string(), ReceiptHandle: z.string(), VisibilityTimeout: z.int() }),
);

const systemAttributes = [
  'All',
  'SenderId',
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
  // Known to AWS, and without a value on standard queues.
  'SequenceNumber',
  'MessageDeduplicationId',
  'MessageGroupId',
];

/** Operations on messages. */
export function messageOperations(
  store: QueueStore,
  access: QueueAccess,
  onMessage: OnMessage,
): Readonly<Record<string, Operation>> {
  const send = (queue: Queue, entry: z.infer<z.ZodObject<typeof sendShape>>, call: Call) => {
    checkMessage(queue, entry.MessageBody, entry.MessageAttributes ?? {}, entry.DelaySeconds);
    const message = queue.send({
      body: entry.MessageBody,
      attributes: entry.MessageAttributes ?? {},
      traceHeader: entry.MessageSystemAttributes?.AWSTraceHeader?.StringValue,
      senderId: call.principal.kind === 'service' ? call.principal.service : call.principal.arn,
      delaySeconds: entry.DelaySeconds,
    });
    onMessage(queue.arn, message);
    return {
      MessageId: message.id,
      MD5OfMessageBody: md5(message.body),
      MD5OfMessageAttributes: md5OfAttributes(message.attributes),
    };
  };

  return {
    async SendMessage(input, call) {
      const request = parseInput('SendMessage', sendInput, input);
      const queue = store.byUrl(request.QueueUrl);
      access.require(call, 'SendMessage', queue);
      access.requireKey(call, queue, 'GenerateDataKey', 'Decrypt');
      return send(queue, request, call);
    },

    async SendMessageBatch(input, call) {
      const { QueueUrl, Entries } = parseInput('SendMessageBatch', sendBatch, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'SendMessage', queue);
      access.requireKey(call, queue, 'GenerateDataKey', 'Decrypt');
      const size = Entries.reduce(
        (sum, entry) => sum + sizeOf(entry.MessageBody, entry.MessageAttributes ?? {}),
        0,
      );
      if (size > 1_048_576)
        throw new ServiceError(
          'BatchRequestTooLong',
          `Batch requests cannot be longer than 1048576 bytes. You have sent ${size} bytes.`,
        );
      return runBatch(Entries, (entry) => send(queue, entry, call));
    },

    async ReceiveMessage(input, call) {
      const request = parseInput('ReceiveMessage', receiveInput, input);
      const queue = store.byUrl(request.QueueUrl);
      access.require(call, 'ReceiveMessage', queue);
      access.requireKey(call, queue, 'Decrypt');
      const {
        MaxNumberOfMessages = 1,
        WaitTimeSeconds = numberOf(queue.attributes, 'ReceiveMessageWaitTimeSeconds'),
        VisibilityTimeout = numberOf(queue.attributes, 'VisibilityTimeout'),
      } = request;
      requireRange(
        'MaxNumberOfMessages',
        MaxNumberOfMessages,
        1,
        10,
        'Must be between 1 and 10, if provided.',
      );
      requireRange('WaitTimeSeconds', WaitTimeSeconds, 0, 20, 'Must be >= 0 and <= 20, if provided.');
      requireRange(
        'VisibilityTimeout',
        VisibilityTimeout,
        0,
        43_200,
        'Must be between 0 and 43200, if provided.',
      );
      const system = [...(request.AttributeNames ?? []), ...(request.MessageSystemAttributeNames ?? [])];
      for (const name of system)
        if (!systemAttributes.includes(name))
          throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
      const messages = await queue.receive(MaxNumberOfMessages, WaitTimeSeconds, VisibilityTimeout);
      if (messages.length === 0) return {};
      return {
        Messages: messages.map((message) => received(message, system, request.MessageAttributeNames ?? [])),
      };
    },

    async DeleteMessage(input, call) {
      const { QueueUrl, ReceiptHandle } = parseInput('DeleteMessage', deleteInput, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'DeleteMessage', queue);
      queue.delete(ReceiptHandle);
      return {};
    },

    async DeleteMessageBatch(input, call) {
      const { QueueUrl, Entries } = parseInput('DeleteMessageBatch', deleteBatch, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'DeleteMessage', queue);
      return runBatch(Entries, (entry) => (queue.delete(entry.ReceiptHandle), {}));
    },

    async ChangeMessageVisibility(input, call) {
      const request = parseInput('ChangeMessageVisibility', visibilityInput, input);
      const queue = store.byUrl(request.QueueUrl);
      access.require(call, 'ChangeMessageVisibility', queue);
      changeVisibility(queue, request.ReceiptHandle, request.VisibilityTimeout);
      return {};
    },

    async ChangeMessageVisibilityBatch(input, call) {
      const { QueueUrl, Entries } = parseInput('ChangeMessageVisibilityBatch', visibilityBatch, input);
      const queue = store.byUrl(QueueUrl);
      access.require(call, 'ChangeMessageVisibility', queue);
      return runBatch(
        Entries,
        (entry) => (changeVisibility(queue, entry.ReceiptHandle, entry.VisibilityTimeout), {}),
      );
    },
  };
}

/** Runs a batch entry by entry: one that fails does not fail the others. */
function runBatch<Entry extends { readonly Id: string }>(
  entries: readonly Entry[],
  run: (entry: Entry) => object,
): object {
  if (entries.length === 0)
    throw new ServiceError(
      'EmptyBatchRequest',
      'There should be at least one SendMessageBatchRequestEntry in the request.',
    );
  if (entries.length > 10)
    throw new ServiceError(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  const ids = new Set<string>();
  for (const { Id } of entries) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(Id))
      throw new ServiceError(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    if (ids.has(Id)) throw new ServiceError('BatchEntryIdsNotDistinct', `Id ${Id} repeated.`);
    ids.add(Id);
  }
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...run(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      Failed.push({ Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful, Failed };
}

function received(message: Message, system: readonly string[], wanted: readonly string[]): object {
  const attributes = selectAttributes(message.attributes, wanted);
  const values: Readonly<Record<string, string | undefined>> = {
    SenderId: message.senderId,
    SentTimestamp: String(Math.floor(message.sentAt)),
    ApproximateReceiveCount: String(message.receiveCount),
    ApproximateFirstReceiveTimestamp: String(Math.floor(message.firstReceivedAt ?? 0)),
    AWSTraceHeader: message.traceHeader,
    DeadLetterQueueSourceArn: message.deadLetterSourceArn,
  };
  const selected = Object.entries(values).filter(
    ([name, value]) => value !== undefined && (system.includes('All') || system.includes(name)),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(selected.length > 0 && { Attributes: Object.fromEntries(selected) }),
    ...(Object.keys(attributes).length > 0 && {
      MessageAttributes: attributes,
      MD5OfMessageAttributes: md5OfAttributes(attributes),
    }),
  };
}

function checkMessage(
  queue: Queue,
  body: string,
  attributes: MessageAttributes,
  delaySeconds: number | undefined,
): void {
  if (body === '')
    throw new ServiceError('MissingParameter', 'The request must contain the parameter MessageBody.');
  // XML 1.0 decides what a message may hold, also since SQS speaks JSON.

  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(body))
    throw new ServiceError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    );
  checkAttributes(attributes);
  const longest = numberOf(queue.attributes, 'MaximumMessageSize');
  if (sizeOf(body, attributes) > longest)
    throw new ServiceError(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${longest} bytes.`,
    );
  if (delaySeconds !== undefined)
    requireRange('DelaySeconds', delaySeconds, 0, 900, 'DelaySeconds must be >= 0 and <= 900.');
}

function sizeOf(body: string, attributes: MessageAttributes): number {
  return Buffer.byteLength(body) + sizeOfAttributes(attributes);
}

function changeVisibility(queue: Queue, receiptHandle: string, seconds: number): void {
  requireRange(
    'VisibilityTimeout',
    seconds,
    0,
    43_200,
    'VisibilityTimeout must be an integer between 0 and 43200.',
  );
  queue.changeVisibility(receiptHandle, seconds);
}

function requireRange(name: string, value: number, smallest: number, largest: number, reason: string): void {
  if (value < smallest || value > largest)
    throw new ServiceError(
      'InvalidParameterValue',
      `Value ${value} for parameter ${name} is invalid. Reason: ${reason}`,
    );
}
