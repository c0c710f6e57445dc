import * as z from 'zod';

const list = z.union([z.string(), z.array(z.string())]);
const conditionValue = z.union([z.string(), z.boolean(), z.number()]);
const principal = z.union([
  z.literal('*'),
  z.strictObject({
    AWS: z.optional(list),
    Service: z.optional(list),
    Federated: z.optional(list),
    CanonicalUser: z.optional(list),
  }),
]);

const statement = z.strictObject({
  Sid: z.optional(z.string()),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: z.optional(principal),
  NotPrincipal: z.optional(principal),
  Action: z.optional(list),
  NotAction: z.optional(list),
  Resource: z.optional(list),
  NotResource: z.optional(list),
  Condition: z.optional(
    z.record(z.string(), z.record(z.string(), z.union([conditionValue, z.array(conditionValue)]))),
  ),
});

const documentShape = z.strictObject({
  Version: z.optional(z.enum(['2012-10-17', '2008-10-17'])),
  Id: z.optional(z.string()),
  Statement: z.union([statement, z.array(statement)]),
});

/** A list of patterns, or of everything that they do not match. */
export interface Patterns {
  readonly not: boolean;
  readonly patterns: readonly string[];
}

/** Whom a statement of a resource policy is about; `AWS: "*"` and `"*"` both become `anyone`. */
export interface Principals {
  readonly not: boolean;
  readonly anyone: boolean;
  readonly aws: readonly string[];
  readonly services: readonly string[];
}

/** One line of a Condition block: all of them must hold. */
export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

/** One statement, with its lists made lists. */
export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** Absent in identity policies. */
  readonly principals: Principals | undefined;
  readonly actions: Patterns;
  /** Absent in trust policies, whose resource is the role itself. */
  readonly resources: Patterns | undefined;
  readonly conditions: readonly Condition[];
}

/** A policy as the evaluator reads it. */
export interface PolicyDocument {
  readonly statements: readonly Statement[];
}

/** What is wrong with a policy's text or shape; each service words its own MalformedPolicy error from it. */
export class PolicyMalformed extends Error {
  override readonly name = 'PolicyMalformed';
}

const parsed = new WeakMap<object, PolicyDocument>();

/**
 * Reads a policy document from an object or its JSON text; PolicyMalformed names the first thing that is wrong.
 *
 * Objects are parsed once and remembered, so they must not be changed afterwards.
 */
export function parsePolicy(source: object | string): PolicyDocument {
  if (typeof source === 'string') return parseObject(parseJson(source));
  const known = parsed.get(source);
  if (known !== undefined) return known;
  const document = parseObject(source);
  parsed.set(source, document);
  return document;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new PolicyMalformed('the policy is not valid JSON');
  }
}

function parseObject(source: unknown): PolicyDocument {
  const result = documentShape.safeParse(source);
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new PolicyMalformed(`the policy's ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  return { statements: toList(result.data.Statement).map(readStatement) };
}

function readStatement(source: z.infer<typeof statement>): Statement {
  const actions = readPatterns(source.Action, source.NotAction);
  if (actions === undefined) throw new PolicyMalformed('a statement has neither Action nor NotAction');
  return {
    effect: source.Effect,
    principals: readPrincipals(source.Principal, source.NotPrincipal),
    actions,
    resources: readPatterns(source.Resource, source.NotResource),
    conditions: Object.entries(source.Condition ?? {}).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({ operator, key, values: toList(values).map(String) })),
    ),
  };
}

function readPatterns(
  these: string | string[] | undefined,
  notThese: string | string[] | undefined,
): Patterns | undefined {
  if (these !== undefined && notThese !== undefined)
    throw new PolicyMalformed('a statement has an element and its Not form');
  const source = these ?? notThese;
  return source === undefined ? undefined : { not: these === undefined, patterns: toList(source) };
}

function readPrincipals(
  these: z.infer<typeof principal> | undefined,
  notThese: z.infer<typeof principal> | undefined,
): Principals | undefined {
  if (these !== undefined && notThese !== undefined)
    throw new PolicyMalformed('a statement has Principal and NotPrincipal');
  const source = these ?? notThese;
  if (source === undefined) return undefined;
  const not = these === undefined;
  if (source === '*') return { not, anyone: true, aws: [], services: [] };
  const aws = toList(source.AWS ?? []);
  return { not, anyone: aws.includes('*'), aws, services: toList(source.Service ?? []) };
}

function toList<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
