import { isKnownConditionKey } from './condition-keys';
import type { Condition } from './policy-document';
import { literal, matches, type Variables } from './wildcard';

/** The condition keys of one request, under lower-case names. */
export class ConditionContext {
  private readonly values = new Map<string, readonly string[]>();

  constructor(...sources: readonly Readonly<Record<string, string | readonly string[] | undefined>>[]) {
    for (const source of sources)
      for (const [key, value] of Object.entries(source))
        if (value !== undefined)
          this.values.set(key.toLowerCase(), typeof value === 'string' ? [value] : value);
  }

  /** The key's values; undefined when the request has none. */
  get(key: string): readonly string[] | undefined {
    return this.values.get(key.toLowerCase());
  }

  /** Fills policy variables, which must have one value. */
  readonly variables: Variables = (name) => {
    const [key, fallback] = name.split(/\s*,\s*/u);
    const values = this.get(key ?? '');
    return values?.length === 1 ? values[0] : fallback?.replace(/^'(.*)'$/u, '$1');
  };

  /** Whether the key is filled in this request or known to be absent from it. */
  knows(key: string): boolean {
    return this.values.has(key.toLowerCase()) || isKnownConditionKey(key);
  }
}

type Compare = (actual: string, wanted: string, variables: Variables) => boolean;

interface Operator {
  readonly compare: Compare;
  /** True for the Not forms, which hold when no wanted value compares and when the key is absent. */
  readonly negated: boolean;
}

const equals: Compare = (actual, wanted, variables) => actual === literal(wanted, variables);
const equalsIgnoringCase: Compare = (actual, wanted, variables) =>
  actual.toLowerCase() === literal(wanted, variables)?.toLowerCase();
const like: Compare = (actual, wanted, variables) => matches(wanted, actual, variables);
const arnLike: Compare = (actual, wanted, variables) => {
  // Each of the six parts is matched alone: a `*` does not reach over a colon into the next part.
  const [actualParts, wantedParts] = [arnParts(actual), arnParts(wanted)];
  return (
    actualParts.length === wantedParts.length &&
    wantedParts.every((part, index) => matches(part, actualParts[index] ?? '', variables))
  );
};
const bool: Compare = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();
const numeric =
  (holds: (actual: number, wanted: number) => boolean): Compare =>
  (actual, wanted) =>
    holds(Number(actual), Number(wanted));
const date =
  (holds: (actual: number, wanted: number) => boolean): Compare =>
  (actual, wanted) =>
    holds(instant(actual), instant(wanted));

const operators: Readonly<Partial<Record<string, Operator>>> = {
  StringEquals: { compare: equals, negated: false },
  StringNotEquals: { compare: equals, negated: true },
  StringEqualsIgnoreCase: { compare: equalsIgnoringCase, negated: false },
  StringNotEqualsIgnoreCase: { compare: equalsIgnoringCase, negated: true },
  StringLike: { compare: like, negated: false },
  StringNotLike: { compare: like, negated: true },
  // AWS documents the Equals and Like forms of ARN operators as identical.
  ArnEquals: { compare: arnLike, negated: false },
  ArnLike: { compare: arnLike, negated: false },
  ArnNotEquals: { compare: arnLike, negated: true },
  ArnNotLike: { compare: arnLike, negated: true },
  Bool: { compare: bool, negated: false },
  NumericEquals: { compare: numeric((a, b) => a === b), negated: false },
  NumericNotEquals: { compare: numeric((a, b) => a === b), negated: true },
  NumericLessThan: { compare: numeric((a, b) => a < b), negated: false },
  NumericLessThanEquals: { compare: numeric((a, b) => a <= b), negated: false },
  NumericGreaterThan: { compare: numeric((a, b) => a > b), negated: false },
  NumericGreaterThanEquals: { compare: numeric((a, b) => a >= b), negated: false },
  DateEquals: { compare: date((a, b) => a === b), negated: false },
  DateNotEquals: { compare: date((a, b) => a === b), negated: true },
  DateLessThan: { compare: date((a, b) => a < b), negated: false },
  DateLessThanEquals: { compare: date((a, b) => a <= b), negated: false },
  DateGreaterThan: { compare: date((a, b) => a > b), negated: false },
  DateGreaterThanEquals: { compare: date((a, b) => a >= b), negated: false },
};

/** Whether a condition holds; `unknown` names the operator or key that cannot be judged. */
export type ConditionResult = { readonly holds: boolean } | { readonly unknown: string };

/** Judges one condition of a statement against the keys of a request. */
export function judge(condition: Condition, context: ConditionContext): ConditionResult {
  if (!context.knows(condition.key)) return { unknown: `condition key ${condition.key}` };
  const actual = context.get(condition.key);
  if (condition.operator === 'Null')
    return {
      holds: condition.values.some((value) => (value.toLowerCase() === 'true') === (actual === undefined)),
    };

  const form = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/u.exec(condition.operator);
  const operator = operators[form?.[2] ?? ''];
  if (form === null || operator === undefined) return { unknown: `condition operator ${condition.operator}` };
  const [, quantifier, , ifExists] = form;

  const holdsFor = (value: string) => {
    const compares = condition.values.some((wanted) => operator.compare(value, wanted, context.variables));
    return compares !== operator.negated;
  };
  if (actual === undefined || actual.length === 0)
    return {
      holds:
        quantifier === 'ForAllValues' ||
        ifExists !== undefined ||
        (operator.negated && quantifier === undefined),
    };
  if (quantifier === 'ForAllValues') return { holds: actual.every(holdsFor) };
  if (quantifier === 'ForAnyValue') return { holds: actual.some(holdsFor) };
  return { holds: operator.negated ? actual.every(holdsFor) : actual.some(holdsFor) };
}

function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function instant(text: string): number {
  return /^\d+$/u.test(text) ? Number(text) * 1000 : Date.parse(text);
}
