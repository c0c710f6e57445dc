import type { Event } from '../../../local/events/event';
import { compileTargetInput } from '../../../local/events/target-input';

const event: Event = {
  version: '0',
  id: 'e-1',
  'detail-type': 'Thing "Happened"',
  source: 'app',
  account: '111122223333',
  time: '2026-01-01T00:00:00Z',
  region: 'us-east-1',
  resources: ['arn:a'],
  detail: { name: 'a "quoted" name', count: 3, list: [{ x: 1 }], 'odd key': true },
};
const context = { ruleArn: 'arn:rule', ruleName: 'rule', ingestedAt: Date.UTC(2026, 0, 1) };
const render = (target: Parameters<typeof compileTargetInput>[1]) =>
  compileTargetInput('t', target)(event, context);
const transform = (InputTemplate: string, InputPathsMap: Record<string, string> = {}) =>
  render({ InputTransformer: { InputTemplate, InputPathsMap } });

test('without anything said the target gets the whole event', () => {
  expect(JSON.parse(render({}))).toEqual(event);
});

test('a constant input is passed on as it stands', () => {
  expect(render({ Input: '{ "a": 1 }' })).toBe('{ "a": 1 }');
});

test.each([
  ['$', event],
  ['$.detail', event.detail],
  ['$.resources[0]', 'arn:a'],
  ['$.detail.list[0].x', 1],
  ["$.detail['odd key']", true],
  ['$.detail-type', event['detail-type']],
  ['$.detail.none', null],
])('the input path %s selects its part', (InputPath, expected) => {
  expect(JSON.parse(render({ InputPath }))).toEqual(expected);
});

test('a template makes JSON of texts, numbers and objects', () => {
  const text = transform('{"name": <name>, "count": <count>, "list": <list>, "none": <none>}', {
    name: '$.detail.name',
    count: '$.detail.count',
    list: '$.detail.list',
    none: '$.detail.none',
  });
  expect(JSON.parse(text)).toEqual({ name: 'a "quoted" name', count: 3, list: [{ x: 1 }], none: null });
});

test('a variable inside a string is escaped, so that no event can break out of it', () => {
  const paths = { name: '$.detail.name', list: '$.detail.list', none: '$.detail.none' };
  expect(JSON.parse(transform('"<name>/<list>/<none>!"', paths))).toBe('a "quoted" name/[{"x":1}]/!');
});

test('a template of several strings keeps its lines', () => {
  expect(transform('"one <n>"\n"two"', { n: '$.detail.count' })).toBe('"one 3"\n"two"');
});

test('the reserved variables tell of rule and event', () => {
  const text = transform(
    '{"rule": <aws.events.rule-arn>, "name": "<aws.events.rule-name>", "at": <aws.events.event.ingestion-time>, "event": <aws.events.event.json>, "head": <aws.events.event>}',
  );
  const { detail: _detail, ...head } = event;
  expect(JSON.parse(text)).toEqual({
    rule: 'arn:rule',
    name: 'rule',
    at: '2026-01-01T00:00:00.000Z',
    event,
    head,
  });
});

test.each([
  [{ Input: 'no json' }, /JSON syntax error/],
  [{ Input: '1', InputPath: '$' }, /Only one of Input/],
  [{ InputPath: 'detail' }, /Invalid JSON path/],
  [{ InputPath: '$..x' }, /does not implement the JSON path/],
  [{ InputTransformer: { InputTemplate: '{"a": <unknown>}' } }, /Invalid InputTemplate/],
  [{ InputTransformer: { InputTemplate: 'plain text' } }, /Invalid InputTemplate/],
  [{ InputTransformer: { InputTemplate: '"a"', InputPathsMap: { 'aws.x': '$' } } }, /reserved name/],
])('an input that could not be delivered is refused, case %#', (target, message) => {
  expect(() => compileTargetInput('t', target)).toThrow(message);
});
