import { ServiceError } from '../kernel/service';

/** Where messages go that were received too often. */
export interface Redrive {
  readonly deadLetterTargetArn: string;
  readonly maxReceiveCount: number;
}

/** Whole-number attributes: smallest, largest and default value, in seconds or bytes. */
const numbers: Readonly<Record<string, readonly [smallest: number, largest: number, byDefault: number]>> = {
  DelaySeconds: [0, 900, 0],
  MaximumMessageSize: [1024, 1_048_576, 1_048_576],
  MessageRetentionPeriod: [60, 1_209_600, 345_600],
  ReceiveMessageWaitTimeSeconds: [0, 20, 0],
  VisibilityTimeout: [0, 43_200, 30],
  KmsDataKeyReusePeriodSeconds: [60, 86_400, 300],
};

const texts = ['KmsMasterKeyId', 'Policy', 'RedrivePolicy', 'SqsManagedSseEnabled'];

/** Every attribute that can be set. */
export const settable: readonly string[] = [...Object.keys(numbers), ...texts];

/** Checks attributes that a caller wants to set; an attribute that is empty is taken away. */
export function checkQueueAttributes(attributes: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'FifoQueue' || name === 'ContentBasedDeduplication' || name === 'DeduplicationScope')
      throw new ServiceError('UnsupportedParameter', 'The embedded cloud does not implement FIFO queues.');
    if (name === 'RedriveAllowPolicy')
      throw new ServiceError(
        'UnsupportedParameter',
        'The embedded cloud does not implement RedriveAllowPolicy.',
      );
    if (!settable.includes(name))
      throw new ServiceError('InvalidAttributeName', `Unknown Attribute ${name}.`);
    const range = numbers[name];
    if (range !== undefined && !isWithin(value, range)) throw invalid(name);
    if (name === 'Policy' && value !== '') parseObject(name, value);
    if (name === 'RedrivePolicy' && value !== '') redriveOf({ RedrivePolicy: value });
    if (name === 'SqsManagedSseEnabled' && !/^(true|false)$/i.test(value)) throw invalid(name);
  }
}

/** A whole-number attribute's value, or its default. */
export function numberOf(attributes: Readonly<Record<string, string>>, name: keyof typeof numbers): number {
  return Number(attributes[name] ?? numbers[name]?.[2]);
}

/** The values that attributes have without being set. */
export const defaults: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(numbers)
    .filter(([name]) => name !== 'KmsDataKeyReusePeriodSeconds')
    .map(([name, [, , byDefault]]) => [name, String(byDefault)]),
);

/** The queue's policy as a document. */
export function policyOf(attributes: Readonly<Record<string, string>>): object | undefined {
  const text = attributes['Policy'];
  return text === undefined ? undefined : parseObject('Policy', text);
}

/** The queue's redrive policy. */
export function redriveOf(attributes: Readonly<Record<string, string>>): Redrive | undefined {
  const text = attributes['RedrivePolicy'];
  if (text === undefined) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = parseObject('RedrivePolicy', text);
  const count = Number(maxReceiveCount);
  if (typeof deadLetterTargetArn !== 'string')
    throw redriveInvalid(text, 'Redrive policy does not contain mandatory attribute: deadLetterTargetArn.');
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw redriveInvalid(text, 'Invalid value for maxReceiveCount: must be an integer between 1 and 1000.');
  return { deadLetterTargetArn, maxReceiveCount: count };
}

/** The error for a redrive policy that cannot be. */
export function redriveInvalid(text: string, reason: string): ServiceError {
  return new ServiceError(
    'InvalidParameterValue',
    `Value ${text} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
  );
}

function parseObject(name: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // Answered below, like any other wrong value.
  }
  throw invalid(name);
}

function isWithin(value: string, [smallest, largest]: readonly [number, number, number]): boolean {
  return /^\d+$/.test(value) && Number(value) >= smallest && Number(value) <= largest;
}

function invalid(name: string): ServiceError {
  return new ServiceError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`);
}
