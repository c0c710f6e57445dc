import { busName, detailTypes, rotorSource } from '../../domain/events';
import { meanings, type DetailType } from './descriptions';
import { examples } from './examples';
import { allTypes, detailSchema, eventSchema, slug, sources, type JsonSchema } from './json-schemas';

const introduction = `What Rotor and the applications say to each other on an Amazon EventBridge bus.

Rotor is the application that this document describes: it sends what it is asked to send here, and receives what it
receives. An application that uses a rotated secret does the opposite: it receives "${detailTypes.refreshRequested}"
through a rule of its own, and sends "${detailTypes.refreshAcknowledged}" with PutEvents.

Delivery is at least once and in no fixed order. Members that are not known must be ignored.`;

/** The contract as an AsyncAPI 3.0 document. `version` is the project's. */
export function asyncApi(version: string): JsonSchema {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Rotor', version, description: introduction, license: { name: 'MIT' } },
    defaultContentType: 'application/json',
    channels: {
      bus: {
        address: busName,
        title: 'The event bus',
        description: `An EventBridge bus, ${busName} unless the infrastructure names another.`,
        messages: byType((type) => ref('components', 'messages', camel(type))),
      },
    },
    operations: Object.fromEntries(allTypes.map((type) => [operationName(type), operation(type)])),
    components: {
      messages: byType((type) => ({
        name: type,
        title: type,
        summary: meanings[type],
        contentType: 'application/json',
        ...correlation(type),
        payload: eventSchema(type, 'draft-7', ref('components', 'schemas', camel(type))),
        examples: [{ name: slug(type), payload: exampleEvent(type) }],
      })),
      schemas: byType((type) => detailSchema(type, 'draft-7')),
    },
  };
}

/** One event of a type, as EventBridge delivers it. */
export function exampleEvent(type: DetailType): JsonSchema {
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': type,
    source: sources[type],
    account: '111122223333',
    time: '2026-03-01T03:00:00Z',
    region: 'eu-central-1',
    resources: [],
    detail: examples[type],
  };
}

function operation(type: DetailType): JsonSchema {
  const toChannel = { channel: ref('channels', 'bus') };
  const messagesOf = (...types: readonly DetailType[]) => ({
    messages: types.map((each) => ref('channels', 'bus', 'messages', camel(each))),
  });
  return {
    action: isSent(type) ? 'send' : 'receive',
    ...toChannel,
    summary: meanings[type],
    ...messagesOf(type),
    ...(type === detailTypes.refreshRequested
      ? { reply: { ...toChannel, ...messagesOf(detailTypes.refreshAcknowledged) } }
      : {}),
  };
}

function correlation(type: DetailType): JsonSchema {
  if (type !== detailTypes.refreshRequested && type !== detailTypes.refreshAcknowledged) return {};
  const description = 'The answer carries the token of the request that it answers.';
  return { correlationId: { description, location: '$message.payload#/detail/taskToken' } };
}

function isSent(type: DetailType): boolean {
  return sources[type] === rotorSource;
}

function operationName(type: DetailType): string {
  const name = camel(type);
  return `${isSent(type) ? 'send' : 'receive'}${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function byType(of: (type: DetailType) => JsonSchema): JsonSchema {
  return Object.fromEntries(allTypes.map((type) => [camel(type), of(type)]));
}

function camel(type: DetailType): string {
  return slug(type).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function ref(...path: readonly string[]): JsonSchema {
  return { $ref: `#/${path.join('/')}` };
}
