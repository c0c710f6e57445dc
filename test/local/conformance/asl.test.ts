import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replayAsl } from '../../../local/conformance/asl';
import { Matcher } from '../../../local/conformance/asl-match';
import type { ConformanceResult } from '../../../local/conformance/secrets-manager';

const folder = join(__dirname, '../../../../shared/conformance/asl');
const present = existsSync(folder);
if (!present) console.warn(`the recordings are not at ${folder}: replaying them is left out`);

(present ? describe : describe.skip)('executions recorded on AWS', () => {
  let results: readonly ConformanceResult[] = [];
  beforeAll(async () => {
    results = await replayAsl(folder);
    // Most of the time goes into the schema of definitions, which is compiled anew for each.
  }, 300_000);

  it('come out alike, wherever they are not refused', () => {
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
  });

  it('all come out alike when made of Pass, Choice, Wait, Fail, Succeed, Parallel and Map', () => {
    const pure = results.filter(({ feature }) => feature.startsWith('pure-jsonata'));
    expect(pure).toHaveLength(69);
    expect(pure.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  });

  it('all come out alike when their tasks are in JSONata', () => {
    const tasks = results.filter(({ feature }) => feature === 'lambda JSONata');
    expect(tasks).toHaveLength(16);
    expect(tasks.filter(({ outcome }) => outcome !== 'passed')).toEqual([]);
  });

  it('are refused for JSONPath alone', () => {
    const refused = results.filter(({ outcome }) => outcome === 'refused');
    expect(refused).toHaveLength(40);
    for (const { feature, detail } of refused) {
      expect(feature).toContain('JSONPath');
      expect(detail).toContain('does not implement JSONPath');
    }
  });
});

describe('the comparison with a recording', () => {
  const difference = (expected: unknown, actual: unknown, placeholders: readonly string[] = []) =>
    new Matcher(placeholders).difference(expected, actual, 'x');

  it.each<[unknown, unknown]>([
    [
      { a: 1, b: [0] },
      { b: [-0], a: 1 },
    ],
    ['<uuid:1> and <uuid:1>', 'x and x'],
    ['arn:<partition>:states', 'arn:aws:states'],
    [{ errorMessage: 'm' }, '{ "errorMessage": "m" }'],
    ['{"a": 1}', '{"a":1}'],
  ])('takes %j for %j', (expected, actual) => {
    expect(difference(expected, actual)).toBeUndefined();
  });

  it.each<[unknown, unknown]>([
    [{ a: 1 }, { a: 2 }],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [[1, 2], [1]],
    ['<uuid:1> and <uuid:1>', 'x and y'],
    ['a.c', 'abc'],
    ['date', 'today'],
    [undefined, 1],
  ])('does not take %j for %j', (expected, actual) => {
    expect(difference(expected, actual)).toMatch(/^x/);
  });

  it('takes anything but nothing for a word that is listed', () => {
    expect(difference({ Date: 'date' }, { Date: 'today' }, ['date'])).toBeUndefined();
    expect(difference({ Date: 'date' }, {}, ['date'])).toMatch(/^x/);
  });
});
