import * as z from 'zod';
import { readWorkflow } from '../../infra/workflow';

const retrier = z.looseObject({ ErrorEquals: z.array(z.string()), MaxAttempts: z.number().optional() });
const catcher = z.looseObject({
  ErrorEquals: z.array(z.string()),
  Next: z.string(),
  Assign: z.record(z.string(), z.unknown()).optional(),
});
const choice = z.looseObject({
  Condition: z.string(),
  Next: z.string(),
  Assign: z.record(z.string(), z.unknown()).optional(),
});
const stateShape = z.looseObject({
  Type: z.enum(['Task', 'Choice', 'Wait', 'Map', 'Pass', 'Succeed', 'Fail']),
  Resource: z.string().optional(),
  Arguments: z.record(z.string(), z.unknown()).optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  End: z.boolean().optional(),
  Choices: z.array(choice).optional(),
  Retry: z.array(retrier).optional(),
  Catch: z.array(catcher).optional(),
  Assign: z.record(z.string(), z.unknown()).optional(),
  ItemProcessor: z.looseObject({ StartAt: z.string(), States: z.record(z.string(), z.unknown()) }).optional(),
});

/** One state as it is written down, with what the tests look at. */
export type State = z.infer<typeof stateShape>;

/** Every value that deployment puts into the workflow, by name. */
export const substitutions = [
  'Partition',
  'BusName',
  'RunbookUrl',
  'AlertTopicArn',
  'PlanFunctionArn',
  'RotationFunctionArn',
  'SetSecretFunctionArn',
  'TestSecretFunctionArn',
  'FinishSecretFunctionArn',
  'UsageFunctionArn',
  'RetireFunctionArn',
  'ReplicasFunctionArn',
  'WhoRefusedFunctionArn',
  'AlertFunctionArn',
] as const;

/** The workflow as it is deployed: anchors resolved, drafts left out. */
export const deployed = readWorkflow(Object.fromEntries(substitutions.map((name) => [name, name])));

const machineShape = z.looseObject({
  QueryLanguage: z.string(),
  StartAt: z.string(),
  TimeoutSeconds: z.number(),
  States: z.record(z.string(), stateShape),
});

/**
 * The deployed workflow as an object, as commercial regions have it; parsed anew each time, since validators write into
 * it.
 */
export function machine(): z.infer<typeof machineShape> {
  return machineShape.parse(JSON.parse(deployed.text.replaceAll('${Partition}', 'aws')));
}

/** One group of states that lead to each other: the machine's own, and each Map's. */
export interface Scope {
  readonly startAt: string;
  readonly states: Readonly<Record<string, State>>;
}

/** All scopes of the workflow. */
export function scopes(): readonly Scope[] {
  const { StartAt, States } = machine();
  const inner = Object.values(States).flatMap(({ ItemProcessor: processor }) =>
    processor === undefined
      ? []
      : [{ startAt: processor.StartAt, states: z.record(z.string(), stateShape).parse(processor.States) }],
  );
  return [{ startAt: StartAt, states: States }, ...inner];
}

/** Every state with its name, those inside Maps too. */
export const allStates: readonly (readonly [string, State])[] = scopes().flatMap(({ states }) =>
  Object.entries(states),
);

/** The states that can be reached from one of a scope, that one included. */
export function reachableFrom(startAt: string, states: Scope['states']): readonly string[] {
  const reached = new Set([startAt]);
  for (const name of reached) {
    const state = states[name];
    if (state !== undefined) for (const next of successors(state)) reached.add(next);
  }
  return [...reached].sort();
}

/** One state by its name. */
export function stateNamed(name: string): State {
  const found = allStates.find(([candidate]) => candidate === name);
  if (found === undefined) throw new Error(`no state ${name}`);
  return found[1];
}

/** Where a state may lead. */
export function successors(state: State): readonly string[] {
  return [
    state.Next,
    state.Default,
    ...(state.Choices ?? []).map(({ Next }) => Next),
    ...(state.Catch ?? []).map(({ Next }) => Next),
  ].filter((name) => name !== undefined);
}

/** Every text inside a value, with the path that leads to it. */
export function textsIn(value: unknown, path = ''): readonly (readonly [string, string])[] {
  if (typeof value === 'string') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsIn(inner, `${path}.${key}`));
}

/** The expression of a text in `{% %}`; undefined for plain text. */
export function expressionOf(text: string): string | undefined {
  return /^\{%(.*)%\}$/s.exec(text.trim())?.[1];
}
