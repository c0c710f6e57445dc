import path from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';
import * as z from 'zod';
import {
  busName,
  decisions,
  detailTypes,
  eventSchemas,
  operatorSource,
  rotorSource,
} from '../../domain/events';
import { consumerParameter, heldLabel, secretPolicyParameter } from '../../domain/names';
import { parseEnrolment, parsePolicy } from '../../domain/policy';
import { requestPattern } from '../../infra/event-patterns';
import { functionNames } from '../../infra/rotor-functions';
import { parseFault } from '../../local/rehearsal/faults';
import { parseOptions, usage } from '../../local/rehearsal/options';
import { rotatorNames } from '../../rotators/registry';
import { codeBlocks, read, root, rowNames, section } from './markdown';
import { scripts } from './package-scripts';
import { caughtTransitions, stateRows, transitions } from './statemachine-table';

const readme = read('README.md');
const diagrams = codeBlocks(readme, 'mermaid');
const drawn = diagrams.flatMap((diagram) =>
  [...diagram.matchAll(/^ *(\w+|\[\*\]) --> (\w+|\[\*\])/gm)].map(([, from = '', to = '']) => ({ from, to })),
);

describe('the picture of the workflow', () => {
  test('has the states of the workflow and no others', () => {
    const names = new Set(drawn.flatMap(({ from, to }) => [from, to]).filter((name) => name !== '[*]'));
    expect([...names].sort()).toEqual(
      stateRows()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test('draws only ways that the workflow takes', () => {
    const real = new Set([...transitions(), ...caughtTransitions()]);
    const ways = drawn.filter(({ from, to }) => from !== '[*]' && to !== '[*]');
    expect(ways.map(({ from, to }) => `${from} --> ${to}`).filter((way) => !real.has(way))).toEqual([]);
  });

  test('draws every way but those of failures to WhatIsTrue and over what failed', () => {
    const ways = new Set(drawn.map(({ from, to }) => `${from} --> ${to}`));
    expect(transitions().filter((way) => !way.endsWith('WhatIsTrue') && !ways.has(way))).toEqual([]);
  });
});

describe('the code', () => {
  const snippets = codeBlocks(readme, 'ts').map((code, index) => ({
    // The first stands among the constructs, as it says; the others import Rotor as a package.
    file: path.join(root, index === 0 ? 'infra' : '.', `readme-snippet-${index}.ts`),
    code,
  }));

  test('compiles under the strictest settings of this project', () => {
    expect(snippets).toHaveLength(4);
    expect(compile(new Map(snippets.map(({ file, code }) => [file, code])))).toEqual([]);
  });

  test('shows the client as its own page does', () => {
    expect(codeBlocks(read('client/README.md'), 'ts')).toContain(snippets[2]?.code);
  });
});

describe('the events', () => {
  const [request, answer] = codeBlocks(readme, 'json').map((text): unknown => JSON.parse(text));

  test('hold a request as the workflow makes it', () => {
    const shape = z.strictObject({
      source: z.literal(rotorSource),
      'detail-type': z.literal(detailTypes.refreshRequested),
      detail: z.unknown(),
    });
    const { detail } = shape.parse(request);
    expect(eventSchemas[detailTypes.refreshRequested].parse(detail)).toEqual(detail);
  });

  test('hold an answer as the function acknowledge takes it', () => {
    const shape = z.looseObject({
      Source: z.literal('rotor.consumer'),
      DetailType: z.literal(detailTypes.refreshAcknowledged),
      Detail: z.unknown(),
    });
    const { Detail: detail } = shape.parse(answer);
    expect(eventSchemas[detailTypes.refreshAcknowledged].parse(detail)).toEqual(detail);
  });
});

test('the table of events lists every detail type', () => {
  const rows = rowNames(section(readme, 'The workflow') ?? '');
  expect([...rows].sort()).toEqual(Object.values(detailTypes).sort());
});

describe('the decision about a held rotation', () => {
  const held = section(readme, 'When a rotation is held') ?? '';

  test('is one of those that the workflow takes', () => {
    expect(rowNames(held)).toEqual(decisions);
  });

  test('is put by the function for the shell as the function decide takes it', () => {
    const [code = ''] = codeBlocks(held, 'bash');
    expect(code).toContain(`rotor_decide() ( # ${decisions.join('|')} `);
    expect(code).toContain(
      `EventBusName: "${busName}", Source: "${operatorSource}", DetailType: "${detailTypes.decided}"`,
    );
    const [, detail = ''] = /Detail: \(\{(.*)\} \| tojson\)/.exec(code) ?? [];
    expect([...detail.matchAll(/(\w+):/g)].map((match) => match[1])).toEqual(
      Object.keys(eventSchemas[detailTypes.decided].shape),
    );
  });
});

describe('the enrolment by hand', () => {
  test('puts a policy where Plan looks for it, and one that it takes', () => {
    const [, name, value] = /--name (\S+) --value '([^']+)'/.exec(readme) ?? [];
    expect(name).toBe(secretPolicyParameter('shop/db'));
    expect(parsePolicy(value, 'README')).toMatchObject({ onRefusal: 'back', drain: { quietSeconds: 30 } });
  });

  test('is the rule and the parameter that the construct makes', () => {
    const resources = z
      .object({
        Resources: z.record(z.string(), z.looseObject({ Properties: z.looseObject({}).optional() })),
      })
      .parse(parse(codeBlocks(readme, 'yaml')[0] ?? '', { logLevel: 'error' })).Resources;
    const { detailType, ...pattern } = requestPattern('shop/db', 'orders');
    expect(resources['Requests']?.Properties?.['EventPattern']).toEqual({
      ...pattern,
      'detail-type': detailType,
    });
    expect(resources['Enrolment']?.Properties?.['Name']).toBe(consumerParameter('shop/db', 'orders'));
    const value = z.string().parse(resources['Enrolment']?.Properties?.['Value']);
    expect(parseEnrolment(value, 'README')).toMatchObject({ wave: 1, deadlineSeconds: 600 });
  });

  test('lists every field of the policy and of the enrolment, and their defaults', () => {
    const policy = section(readme, 'Enrol a secret') ?? '';
    const every = everyField(
      parsePolicy('{"rotator":"r","settings":{},"admin":"a","group":{"name":"g"}}', ''),
    );
    expect(fieldsOf(policy).sort()).toEqual(Object.keys(every).sort());
    for (const [name, value] of Object.entries(parsePolicy(undefined, '')))
      expect([name, cell(policy, name)]).toEqual([
        name,
        typeof value === 'object' ? JSON.stringify(value) : String(value),
      ]);
    const enrolment = section(readme, 'Subscribe an application') ?? '';
    const fields = parseEnrolment('{"account":"111122223333","owner":"o","group":"g"}', '');
    expect(fieldsOf(enrolment).sort()).toEqual(Object.keys(fields).sort());
  });
});

describe('the commands', () => {
  test('exist', () => {
    const named = [...readme.matchAll(/npm (?:run ([\w-]+)|(start|test))/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });

  test('have the options that npm start prints', () => {
    expect(codeBlocks(readme, '')).toContain(usage);
  });

  test('are understood', () => {
    const lines = [...readme.matchAll(/`npm start -- ([^`]+)`/g)].map((match) => (match[1] ?? '').split(' '));
    expect(lines.length).toBeGreaterThan(5);
    for (const words of lines) expect(parseOptions(words)).toMatchObject({ json: false });
    expect(parseFault('SetSecret')).toMatchObject({ state: 'SetSecret' });
  });

  test('release the label that the workflow sets', () => {
    expect(readme).toContain(`--version-stage ${heldLabel} --remove-from-version-id <version>`);
  });
});

test('the figures stand between the marks of the bench, for every function and every rotator', () => {
  const [, figures = ''] = /<!-- bench -->\n\n([^]+)\n\n<!-- \/bench -->/.exec(readme) ?? [];
  const firsts = [...figures.matchAll(/^\| ([^|]+) \|/gm)].map((row) => row[1]);
  expect(firsts.filter((first) => first?.startsWith('bundle '))).toEqual(
    functionNames.map((name) => `bundle ${name}, minified`),
  );
  expect(firsts.slice(-rotatorNames.length)).toEqual(rotatorNames);
});

function everyField(policy: ReturnType<typeof parsePolicy>): object {
  const { rotator, admin, ...rest } = policy;
  return { rotator, admin, ...rest };
}

/** The fields that the tables of a text list, one or several in a row. */
function fieldsOf(text: string): string[] {
  return [...text.matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''),
  );
}

/** The default that a table gives for a field. */
function cell(text: string, field: string): string | undefined {
  return new RegExp(`^\\| \`${field}\` \\| ([^|]+) \\|`, 'm').exec(text)?.[1]?.replaceAll('`', '');
}

/** What the compiler says about files that exist in memory only. */
function compile(files: ReadonlyMap<string, string>): readonly string[] {
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const host = ts.createCompilerHost(options);
  const readFile = host.readFile.bind(host);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.getSourceFile = (name, language) => {
    const code = files.get(name);
    return code === undefined ? getSourceFile(name, language) : ts.createSourceFile(name, code, language);
  };
  const program = ts.createProgram(
    [...files.keys()],
    { ...options, incremental: false, paths: { 'rotor/*': [path.join(root, '*')] } },
    host,
  );
  return [...files.keys()].flatMap((name) =>
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(name))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  );
}
