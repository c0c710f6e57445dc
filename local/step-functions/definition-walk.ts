import type { Json, JsonObject } from './json';
import { isArray, isObject, textOf } from './json';

/** A state as it stands in a definition that may be wrong. */
export interface FoundState {
  readonly name: string;
  /** JSON pointer of the state. */
  readonly at: string;
  readonly state: JsonObject;
  readonly queryLanguage: 'JSONata' | 'JSONPath';
  readonly scope: Scope;
}

/** The states under one StartAt. */
export interface Scope {
  readonly states: JsonObject;
  readonly outer: Scope | undefined;
  /** The outer state that these are in. */
  readonly holder: string | undefined;
  /** Whether these run as child executions, which cannot read the outer scope's variables. */
  readonly apart: boolean;
}

/** A template in a state: where it stands, and which members of `$states` it may read. */
export interface FoundTemplate {
  readonly at: string;
  readonly value: Json;
  readonly members: readonly string[];
}

/** Lists all states of a definition, inner ones after the state that holds them. */
export function findStates(definition: JsonObject): readonly FoundState[] {
  const fallback = definition['QueryLanguage'] === 'JSONata' ? 'JSONata' : 'JSONPath';
  return inScope(definition, '', undefined, fallback);
}

function inScope(
  machine: Json | undefined,
  at: string,
  outer: Scope | undefined,
  inherited: FoundState['queryLanguage'],
  holder?: string,
): readonly FoundState[] {
  if (!isObject(machine) || !isObject(machine['States'])) return [];
  const scope: Scope = { states: machine['States'], outer, holder, apart: isDistributed(machine) };
  return Object.entries(machine['States']).flatMap(([name, state]) => {
    if (!isObject(state)) return [];
    const own = state['QueryLanguage'];
    const queryLanguage = own === 'JSONata' || own === 'JSONPath' ? own : inherited;
    const here = `${at}/States/${name}`;
    const branches = isArray(state['Branches']) ? state['Branches'] : [];
    return [
      { name, at: here, state, queryLanguage, scope },
      // A state's own QueryLanguage does not reach the machines inside it.
      ...branches.flatMap((branch, index) =>
        inScope(branch, `${here}/Branches/${index}`, scope, inherited, name),
      ),
      ...inScope(
        state['ItemProcessor'] ?? state['Iterator'],
        `${here}/${state['Iterator'] === undefined ? 'ItemProcessor' : 'Iterator'}`,
        scope,
        inherited,
        name,
      ),
    ];
  });
}

/** Whether the processor of a Map runs every item as a child execution. */
export function isDistributed(processor: Json | undefined): boolean {
  const config = isObject(processor) ? processor['ProcessorConfig'] : undefined;
  return isObject(config) && config['Mode'] === 'DISTRIBUTED';
}

const before = ['input', 'context'];
const plainFields = [
  'Arguments',
  'Cause',
  'Credentials',
  'Error',
  'HeartbeatSeconds',
  'ItemSelector',
  'Items',
  'MaxConcurrency',
  'Seconds',
  'TimeoutSeconds',
  'Timestamp',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
];

/** Lists the templates of a JSONata state. */
export function findTemplates({ state, at }: FoundState): readonly FoundTemplate[] {
  const withResult = ['Task', 'Map', 'Parallel'].includes(textOf(state['Type']));
  const found: FoundTemplate[] = [];
  const add = (holder: JsonObject, where: string, fields: readonly string[], members: readonly string[]) => {
    for (const field of fields) {
      const value = holder[field];
      if (value !== undefined) found.push({ at: `${where}/${field}`, value, members });
    }
  };
  add(state, at, plainFields, before);
  add(state, at, ['Output', 'Assign'], withResult ? [...before, 'result'] : before);
  for (const [index, catcher] of entriesOf(state['Catch']))
    add(catcher, `${at}/Catch/${index}`, ['Output', 'Assign'], [...before, 'errorOutput']);
  for (const [index, rule] of entriesOf(state['Choices']))
    add(rule, `${at}/Choices/${index}`, ['Condition', 'Output', 'Assign'], before);
  return found;
}

/** The objects in a list, with their places. */
export function entriesOf(list: Json | undefined): readonly (readonly [number, JsonObject])[] {
  if (!isArray(list)) return [];
  return list.flatMap((item, index): (readonly [number, JsonObject])[] =>
    isObject(item) ? [[index, item]] : [],
  );
}

/** Names of all variables that the states of a scope assign, but for one state's own. */
export function assignedIn(scope: Scope, except?: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [stateName, state] of Object.entries(scope.states)) {
    if (!isObject(state) || stateName === except) continue;
    const holders = [
      state,
      ...entriesOf(state['Catch']).map(([, one]) => one),
      ...entriesOf(state['Choices']).map(([, one]) => one),
    ];
    for (const { Assign } of holders)
      if (isObject(Assign)) for (const name of Object.keys(Assign)) names.add(name);
  }
  return names;
}

/** Every string in a template, with its place. */
export function* stringsIn(value: Json, at: string): Generator<readonly [string, string]> {
  if (typeof value === 'string') yield [at, value];
  else if (isArray(value))
    for (const [index, item] of value.entries()) yield* stringsIn(item, `${at}/${index}`);
  else if (isObject(value))
    for (const [key, member] of Object.entries(value)) yield* stringsIn(member, `${at}/${key}`);
}
