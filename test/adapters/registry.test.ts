import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { adapterDefinitions, adapterNames, resolveAdapter } from '../../adapters/definitions';
import { failureOf } from '../../adapters/failures';
import { violations } from '../import-rules';

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** An adapter that acts on nothing and only looks has no contract of acting once; it has tests of its own. */
const looksOnly: ReadonlySet<string> = new Set(['rds']);

test.each(adapterNames.filter((name) => !looksOnly.has(name)))(
  'adapter %s keeps the contract, on a counterpart of its own',
  (name) => {
    expect(read(`test/adapters/${name}.test.ts`).includes(`adapterContract('${name}',`)).toBe(true);
  },
);

describe.each(adapterNames)('adapter %s', (name) => {
  test('has an entry for its function', async () => {
    const main = (await import(`../../adapters/${name}/main`)) as Readonly<Record<string, unknown>>;
    expect(typeof main['handler']).toBe('function');
  });

  test('has a definition that loads no SDK', () => {
    const file = `adapters/${name}/definition.ts`;
    expect(existsSync(path.join(root, file))).toBe(true);
    expect(read(file)).not.toMatch(/from '@(aws-sdk|smithy)/);
    expect(violations(file, read(file))).toEqual([]);
  });

  test('refuses a misspelt setting by name, and looks at intervals that cost little', () => {
    const { settings, lookEverySeconds } = adapterDefinitions[name];
    const refused = settings.safeParse({ mispelt: 'x' });
    expect(JSON.stringify(refused.error?.issues)).toContain('mispelt');
    expect(lookEverySeconds).toBeGreaterThanOrEqual(1);
    expect(lookEverySeconds).toBeLessThanOrEqual(60);
  });
});

test('settings that are wrong are named field by field, and never quoted', () => {
  const resolve = () => resolveAdapter('ecs', { service: '', failedTasks: -4711 });
  expect(resolve).toThrow(
    'field service is missing or has a wrong form; field failedTasks is missing or has a wrong form',
  );
});

test.each([
  ['AccessDeniedException', true],
  ['ClusterNotFoundException', true],
  ['ThrottlingException', false],
  ['TooManyRequestsException', false],
  ['ServerException', false],
  ['TimeoutError', false],
] as const)('%s is permanent: %s', (name, permanent) => {
  expect(failureOf(Object.assign(new Error('x'), { name }))).toMatchObject({ name, permanent });
});

test('of what IAM says the action is told, and nothing else', () => {
  const message =
    'User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ecs:UpdateService on resource: arn:x because y';
  const error = Object.assign(new Error(message), { name: 'AccessDeniedException' });
  expect(failureOf(error).what).toBe('the adapter may not do this: ecs:UpdateService');
});

test('what a service says is not told, since it may quote what it was given', () => {
  const error = Object.assign(new Error("Value '{DB=hunter2}' at 'environment'"), {
    name: 'ValidationException',
  });
  expect(JSON.stringify(failureOf(error))).not.toContain('hunter2');
});
