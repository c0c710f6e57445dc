import '../functions/lambda-environment';
import { createSecretInput } from '../../functions/create-secret';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { lambdaContext } from '../functions/lambda-environment';
import type { Handler } from '../../functions/task';
import { allStates } from './workflow';

const functionsFolder = path.resolve(__dirname, '..', '..', 'functions');

/** Each task that invokes a function: its name, the function's file, and the payload. */
const invocations = allStates.flatMap(([name, { Resource, Arguments }]) => {
  if (Resource !== 'arn:aws:states:::lambda:invoke') return [];
  const functionName = /^\$\{(\w+)FunctionArn\}$/.exec(String(Arguments?.['FunctionName']))?.[1] ?? '';
  const file = functionName.replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const payload = Arguments?.['Payload'];
  if (typeof payload !== 'object' || payload === null) throw new Error(`${name} sends no object`);
  return [{ name, file, payload: { ...payload } }];
});

/** The fields that a function asks for, from its own refusal of an input without them. */
async function fieldsOf(
  file: string,
  payload: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  if (file === 'rotation') return Object.keys(createSecretInput.def.shape);
  const { handler } = jest.requireActual<{ readonly handler: Handler }>(
    path.join(functionsFolder, `${file}.ts`),
  );
  const given = 'action' in payload ? { action: payload['action'] } : {};
  const refusal = await handler(given, lambdaContext(file)).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );
  const [, fields] = /^[\w-]+: wrong or missing: (.*)$/.exec(refusal) ?? [];
  if (fields === undefined) throw new Error(`function ${file} refuses no empty input`);
  return [...Object.keys(given), ...fields.split(', ')];
}

test('each function that the workflow invokes is a file', () => {
  const files = readdirSync(functionsFolder);
  expect(invocations.length).toBeGreaterThan(12);
  expect(invocations.filter(({ file }) => !files.includes(`${file}.ts`))).toEqual([]);
});

test.each(invocations)('$name sends exactly what function $file asks for', async ({ file, payload }) => {
  expect(Object.keys(payload).sort()).toEqual([...(await fieldsOf(file, payload))].sort());
});
