import { readdirSync } from 'node:fs';
import path from 'node:path';
import { environments, readEnvironment } from '../../functions/environment';

const folder = path.resolve(__dirname, '..', '..', 'functions');

test('each function that has an environment is a file that exports a handler, and the other way round', () => {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts'));
  const withHandler = files.filter((file) => {
    process.env['STATE_MACHINE_ARN'] = process.env['ALERT_TOPIC_ARN'] = process.env['RUNBOOK_URL'] = 'set';
    const module: unknown = jest.requireActual(path.join(folder, file));
    return typeof module === 'object' && module !== null && 'handler' in module;
  });
  expect(withHandler.map((file) => file.replace('.ts', '')).sort()).toEqual(Object.keys(environments).sort());
});

test('what is missing, or empty, is named', () => {
  process.env['ALERT_TOPIC_ARN'] = '';
  delete process.env['RUNBOOK_URL'];
  expect(() => readEnvironment('alert')).toThrow('function alert lacks ALERT_TOPIC_ARN, RUNBOOK_URL');
});

test("only the function's own variables are read", () => {
  process.env['STATE_MACHINE_ARN'] = 'arn';
  expect(readEnvironment('rotation')).toEqual({ STATE_MACHINE_ARN: 'arn' });
  expect(readEnvironment('plan')).toEqual({});
});
