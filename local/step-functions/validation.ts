import validateSchema from 'asl-validator';
import { ServiceError } from '../kernel/service';
import type { Machine } from './definition';
import { parseMachine } from './definition';
import type { FoundState } from './definition-walk';
import { entriesOf, findStates } from './definition-walk';
import type { Diagnostic } from './diagnostics';
import { schemaError } from './diagnostics';
import type { Json, JsonObject } from './json';
import { isArray, isObject, parseJson } from './json';
import { checkState } from './language-checks';
import { checkSupport } from './support-checks';

/** Everything that is wrong with a definition. */
export async function checkDefinition(text: string): Promise<readonly Diagnostic[]> {
  const definition = parse(text);
  if (!isObject(definition))
    return [
      {
        severity: 'ERROR',
        code: 'INVALID_JSON_DESCRIPTION',
        message: 'The definition is not a JSON object',
        location: '/',
      },
    ];
  const states = findStates(definition);
  // What is not implemented is said first, because what follows is about JSONata.
  const support = states.flatMap(checkSupport);
  if (support.length > 0) return support;
  const own = [
    ...states
      .filter(
        ({ queryLanguage }) => queryLanguage === 'JSONPath' && definition['QueryLanguage'] === 'JSONata',
      )
      .map(({ at }) =>
        schemaError('A JSONata state machine cannot have JSONPath states', `${at}/QueryLanguage`),
      ),
    ...states.flatMap(checkState),
    ...checkLabelsDiffer(states),
  ];
  const known = own.filter(({ severity }) => severity === 'ERROR');
  return known.length > 0 ? own : [...schemaDiagnostics(definition), ...own];
}

// The label stands for its Map in ARNs, so that AWS wants it unique in the definition.
function checkLabelsDiffer(states: readonly FoundState[]): readonly Diagnostic[] {
  const labels = states.map(({ state }) => state['Label']);
  return states
    .filter(({ state: { Label } }, index) => Label !== undefined && labels.indexOf(Label) < index)
    .map(({ at }) => schemaError('Another Map has the same Label', `${at}/Label`));
}

/** Definitions that were found sound, by their text: the same one is created again and again, and takes 0.3 s to check. */
const sound = new Map<string, Machine>();
const mostSound = 20;

/** The machine of a definition, or AWS's InvalidDefinition. */
export async function assertDefinition(text: string): Promise<Machine> {
  const known = sound.get(text);
  if (known !== undefined) return known;
  const machine = await checkedDefinition(text);
  sound.set(text, machine);
  for (const oldest of sound.keys()) {
    if (sound.size <= mostSound) break;
    sound.delete(oldest);
  }
  return machine;
}

async function checkedDefinition(text: string): Promise<Machine> {
  const errors = (await checkDefinition(text)).filter(({ severity }) => severity === 'ERROR');
  if (errors.length > 0)
    throw new ServiceError(
      'InvalidDefinition',
      `Invalid State Machine Definition: '${errors.map(({ code, message, location }) => `${code}: ${message} at ${location}`).join(', ')}'`,
    );
  return parseMachine(parseJson(text));
}

function parse(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function schemaDiagnostics(definition: JsonObject): readonly Diagnostic[] {
  const { errors } = validateSchema(acceptable(definition), { checkPaths: true, checkArn: false });
  return errors.map((error) => {
    const location = error.instancePath ?? error.schemaError?.instancePath ?? '';
    const message = error.Message ?? error.message ?? 'is not valid';
    return {
      severity: 'ERROR',
      code: error['Error code'] ?? 'SCHEMA_VALIDATION_FAILED',
      message: message.startsWith(location) ? message.slice(location.length).trim() : message,
      location: location === '' ? '/' : location,
    };
  });
}

/**
 * A copy of the definition without what the schema wrongly refuses: AWS takes any JSON value as Output, and a literal
 * as Condition (recorded). The validator also writes into what it is given.
 */
function acceptable(value: JsonObject): JsonObject {
  const copy = (part: Json): Json => {
    if (isArray(part)) return part.map(copy);
    if (!isObject(part)) return part;
    const members = Object.entries(part).map(([key, member]) => [key, copy(member)] as const);
    return Object.fromEntries(members);
  };
  const states = (machine: JsonObject): JsonObject =>
    isObject(machine['States'])
      ? {
          ...machine,
          States: Object.fromEntries(
            Object.entries(machine['States']).map(([name, state]) => [
              name,
              isObject(state) ? acceptableState(state, states) : state,
            ]),
          ),
        }
      : machine;
  const result = copy(states(value));
  return isObject(result) ? result : {};
}

function acceptableState(state: JsonObject, inner: (machine: JsonObject) => JsonObject): JsonObject {
  const plain = (holder: JsonObject): JsonObject => ({
    ...holder,
    ...(holder['Output'] === undefined ? {} : { Output: {} }),
    ...(typeof holder['Condition'] === 'boolean' ? { Condition: '{% true %}' } : {}),
  });
  const list = (field: string, change: (one: JsonObject) => JsonObject) =>
    isArray(state[field]) ? { [field]: entriesOf(state[field]).map(([, one]) => change(one)) } : {};
  return {
    ...plain(state),
    ...list('Catch', plain),
    ...list('Choices', plain),
    ...list('Branches', inner),
    ...(isObject(state['ItemProcessor']) ? { ItemProcessor: inner(state['ItemProcessor']) } : {}),
  };
}
