import { createHash } from 'node:crypto';
import { Expressions } from '../../../local/step-functions/expression';
import type { Json } from '../../../local/step-functions/json';

const expressions = new Expressions(
  () => 0.25,
  () => Date.UTC(2026, 0, 1),
);

async function evaluate(template: Json, variables: Readonly<Record<string, Json>> = {}): Promise<Json> {
  return expressions.evaluate(template, { variables, states: { input: { a: 1 } } }, 'Output');
}

describe('an expression', () => {
  it.each<[string, Json]>([
    ['$states.input.a', 1],
    ['$v.list[1]', 'two'],
    ['$partition([1,2,3], 2)', [[1, 2], [3]]],
    ['$range(1, 9, 4)', [1, 5, 9]],
    ['$range(5, 1, -2)', [5, 3, 1]],
    ['$range(1, 0, 1)', []],
    ['$random()', 0.25],
    ['$random(7) = $random(7)', true],
    ['$parse(\'{"a":[1]}\').a', [1]],
    ['$uuid() = $uuid()', false],
    ['$now()', '2026-01-01T00:00:00.000Z'],
    ['$millis()', Date.UTC(2026, 0, 1)],
    ['[]', []],
    ['[1]', [1]],
    ['null', null],
    ['{"a": $nothing, "b": 2}', { b: 2 }],
  ])('%s gives %j', async (source, value) => {
    expect(await evaluate(`{% ${source} %}`, { v: { list: ['one', 'two'] } })).toEqual(value);
  });

  it.each([
    ['MD5', 'md5'],
    ['SHA-1', 'sha1'],
    ['SHA-256', 'sha256'],
    ['SHA-384', 'sha384'],
    ['SHA-512', 'sha512'],
  ])('hashes by %s', async (name, algorithm) => {
    const value = createHash(algorithm).update('input').digest('hex');
    expect(await evaluate(`{% $hash('input', '${name}') %}`)).toBe(value);
  });

  it.each<[string, RegExp]>([
    ['$nothing', /returned nothing \(undefined\)\.$/],
    ['$sum', /returned an unsupported result type\.$/],
    ['{"f": function($x) { $x }}', /returned an unsupported result type\.$/],
    ["1 + 'a'", /threw an error during evaluation\. T2002: .*"\+"/],
    ["$parse('{')", /threw an error during evaluation/],
    ['$range(1, 2000, 1)', /at most 1000/],
    ["$hash('x', 'CRC')", /must be one of MD5/],
    ["$eval('1')", /threw an error during evaluation\. T1006/],
  ])('%s is an error', async (source, message) => {
    await expect(evaluate(`{% ${source} %}`)).rejects.toMatchObject({
      name: 'ExpressionError',
      location: 'Output',
      message: expect.stringMatching(message) as string,
    });
  });

  it('is stopped when it does not come to an end', async () => {
    await expect(evaluate('{% ($f := function($n) { $f($n + 1) }; $f(0)) %}')).rejects.toMatchObject({
      message: expect.stringContaining('timeout') as string,
    });
  });

  it('is a string that begins and ends with the brackets, and nothing else', async () => {
    const template = ['{% 1 %}', ' {% 1 %}', '{%1%}', 'plain', { nested: '{% 2 %}' }];
    expect(await evaluate(template)).toEqual([1, ' {% 1 %}', 1, 'plain', { nested: 2 }]);
  });

  it('does not change the variables that it reads', async () => {
    const variables = { list: [3, 1, 2] };
    await evaluate('{% $sort($list) %}', variables);
    expect(variables).toEqual({ list: [3, 1, 2] });
  });
});
