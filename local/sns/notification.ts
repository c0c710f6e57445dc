import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ServiceError } from '../kernel/service';
import { isRecord } from '../gateway/wire-values';
import { invalidParameter } from './invalid-parameter';
import type { SubscriptionProtocol } from './topic';

/** One attribute of a message as the API carries it; binary values in base64. */
export const messageAttribute = z.strictObject({
  DataType: z.string(),
  StringValue: z.string().optional(),
  BinaryValue: z.string().optional(),
});

type MessageAttributes = Readonly<Record<string, z.infer<typeof messageAttribute>>>;

/** What was published, and what each protocol is to get of it. */
export interface Notification {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  /** Message as published: with MessageStructure json the whole object. */
  readonly message: string;
  /** Message by protocol; `default` is for those that are not listed. */
  readonly messages: Readonly<Record<string, string>>;
  readonly attributes: MessageAttributes;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Input of Publish as far as it says what is published. */
export interface Publication {
  readonly topicArn: string;
  readonly message: string;
  readonly subject?: string | undefined;
  readonly structure?: string | undefined;
  readonly attributes: MessageAttributes;
}

/** Checks what is to be published, in the order and the words of AWS. */
export function createNotification(publication: Publication, at: number): Notification {
  const { topicArn, message, subject, structure, attributes } = publication;
  if (message === '') throw invalidParameter('Empty message');
  if (Buffer.byteLength(message) > 262_144) throw invalidParameter('Message too long');
  // Printable ASCII of 100 characters at most, not beginning with a space.
  if (subject !== undefined && !/^[\u0021-\u007e][\u0020-\u007e]{0,99}$/.test(subject))
    throw invalidParameter('Subject');
  checkAttributes(attributes);
  const messages = structure === undefined ? { default: message } : parseMessages(structure, message);
  return { messageId: randomUUID(), topicArn, subject, message, messages, attributes, at: Math.floor(at) };
}

/** The message for one protocol. */
export function messageFor(notification: Notification, protocol: SubscriptionProtocol): string {
  return notification.messages[protocol] ?? notification.messages['default'] ?? '';
}

/**
 * The envelope around a message for queues and HTTP endpoints.
 *
 * Nobody but AWS can sign it: Signature is empty, and there is no certificate behind the URL.
 */
export function envelopeFor(
  notification: Notification,
  protocol: SubscriptionProtocol,
  subscriptionArn: string,
) {
  const { messageId, topicArn, subject, attributes, at } = notification;
  const region = topicArn.split(':')[3] ?? '';
  const host = `https://sns.${region}.amazonaws.com`;
  const entries = Object.entries(attributes).map(([name, attribute]) => [
    name,
    { Type: attribute.DataType, Value: attribute.StringValue ?? attribute.BinaryValue },
  ]);
  return {
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    ...(subject !== undefined && { Subject: subject }),
    Message: messageFor(notification, protocol),
    Timestamp: new Date(at).toISOString(),
    SignatureVersion: '1',
    Signature: '',
    SigningCertURL: `${host}/SimpleNotificationService.pem`,
    UnsubscribeURL: `${host}/?Action=Unsubscribe&SubscriptionArn=${subscriptionArn}`,
    ...(entries.length > 0 && { MessageAttributes: Object.fromEntries(entries) as object }),
  };
}

/** The event that a subscribed function is invoked with. */
export function lambdaEventFor(notification: Notification, subscriptionArn: string): object {
  const { Subject, SigningCertURL, UnsubscribeURL, MessageAttributes, ...rest } = envelopeFor(
    notification,
    'lambda',
    subscriptionArn,
  );
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          ...rest,
          Subject: Subject ?? null,
          SigningCertUrl: SigningCertURL,
          UnsubscribeUrl: UnsubscribeURL,
          MessageAttributes: MessageAttributes ?? {},
        },
      },
    ],
  };
}

function parseMessages(structure: string, message: string): Readonly<Record<string, string>> {
  if (structure !== 'json') throw invalidParameter('MessageStructure');
  let parsed: unknown;
  try {
    parsed = JSON.parse(message);
  } catch {
    // The parser's message quotes the text.
  }
  if (!isRecord(parsed)) throw invalidParameter('Message Structure - JSON message body failed to parse');
  const texts = Object.entries(parsed).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  );
  const messages = Object.fromEntries(texts);
  if (messages['default'] === undefined)
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  return messages;
}

function checkAttributes(attributes: MessageAttributes): void {
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    const [type = ''] = DataType.split('.');
    if (!['String', 'Number', 'Binary'].includes(type))
      throw new ServiceError(
        'ParameterValueInvalid',
        `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
      );
    const value = type === 'Binary' ? BinaryValue : StringValue;
    if (value === undefined || value === '')
      throw new ServiceError(
        'ParameterValueInvalid',
        `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${DataType}'.`,
      );
  }
}
