import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

/** Where the workflow is written down for people. */
const source = path.resolve(__dirname, '..', 'statemachines', 'rotation.asl.yaml');

/** The workflow as Step Functions takes it, with the values that deployment puts in. */
export interface WorkflowDefinition {
  /** Amazon States Language, JSON, with `${Name}` where a value goes. */
  readonly text: string;
  /** Value by name: those of the given ones that occur in the text. */
  readonly substitutions: Readonly<Record<string, string>>;
}

/**
 * Turns the workflow's YAML into the JSON that is deployed; anchors and merge keys are resolved, and a Map whose
 * processor says `x-states-of` gets the states of the Map that it names, each with `x-suffix` behind its name.
 *
 * A name that nobody substitutes would reach Step Functions as it stands, so it is refused here.
 */
export function readWorkflow(
  available: Readonly<Record<string, string>>,
  yaml = readFileSync(source, 'utf8'),
): WorkflowDefinition {
  const text = JSON.stringify(withCopiedStates(withoutDrafts(parse(yaml, { merge: true }))));
  const names = new Set([...text.matchAll(/\$\{([A-Za-z0-9]+)\}/g)].map((match) => match[1] ?? ''));
  const unknown = [...names].filter((name) => !(name in available));
  if (unknown.length > 0)
    throw new Error(`the workflow names values that nobody gives: ${unknown.join(', ')}`);
  return {
    text,
    substitutions: Object.fromEntries(Object.entries(available).filter(([name]) => names.has(name))),
  };
}

/** Members whose names begin with `x-` hold anchors for the rest of the file; Step Functions does not know them. */
function withoutDrafts(document: unknown): Json {
  if (!isObject(document)) throw new Error('the workflow is not an object');
  return Object.fromEntries(Object.entries(document).filter(([name]) => !name.startsWith('x-')));
}

/** Puts into each Map that asks for it the states of another Map: Step Functions takes a state's name only once. */
function withCopiedStates(machine: Json): Json {
  const states = objectIn(machine, 'States');
  const copied = Object.entries(states).map(([name, state]) => {
    const processor = isObject(state) ? state['ItemProcessor'] : undefined;
    if (!isObject(state) || !isObject(processor)) return [name, state] as const;
    const { 'x-states-of': original, 'x-suffix': suffix, ...rest } = processor;
    if (original === undefined) return [name, state] as const;
    if (typeof original !== 'string' || typeof suffix !== 'string')
      throw new Error(`${name} has no texts in x-states-of and x-suffix`);
    const source = objectIn(objectIn(states, original), 'ItemProcessor');
    return [name, { ...state, ItemProcessor: { ...rest, ...renamed(source, suffix) } }] as const;
  });
  return { ...machine, States: Object.fromEntries(copied) };
}

function renamed(processor: Json, suffix: string): Json {
  const states = Object.entries(objectIn(processor, 'States')).map(
    ([name, state]) => [`${name}${suffix}`, withTargets(state, suffix)] as const,
  );
  return { StartAt: `${String(processor['StartAt'])}${suffix}`, States: Object.fromEntries(states) };
}

/** A state whose every way on leads to the copy of where it led. */
function withTargets(state: unknown, suffix: string): unknown {
  if (!isObject(state)) return state;
  const targets = ['Next', 'Default'].flatMap((member) =>
    typeof state[member] === 'string' ? [[member, `${state[member]}${suffix}`]] : [],
  );
  const ways = ['Choices', 'Catch'].flatMap((member) => {
    const list = state[member];
    return Array.isArray(list) ? [[member, list.map((way: unknown) => withTargets(way, suffix))]] : [];
  });
  return { ...state, ...Object.fromEntries([...targets, ...ways]) };
}

type Json = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectIn(value: Json, name: string): Json {
  const found = value[name];
  if (!isObject(found)) throw new Error(`the workflow has no object ${name}`);
  return found;
}
