import { createHash } from 'node:crypto';
import * as z from 'zod';
import { ServiceError } from '../kernel/service';

/** One attribute of a message as the API carries it; binary values in base64. */
export const messageAttribute = z.strictObject({
  DataType: z.string(),
  StringValue: z.string().optional(),
  BinaryValue: z.string().optional(),
});

/** One attribute, parsed. */
export type MessageAttribute = z.infer<typeof messageAttribute>;
/** The attributes of a message by name. */
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** Refuses attributes that AWS refuses: a type that does not exist, or no value for it. */
export function checkAttributes(attributes: MessageAttributes): void {
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    const [type = ''] = DataType.split('.');
    if (!['String', 'Number', 'Binary'].includes(type))
      throw new ServiceError(
        'InvalidParameterValue',
        `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
      );
    const value = type === 'Binary' ? BinaryValue : StringValue;
    if (value === undefined || value === '')
      throw new ServiceError(
        'InvalidParameterValue',
        `The message (user) attribute '${name}' must contain a non-empty message attribute value for message attribute type '${DataType}'.`,
      );
  }
}

/** MD5 of a text, in hexadecimal. */
export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/**
 * MD5 over attributes as SQS defines it, which clients compare: by name in order, each part with its length before it,
 * and one byte that says whether the value is text (1) or binary (2).
 */
export function md5OfAttributes(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const part = (data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    hash.update(length).update(data);
  };
  for (const name of names) {
    const { DataType = '', StringValue, BinaryValue } = attributes[name] ?? {};
    part(Buffer.from(name));
    part(Buffer.from(DataType));
    const binary = DataType.startsWith('Binary');
    hash.update(Buffer.from([binary ? 2 : 1]));
    part(binary ? Buffer.from(BinaryValue ?? '', 'base64') : Buffer.from(StringValue ?? ''));
  }
  return hash.digest('hex');
}

/** Size of attributes as it counts towards the message's: names, types and values. */
export function sizeOfAttributes(attributes: MessageAttributes): number {
  return Object.entries(attributes).reduce(
    (size, [name, { DataType, StringValue = '', BinaryValue = '' }]) =>
      size +
      Buffer.byteLength(name) +
      Buffer.byteLength(DataType) +
      Buffer.byteLength(StringValue) +
      Buffer.byteLength(BinaryValue, 'base64'),
    0,
  );
}

/** The attributes that a receiver asks for: by name, by prefix (`trace.*`), or all. */
export function selectAttributes(
  attributes: MessageAttributes,
  wanted: readonly string[],
): MessageAttributes {
  const matches = (name: string) =>
    wanted.some(
      (want) =>
        want === 'All' || want === name || (want.endsWith('.*') && name.startsWith(want.slice(0, -2))),
    );
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => matches(name)));
}
