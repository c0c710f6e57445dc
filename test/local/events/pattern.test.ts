import { compilePattern } from '../../../local/events/pattern';
import { compileWildcard } from '../../../local/events/wildcard';
import { ServiceError } from '../../../local/kernel/service';

const event = {
  source: 'rotor',
  'detail-type': 'Secret Refresh Requested',
  resources: ['arn:a', 'arn:b'],
  detail: {
    consumer: 'orders',
    wave: 2,
    ok: true,
    none: null,
    empty: [],
    secret: { name: 'app/DB' },
    list: [
      { kind: 'x', size: 1 },
      { kind: 'y', size: 2 },
    ],
  },
};

/** Declares tests of patterns on `detail.<field>`. */
function fits(
  cases: readonly (readonly [field: string, alternatives: readonly unknown[], expected: boolean])[],
) {
  test.each(cases)('%s against %j is %s', (field, alternatives, expected) => {
    expect(compilePattern(JSON.stringify({ detail: { [field]: alternatives } }))(event)).toBe(expected);
  });
}

describe('exact', () => {
  fits([
    ['consumer', ['orders'], true],
    ['consumer', ['Orders'], false],
    ['wave', [2], true],
    ['wave', ['2'], false],
    ['ok', [true], true],
    ['ok', ['true'], false],
    ['none', [null], true],
    ['missing', [null], false],
    ['consumer', ['a', 'orders'], true],
  ]);
});

describe('text', () => {
  fits([
    ['consumer', [{ prefix: 'ord' }], true],
    ['consumer', [{ prefix: 'rd' }], false],
    ['consumer', [{ prefix: { 'equals-ignore-case': 'ORD' } }], true],
    ['consumer', [{ suffix: 'ers' }], true],
    ['consumer', [{ suffix: { 'equals-ignore-case': 'ERS' } }], true],
    ['consumer', [{ 'equals-ignore-case': 'ORDERS' }], true],
    ['consumer', [{ wildcard: 'o*e*s' }], true],
    ['consumer', [{ wildcard: 'o*x*s' }], false],
    ['wave', [{ prefix: '2' }], false],
  ]);
});

describe('anything-but', () => {
  fits([
    ['consumer', [{ 'anything-but': 'orders' }], false],
    ['consumer', [{ 'anything-but': ['a', 'b'] }], true],
    ['consumer', [{ 'anything-but': { prefix: 'ord' } }], false],
    ['consumer', [{ 'anything-but': { prefix: ['x', 'ord'] } }], false],
    ['consumer', [{ 'anything-but': { suffix: 'x' } }], true],
    ['consumer', [{ 'anything-but': { wildcard: '*der*' } }], false],
    ['consumer', [{ 'anything-but': { 'equals-ignore-case': ['ORDERS'] } }], false],
    ['wave', [{ 'anything-but': [1, 3] }], true],
    ['wave', [{ 'anything-but': { prefix: '2' } }], true],
    ['missing', [{ 'anything-but': 'a' }], false],
  ]);
});

describe('numeric', () => {
  fits([
    ['wave', [{ numeric: ['=', 2] }], true],
    ['wave', [{ numeric: ['>', 1, '<=', 2] }], true],
    ['wave', [{ numeric: ['>=', 3] }], false],
    ['consumer', [{ numeric: ['>', 0] }], false],
  ]);
});

describe('exists', () => {
  fits([
    ['consumer', [{ exists: true }], true],
    ['none', [{ exists: true }], true],
    ['missing', [{ exists: true }], false],
    ['missing', [{ exists: false }], true],
    ['consumer', [{ exists: false }], false],
    ['secret', [{ exists: true }], false],
    ['toString', [{ exists: true }], false],
    ['missing', ['a', { exists: false }], true],
  ]);
});

const whole: readonly (readonly [string, object, boolean])[] = [
  ['fields must all fit', { source: ['rotor'], detail: { wave: [1] } }, false],
  ['an array fits by one element', { resources: ['arn:b'] }, true],
  ['objects in arrays fit one at a time', { detail: { list: { kind: ['x'], size: [2] } } }, false],
  ['an object in an array fits whole', { detail: { list: { kind: ['y'], size: [2] } } }, true],
  ['nested fields', { detail: { secret: { name: [{ prefix: 'app/' }] } } }, true],
  ['absence beneath an absent field', { detail: { no: { such: [{ exists: false }] } } }, true],
  ['one side of $or', { $or: [{ source: ['x'] }, { detail: { wave: [2] } }] }, true],
  ['no side of $or', { $or: [{ source: ['x'] }, { source: ['y'] }] }, false],
  ['$or and a field beside it', { source: ['x'], $or: [{ source: ['rotor'] }, { source: ['y'] }] }, false],
  ['$or within detail', { detail: { $or: [{ wave: [9] }, { consumer: ['orders'] }] } }, true],
];
test.each(whole)('%s', (_name, pattern, expected) => {
  expect(compilePattern(JSON.stringify(pattern))(event)).toBe(expected);
});

const refused: readonly (readonly [string, string])[] = [
  ['[]', 'Filter is not an object'],
  ['{', 'Filter is not an object'],
  ['{}', 'Empty patterns are not allowed'],
  ['{"a":{}}', 'Empty patterns are not allowed'],
  ['{"a":[]}', 'Empty arrays are not allowed'],
  ['{"slug":"x"}', '"slug" must be an object or an array'],
  ['{"a":[{"starts":"x"}]}', 'Unrecognized match type starts'],
  ['{"a":[{"prefix":"x","suffix":"y"}]}', 'Only one key allowed in match expression'],
  ['{"a":[{"prefix":1}]}', 'prefix match pattern must be a string'],
  ['{"a":[{"exists":"yes"}]}', 'exists match pattern must be either true or false.'],
  ['{"a":[{"numeric":["~",1]}]}', 'Unrecognized numeric range operator: ~'],
  ['{"a":[{"wildcard":"a**b"}]}', 'Consecutive wildcard characters are not allowed'],
  ['{"$or":[{"a":["b"]}]}', '"$or" must be an array of at least two objects'],
];
test.each(refused)('%s is refused', (pattern, reason) => {
  const compile = () => compilePattern(pattern);
  expect(compile).toThrow(`Event pattern is not valid. Reason: ${reason}`);
  expect(compile).toThrow(ServiceError);
});

test('cidr is refused by name', () => {
  expect(() => compilePattern('{"a":[{"cidr":"10.0.0.0/8"}]}')).toThrow(
    'The embedded cloud does not implement event patterns with cidr.',
  );
});

const wildcards: readonly (readonly [string, string, boolean])[] = [
  ['*', '', true],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['*.png', 'x.png', true],
  ['\\*', '*', true],
  ['\\*', 'x', false],
  ['a\\\\b', 'a\\b', true],
  ['*ab*ab', 'ab', false],
  ['*ab*ab', 'abab', true],
];
test.each(wildcards)('the wildcard %s against "%s" is %s', (pattern, value, expected) => {
  expect(compileWildcard(pattern, (reason) => new Error(reason))(value)).toBe(expected);
});
