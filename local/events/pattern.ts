import { isRecord } from '../gateway/wire-values';
import { ServiceError } from '../kernel/service';
import { compileWildcard } from './wildcard';

/** Says whether an event fits a pattern. */
export type Matches = (event: unknown) => boolean;

type Leaf = (value: unknown) => boolean;

/**
 * Reads an event pattern, and refuses what EventBridge refuses, as well as what it knows and this engine does not.
 *
 * Objects are nested fields, all of which must fit; arrays are alternatives. A field that holds an array fits when one
 * of its elements does. Matchers: exact, prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists,
 * and `$or` between fields.
 */
export function compilePattern(text: string): Matches {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw invalid('Filter is not an object');
  }
  if (!isRecord(pattern)) throw invalid('Filter is not an object');
  return compileObject(pattern);
}

function compileObject(pattern: Readonly<Record<string, unknown>>): Matches {
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw invalid('Empty patterns are not allowed');
  const tests = fields.map(([name, below]) => compileField(name, below));
  const fits = (value: unknown) => tests.every((test) => test(isRecord(value) ? value : {}));
  // An absent field is tested like an object without members, so that `exists: false` can fit beneath it.
  return (value) => (Array.isArray(value) && value.length > 0 ? value.some(fits) : fits(value));
}

function compileField(name: string, below: unknown): (value: Readonly<Record<string, unknown>>) => boolean {
  if (name === '$or') return compileOr(below);
  if (Array.isArray(below)) {
    const fits = compileAlternatives(below);
    return (value) => fits(own(value, name));
  }
  if (!isRecord(below)) throw invalid(`"${name}" must be an object or an array`);
  const matches = compileObject(below);
  return (value) => matches(own(value, name));
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function compileOr(alternatives: unknown): Matches {
  if (!Array.isArray(alternatives) || alternatives.length < 2)
    throw invalid('"$or" must be an array of at least two objects');
  const tests = alternatives.map((alternative) => {
    if (!isRecord(alternative)) throw invalid('"$or" must be an array of at least two objects');
    return compileObject(alternative);
  });
  return (value) => tests.some((test) => test(value));
}

function compileAlternatives(alternatives: readonly unknown[]): Leaf {
  if (alternatives.length === 0) throw invalid('Empty arrays are not allowed');
  const tests = alternatives.map(compileAlternative);
  return (value) => {
    const leaves = leavesOf(value);
    return tests.some(({ absent, test }) => (absent ? leaves.length === 0 : leaves.some(test)));
  };
}

/** The values that matchers look at: the field's own, or those of its array. Objects are no leaves. */
function leavesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  return value === undefined || isRecord(value) ? [] : [value];
}

interface Alternative {
  /** True for `exists: false`, which fits where there is nothing to look at. */
  readonly absent: boolean;
  readonly test: Leaf;
}

function compileAlternative(alternative: unknown): Alternative {
  if (Array.isArray(alternative)) throw invalid('Match value must be String, number, true, false, or null');
  if (!isRecord(alternative)) return { absent: false, test: (value) => value === alternative };
  const [entry, ...more] = Object.entries(alternative);
  if (entry === undefined) throw invalid('Empty expressions are not allowed');
  if (more.length > 0) throw invalid('Only one key allowed in match expression');
  const [matcher, operand] = entry;
  if (matcher === 'exists') {
    if (typeof operand !== 'boolean') throw invalid('exists match pattern must be either true or false.');
    return { absent: !operand, test: () => true };
  }
  return { absent: false, test: compileMatcher(matcher, operand) };
}

function compileMatcher(matcher: string, operand: unknown): Leaf {
  switch (matcher) {
    case 'anything-but':
      return compileAnythingBut(operand);
    case 'numeric':
      return compileNumeric(operand);
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
      return compileText(matcher, operand);
    case 'cidr':
      throw new ServiceError(
        'UnsupportedParameter',
        'The embedded cloud does not implement event patterns with cidr.',
      );
    default:
      throw invalid(`Unrecognized match type ${matcher}`);
  }
}

type TextMatcher = 'prefix' | 'suffix' | 'equals-ignore-case' | 'wildcard';

function compileText(matcher: TextMatcher, operand: unknown): Leaf {
  const test = textTest(matcher, operand);
  return (value) => typeof value === 'string' && test(value);
}

function textTest(matcher: TextMatcher, operand: unknown): (value: string) => boolean {
  if ((matcher === 'prefix' || matcher === 'suffix') && isRecord(operand)) {
    const { 'equals-ignore-case': text, ...more } = operand;
    if (typeof text !== 'string' || Object.keys(more).length > 0)
      throw invalid(`Unsupported operator in ${matcher} match pattern`);
    const fold = text.toLowerCase();
    return matcher === 'prefix'
      ? (value) => value.toLowerCase().startsWith(fold)
      : (value) => value.toLowerCase().endsWith(fold);
  }
  if (typeof operand !== 'string') throw invalid(`${matcher} match pattern must be a string`);
  switch (matcher) {
    case 'prefix':
      return (value) => value.startsWith(operand);
    case 'suffix':
      return (value) => value.endsWith(operand);
    case 'equals-ignore-case':
      return (value) => value.toLowerCase() === operand.toLowerCase();
    case 'wildcard':
      return compileWildcard(operand, invalid);
  }
}

function compileAnythingBut(operand: unknown): Leaf {
  if (isRecord(operand)) {
    const [entry, ...more] = Object.entries(operand);
    if (entry === undefined || more.length > 0) throw invalid('Only one key allowed in match expression');
    const [matcher, texts] = entry;
    if (
      matcher !== 'prefix' &&
      matcher !== 'suffix' &&
      matcher !== 'equals-ignore-case' &&
      matcher !== 'wildcard'
    )
      throw invalid(`Unsupported anything-but pattern: ${matcher}`);
    const tests = listOf(texts).map((text) => {
      if (typeof text !== 'string') throw invalid(`${matcher} match pattern must be a string`);
      return textTest(matcher, text);
    });
    return (value) => !(typeof value === 'string' && tests.some((test) => test(value)));
  }
  const excluded = listOf(operand);
  for (const value of excluded)
    if (typeof value !== 'string' && typeof value !== 'number')
      throw invalid('Inside anything but list, start|null|boolean is not supported.');
  return (value) => !excluded.includes(value);
}

function listOf(operand: unknown): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (list.length === 0) throw invalid('Empty arrays are not allowed');
  return list;
}

const comparisons: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function compileNumeric(operand: unknown): Leaf {
  if (!Array.isArray(operand) || operand.length === 0) throw invalid('Value of numeric must be an array.');
  if (operand.length !== 2 && operand.length !== 4) throw invalid('Invalid numeric comparison');
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const operator: unknown = operand[index];
    const bound: unknown = operand[index + 1];
    const compare = typeof operator === 'string' ? comparisons[operator] : undefined;
    if (compare === undefined) throw invalid(`Unrecognized numeric range operator: ${String(operator)}`);
    if (typeof bound !== 'number') throw invalid(`Value of ${String(operator)} must be numeric`);
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function invalid(reason: string): ServiceError {
  return new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${reason}`);
}
