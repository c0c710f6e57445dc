import * as z from 'zod';

/** Text; numbers and booleans are taken as text, as CloudFormation does. */
export const text = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);

/** A whole number, also when a parameter gave it as text. */
export const whole = z.union([
  z.int(),
  z
    .string()
    .regex(/^-?\d+$/)
    .transform(Number),
]);

/** True or false, also as text. */
export const flag = z.union([
  z.boolean(),
  z.enum(['true', 'false', 'True', 'False']).transform((value) => value.toLowerCase() === 'true'),
]);

/** A JSON document, such as a policy or an event pattern; its members are not CloudFormation's. */
export const document = z.record(z.string(), z.unknown());

/** A policy given as a document or as its text. */
export const policyDocument = z.union([
  document,
  z.string().transform((source, context) => {
    try {
      return document.parse(JSON.parse(source));
    } catch {
      context.issues.push({ code: 'custom', message: 'is not a JSON object', input: source });
      return z.NEVER;
    }
  }),
]);

/** Tags as most resources take them. */
export const tags = z.array(z.strictObject({ Key: z.string(), Value: text })).optional();

/** Tags as a map, as the operations of Lambda and SQS take them; undefined when there are none. */
export function tagMap(list: z.infer<typeof tags>): Record<string, string> | undefined {
  return list === undefined ? undefined : Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
}
