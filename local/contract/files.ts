import { stringify } from 'yaml';
import { asyncApi } from './asyncapi';
import { allTypes, detailSchema, envelopeSchema, eventSchema, slug, type JsonSchema } from './json-schemas';

/** Where the published contract stands. */
export const contractFolder = 'docs/contract';

const madeBy = 'Made by `npm run contract` from domain/events.ts; not edited by hand.';

/** Prettier's width, which the files keep, so that they need no exception from the check of the format. */
const width = 110;

/** All files of the contract, by name: an AsyncAPI document, and a JSON Schema of each type of event. */
export function contractFiles(version: string): ReadonlyMap<string, string> {
  const schemas = allTypes.map((type): [string, string] => {
    const detail = detailSchema(type, 'draft-2020-12');
    const { $schema, ...event } = eventSchema(type, 'draft-2020-12', { $ref: '#/$defs/detail' });
    const named = {
      $schema,
      $id: `urn:rotor:event:1:${slug(type)}`,
      $comment: madeBy,
      ...event,
      $defs: { detail },
    };
    return [`${slug(type)}.schema.json`, `${json(named)}\n`];
  });
  const { $schema, ...envelope } = envelopeSchema('draft-2020-12');
  const named = {
    $schema,
    $id: 'urn:rotor:event:1:eventbridge-envelope',
    $comment: madeBy,
    title: 'An event as EventBridge delivers it',
    ...envelope,
  };
  return new Map([
    [
      'asyncapi.yaml',
      `# ${madeBy}\n${stringify(asyncApi(version), { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false })}`,
    ],
    ['eventbridge-envelope.schema.json', `${json(named)}\n`],
    ...schemas,
  ]);
}

/** JSON as Prettier writes it: an object a member a line, a list on one line where it fits with the comma that follows. */
function json(value: unknown, indent = '', taken = 0): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    const line = `[${items.map((item) => json(item)).join(', ')}]`;
    if (!line.includes('\n') && taken + line.length <= width) return line;
    return `[\n${items.map((item) => `${deeper}${json(item, deeper)}`).join(',\n')}\n${indent}]`;
  }
  const members = Object.entries(value as JsonSchema).map(([name, member], index, all) => {
    const start = `${deeper}${JSON.stringify(name)}: `;
    return `${start}${json(member, deeper, start.length + (index < all.length - 1 ? 1 : 0))}`;
  });
  return members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n${indent}}`;
}
