import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parse } from 'yaml';
import { detailTypes, eventSchemas } from '../../domain/events';
import { exampleEvent } from '../../local/contract/asyncapi';
import { descriptions, moments } from '../../local/contract/descriptions';
import { examples } from '../../local/contract/examples';
import { contractFiles, contractFolder } from '../../local/contract/files';
import { allTypes, descriptionKey, detailSchema } from '../../local/contract/json-schemas';
import { publishedSchemas } from './published-schemas';

const root = path.join(__dirname, '../..');
/** AsyncAPI's own schema; TypeScript would take minutes over its type. */
const official = createRequire(__filename)('@asyncapi/specs/schemas/3.0.0.json') as object;
const read = (name: string) => readFileSync(path.join(root, name), 'utf8');
const { version } = JSON.parse(read('package.json')) as { readonly version: string };

test('the published files are those that `npm run contract` makes', () => {
  const published = readdirSync(path.join(root, contractFolder)).filter((name) => name !== 'README.md');
  const made = contractFiles(version);
  expect(published.sort()).toEqual([...made.keys()].sort());
  for (const [name, text] of made)
    expect(`${name}\n${read(path.join(contractFolder, name))}`).toBe(`${name}\n${text}`);
});

describe('the descriptions', () => {
  const paths = allTypes.flatMap((type) =>
    pathsOf(detailSchema(type, 'draft-7')).map((name) => [type, name] as const),
  );

  test.each(paths)('of %s: %s is there', (type, name) => {
    expect(descriptions[descriptionKey(type, name) ?? '']).toMatch(/^[\w'].*\.$/);
  });

  test('are used, all of them', () => {
    const used = new Set(paths.map(([type, name]) => descriptionKey(type, name)));
    expect(Object.keys(descriptions).filter((key) => !used.has(key))).toEqual([]);
    expect(moments.filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('the JSON Schemas', () => {
  const schemas = publishedSchemas();

  test.each(allTypes)('take the example of %s', (type) => {
    expect(schemas.faults(exampleEvent(type))).toEqual([]);
    // The orchestrator's own schema agrees.
    expect(eventSchemas[type].safeParse(examples[type])).toMatchObject({ success: true });
  });

  test.each(allTypes)('let members of %s through that they do not know', (type) => {
    const event = exampleEvent(type);
    expect(schemas.faults({ ...event, detail: { ...examples[type], later: 1 } })).toEqual([]);
  });

  test.each([
    ['a member that lacks', { taskToken: undefined }],
    ['an outcome that does not exist', { outcome: 'done' }],
    ['a token that is too long', { taskToken: 'x'.repeat(2049) }],
    ['an instant that is none', { time: 'yesterday' }],
    ['another version of the contract', { schemaVersion: '2' }],
  ])('refuse %s', (_, members) => {
    const type = detailTypes.refreshAcknowledged;
    const event = JSON.parse(
      JSON.stringify({ ...exampleEvent(type), detail: { ...examples[type], ...members } }),
    ) as unknown;
    expect(schemas.faults(event)).toHaveLength(1);
  });

  test('refuse an answer from a source that may not answer', () => {
    expect(
      schemas.faults({ ...exampleEvent(detailTypes.refreshAcknowledged), source: 'rotor' }),
    ).toHaveLength(1);
  });

  test('have an envelope that fits every event', () => {
    const envelope: unknown = JSON.parse(read(`${contractFolder}/eventbridge-envelope.schema.json`));
    const validate = addFormats(new Ajv2020()).compile(envelope as object);
    for (const type of allTypes) expect(validate(exampleEvent(type))).toBe(true);
    expect(validate({ ...exampleEvent(detailTypes.started), account: 'mine' })).toBe(false);
  });
});

describe('the AsyncAPI document', () => {
  const document = parse(read(`${contractFolder}/asyncapi.yaml`)) as {
    readonly operations: Readonly<
      Record<string, { readonly action: string; readonly messages: readonly object[] }>
    >;
    readonly components: {
      readonly messages: Readonly<
        Record<
          string,
          { readonly payload: object; readonly examples: readonly { readonly payload: unknown }[] }
        >
      >;
    };
  };

  test('has no reference that leads nowhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, to]) => to ?? '',
    );
    const lost = references.filter((to) => to.split('/').reduce<unknown>(step, document) === undefined);
    expect(references.length).toBeGreaterThan(20);
    expect(lost).toEqual([]);
  });

  test('lets Rotor send what it says, and receive what others say', () => {
    const sent = Object.entries(document.operations).map(([name, { action }]) => `${action} ${name}`);
    expect(sent).toEqual(
      expect.arrayContaining(['send sendSecretRefreshRequested', 'receive receiveSecretRefreshAcknowledged']),
    );
    expect(sent).toHaveLength(allTypes.length);
  });

  test.each(Object.entries(document.components.messages))(
    'has a payload for %s that fits its example',
    (_, message) => {
      const ajv = addFormats(new Ajv({ strict: false }));
      const validate = ajv.compile({ ...message.payload, components: document.components });
      for (const { payload } of message.examples) expect(validate(payload)).toBe(true);
      expect(validate({})).toBe(false);
    },
  );

  test('is valid by the official schema of AsyncAPI 3.0', () => {
    // It brings the schema of draft 7 along, which Ajv must not have as well.
    const ajv = new Ajv({ strict: false, meta: false, validateSchema: false });
    const validate = addFormats(ajv).compile(official);
    validate(document);
    expect(validate.errors).toBeNull();
    expect(validate({ ...document, asyncapi: '2.6.0' })).toBe(false);
  });
});

/** Every member of a detail, by its path. */
function pathsOf(schema: unknown, path: readonly string[] = []): string[] {
  const properties = step(schema, 'properties');
  const own = Object.entries(properties instanceof Object ? properties : {}).flatMap(([name, member]) => [
    [...path, name].join('.'),
    ...pathsOf(member, [...path, name]),
  ]);
  const items = step(schema, 'items');
  return items === undefined ? own : [...own, ...pathsOf(items, path)];
}

function step(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined;
}
