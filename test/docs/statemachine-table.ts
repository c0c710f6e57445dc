import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import { machine } from '../statemachines/workflow';
import { read } from './markdown';

const retrier = z.looseObject({ ErrorEquals: z.array(z.string()) });
const stateShape = z.looseObject({
  Type: z.string(),
  Retry: z.array(retrier).optional(),
  Catch: z.array(z.looseObject({ ErrorEquals: z.array(z.string()), Next: z.string() })).optional(),
  Next: z.string().optional(),
  Default: z.string().optional(),
  Choices: z.array(z.looseObject({ Next: z.string() })).optional(),
  ItemProcessor: z
    .looseObject({
      ProcessorConfig: z.object({ Mode: z.string() }),
      States: z.record(z.string(), z.unknown()),
    })
    .optional(),
});
type State = z.infer<typeof stateShape>;

/** The retriers that several states share, by the name that the workflow's text gives them. */
const shared = Object.entries(
  z.record(z.string(), z.unknown()).parse(parse(read('statemachines/rotation.asl.yaml'), { merge: true })),
).flatMap(([name, value]) => {
  const group = retrier.safeParse(value);
  return name.startsWith('x-') && group.success ? [{ name: name.slice(2), retrier: group.data }] : [];
});

/** The names of the shared retriers. */
export const retrierNames = shared.map(({ name }) => name);

/** What the table of statemachines/README.md says about one state, beside what it is for. */
export interface StateRow {
  readonly name: string;
  readonly kind: string;
  readonly retries: string;
  readonly catches: string;
}

/** Every state of the workflow, those of the Map after it, as the table has to show them. */
export function stateRows(): readonly StateRow[] {
  return allStates().map(([name, { Type: kind, Retry: retries = [], Catch: catches = [] }]) => ({
    name,
    kind,
    retries: listOf(retries.flatMap(nameOf)),
    catches: listOf(catches.map(({ Next }) => Next)),
  }));
}

/** Every way from one state to another that is not a caught error. */
export function transitions(): readonly string[] {
  return allStates().flatMap(([name, { Next, Default, Choices = [] }]) =>
    [Next, Default, ...Choices.map((choice) => choice.Next)].flatMap((to) =>
      to === undefined ? [] : [`${name} --> ${to}`],
    ),
  );
}

/** Every way from one state to another that a caught error takes. */
export function caughtTransitions(): readonly string[] {
  return allStates().flatMap(([name, { Catch: catches = [] }]) =>
    catches.map(({ Next }) => `${name} --> ${Next}`),
  );
}

function allStates(): readonly (readonly [string, State])[] {
  return statesOf(machine().States);
}

function statesOf(states: Readonly<Record<string, unknown>>): readonly (readonly [string, State])[] {
  return Object.entries(states).flatMap(([name, value]) => {
    const state = stateShape.parse(value);
    // A distributed Map's are the states of the inline one once more.
    const isCopy = state.ItemProcessor?.ProcessorConfig.Mode === 'DISTRIBUTED';
    const inner = state.ItemProcessor === undefined || isCopy ? [] : statesOf(state.ItemProcessor.States);
    return [[name, state] as const, ...inner];
  });
}

function listOf(names: readonly string[]): string {
  return [...new Set(names)].join(', ') || '–';
}

/** A shared retrier by its name, also where a state changes its numbers; any other by its errors. */
function nameOf(given: z.infer<typeof retrier>): readonly string[] {
  const same =
    shared.find((group) => isDeepStrictEqual(group.retrier, given)) ??
    shared.find((group) => isDeepStrictEqual(group.retrier.ErrorEquals, given.ErrorEquals));
  if (same !== undefined) return [same.name];
  // What is not to be repeated is taken out before a wider retrier; the next column says where it goes.
  return given['MaxAttempts'] === 0 ? [] : given.ErrorEquals;
}
