import * as z from 'zod';
import { consumerSource, detailTypes, eventSchemas, operatorSource, rotorSource } from '../../domain/events';
import { descriptions, meanings, moments, type DetailType } from './descriptions';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Which dialect: draft 2020-12 for the published files, draft 7 for AsyncAPI, whose schemas are built on it. */
export type Dialect = 'draft-2020-12' | 'draft-7';

/** Source that each type of event is put with. */
export const sources = {
  [detailTypes.started]: rotorSource,
  [detailTypes.refreshRequested]: rotorSource,
  [detailTypes.refreshAcknowledged]: consumerSource,
  [detailTypes.succeeded]: rotorSource,
  [detailTypes.failed]: rotorSource,
  [detailTypes.held]: rotorSource,
  [detailTypes.decided]: operatorSource,
} as const satisfies Readonly<Record<DetailType, string>>;

/** All types of events, in the order of their declaration. */
export const allTypes: readonly DetailType[] = Object.values(detailTypes);

/** A detail type as file names and ids have it: `Secret Rotation Started` is `secret-rotation-started`. */
export function slug(type: DetailType): string {
  return type.toLowerCase().replaceAll(' ', '-');
}

/**
 * The detail of one type, as a publisher may write it: members that are not known are let through, as readers have to.
 *
 * DescriptionMissing where a member of the schema has none.
 */
export function detailSchema(type: DetailType, dialect: Dialect): JsonSchema {
  const schema = z.toJSONSchema(eventSchemas[type], { io: 'input', target: dialect });
  const { $schema: _, ...rest } = described(type, schema, []);
  return { title: type, description: meanings[type], ...rest };
}

/** One type of event as EventBridge delivers it: the envelope with this detail type, its source and its detail. */
export function eventSchema(type: DetailType, dialect: Dialect, detail: JsonSchema): JsonSchema {
  const { properties, ...envelope } = envelopeSchema(dialect);
  return {
    title: type,
    description: meanings[type],
    ...envelope,
    properties: {
      ...properties,
      'detail-type': { const: type, description: 'What kind of event it is.' },
      source: { const: sources[type], description: 'Who speaks; IAM says who may.' },
      detail,
    },
  };
}

/** What EventBridge puts around every detail, whoever put it. */
export function envelopeSchema(dialect: Dialect): JsonSchema & { readonly properties: JsonSchema } {
  const text = (description: string) => ({ type: 'string', description });
  const properties = {
    version: { const: '0', description: 'Version of the envelope.' },
    id: text('Id of the event. A second delivery of the same event has the same one.'),
    'detail-type': text('What kind of event it is.'),
    source: text('Who speaks; IAM says who may.'),
    account: { ...text('Account that put the event.'), pattern: '^\\d{12}$' },
    time: { ...text('When it was put, ISO 8601 in whole seconds.'), format: 'date-time' },
    region: text('Region of the bus that took it.'),
    resources: {
      type: 'array',
      items: { type: 'string' },
      description: 'Resources that the event is about; empty here.',
    },
    detail: { type: 'object', description: 'What is said.' },
  };
  return {
    ...(dialect === 'draft-7' ? {} : { $schema: 'https://json-schema.org/draft/2020-12/schema' }),
    type: 'object',
    properties,
    required: Object.keys(properties),
  };
}

/** A member of an event's schema has no description in descriptions.ts. */
export class DescriptionMissing extends Error {
  override readonly name = 'DescriptionMissing';
}

/** Where descriptions.ts says what a member of a type's detail means; undefined where it does not. */
export function descriptionKey(type: DetailType, path: string): string | undefined {
  return [`${type} ${path}`, path].find((key) => descriptions[key] !== undefined);
}

function described(type: DetailType, schema: JsonSchema, path: readonly string[]): JsonSchema {
  const { properties, items } = schema;
  return {
    ...schema,
    ...(isObject(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, member]) => [
              name,
              isObject(member) ? explained(type, member, [...path, name]) : member,
            ]),
          ),
        }
      : {}),
    ...(isObject(items) ? { items: described(type, items, path) } : {}),
  };
}

function explained(type: DetailType, member: JsonSchema, path: readonly string[]): JsonSchema {
  const name = path.join('.');
  const key = descriptionKey(type, name);
  if (key === undefined) throw new DescriptionMissing(`${type}: ${name} has no description`);
  return {
    description: descriptions[key],
    ...described(type, member, path),
    ...(moments.includes(name) ? { format: 'date-time' } : {}),
  };
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
