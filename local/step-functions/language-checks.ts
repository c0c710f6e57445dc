import { isName } from './arns';
import type { FoundState, Scope } from './definition-walk';
import { assignedIn, entriesOf, findTemplates, isDistributed, stringsIn } from './definition-walk';
import type { Diagnostic } from './diagnostics';
import { schemaError, warning } from './diagnostics';
import { expressionIn } from './expression';
import { analyse } from './expression-analysis';
import { isArray, isObject, textOf } from './json';

/** Fields that only JSONPath states have, and that AWS refuses in JSONata states. */
const jsonPathOnly = [
  'CausePath',
  'ErrorPath',
  'HeartbeatSecondsPath',
  'InputPath',
  'ItemsPath',
  'MaxConcurrencyPath',
  'OutputPath',
  'Parameters',
  'Result',
  'ResultPath',
  'ResultSelector',
  'SecondsPath',
  'TimeoutSecondsPath',
  'TimestampPath',
  'ToleratedFailureCountPath',
  'ToleratedFailurePercentagePath',
];

// AWS's limit.
const longestLabel = 40;

/** What AWS refuses in a state although it fits the schema, and what it takes with a warning. */
export function checkState(found: FoundState): readonly Diagnostic[] {
  return [
    ...checkTargets(found),
    ...checkErrorEquals(found),
    ...checkProcessor(found),
    ...checkLabel(found),
    ...checkVariables(found),
    ...(found.queryLanguage === 'JSONata' ? [...checkFields(found), ...checkExpressions(found)] : []),
  ];
}

// A transition stays inside its Map or branch, a Catch's too.
function checkTargets({ state, at, scope }: FoundState): readonly Diagnostic[] {
  const targets = [
    [`${at}/Next`, state['Next']] as const,
    [`${at}/Default`, state['Default']] as const,
    ...entriesOf(state['Catch']).map(([index, one]) => [`${at}/Catch/${index}/Next`, one['Next']] as const),
    ...entriesOf(state['Choices']).map(
      ([index, one]) => [`${at}/Choices/${index}/Next`, one['Next']] as const,
    ),
  ];
  return targets
    .filter(([, target]) => typeof target === 'string' && !Object.hasOwn(scope.states, target))
    .map(([location, target]) => ({
      severity: 'ERROR',
      code: 'MISSING_TRANSITION_TARGET',
      message: `Missing 'Next' target: ${textOf(target)}`,
      location,
    }));
}

function checkErrorEquals({ state, at }: FoundState): readonly Diagnostic[] {
  return ['Retry', 'Catch'].flatMap((field) => {
    const list = entriesOf(state[field]);
    return list.flatMap(([index, one]) => {
      const names = isArray(one['ErrorEquals']) ? one['ErrorEquals'] : [];
      const location = `${at}/${field}/${index}/ErrorEquals`;
      if (!names.includes('States.ALL')) return [];
      if (names.length > 1) return [schemaError(`'States.ALL' must appear alone in ErrorEquals`, location)];
      return index < list.length - 1
        ? [schemaError(`'States.ALL' must appear in the last entry of ${field}`, location)]
        : [];
    });
  });
}

function checkVariables({ state, at, scope }: FoundState): readonly Diagnostic[] {
  const outer = outerNames(scope);
  const holders = [
    [at, state] as const,
    ...entriesOf(state['Catch']).map(([index, one]) => [`${at}/Catch/${index}`, one] as const),
    ...entriesOf(state['Choices']).map(([index, one]) => [`${at}/Choices/${index}`, one] as const),
  ];
  return holders.flatMap(([where, { Assign }]) =>
    Object.keys(isObject(Assign) ? Assign : {}).flatMap((name) => {
      const location = `${where}/Assign/${name}`;
      if (outer.has(name))
        return [schemaError(`The variable '${name}' is already assigned in an outer scope`, location)];
      if (name === 'states' || name.length > 80 || !/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name))
        return [schemaError(`'${name}' is not a valid variable name`, location)];
      return [];
    }),
  );
}

/**
 * Variables that are assigned around a scope.
 *
 * What the holding Map or Parallel assigns itself comes after the inner states, and AWS takes the same name in them
 * (recorded for a Parallel's Catch).
 */
function outerNames({ outer, holder }: Scope): ReadonlySet<string> {
  return outer === undefined ? new Set() : new Set([...assignedIn(outer, holder), ...outerNames(outer)]);
}

/** Variables that the states of a scope can read. */
function namesIn({ outer, ...scope }: Scope): ReadonlySet<string> {
  const around = outer === undefined || scope.apart ? [] : namesIn(outer);
  return new Set([...assignedIn({ outer, ...scope }), ...around]);
}

/** Variables that are assigned around a scope, and that a distributed Map in between keeps from it. */
function namesOutOfReach({ outer, apart }: Scope): ReadonlySet<string> {
  if (outer === undefined) return new Set();
  return apart ? new Set([...namesIn(outer), ...namesOutOfReach(outer)]) : namesOutOfReach(outer);
}

// The schema's own words for this are about Mode, which is right.
function checkProcessor({ state, at }: FoundState): readonly Diagnostic[] {
  const processor = state['ItemProcessor'];
  const config = isObject(processor) ? processor['ProcessorConfig'] : undefined;
  return isDistributed(processor) && isObject(config) && config['ExecutionType'] === undefined
    ? [schemaError('A distributed Map must have an ExecutionType', `${at}/ItemProcessor/ProcessorConfig`)]
    : [];
}

function checkLabel({ state, at }: FoundState): readonly Diagnostic[] {
  const { Label } = state;
  if (typeof Label !== 'string') return [];
  const location = `${at}/Label`;
  if (Label === '' || Label.length > longestLabel)
    return [schemaError(`A Label has 1 to ${longestLabel} characters`, location)];
  return isName(Label) ? [] : [schemaError(`'${Label}' is not a valid Label`, location)];
}

function checkFields({ state, at }: FoundState): readonly Diagnostic[] {
  const problems = jsonPathOnly
    .filter((field) => state[field] !== undefined)
    .map((field) =>
      schemaError(`The field '${field}' is not supported with the query language JSONata`, `${at}/${field}`),
    );
  const { TimeoutSeconds, HeartbeatSeconds } = state;
  if (
    typeof TimeoutSeconds === 'number' &&
    typeof HeartbeatSeconds === 'number' &&
    HeartbeatSeconds >= TimeoutSeconds
  )
    problems.push(
      schemaError('HeartbeatSeconds must be smaller than TimeoutSeconds', `${at}/HeartbeatSeconds`),
    );
  return problems;
}

function checkExpressions(found: FoundState): readonly Diagnostic[] {
  const known = namesIn(found.scope);
  const outOfReach = namesOutOfReach(found.scope);
  const problems: Diagnostic[] = [];
  let readsToken = false;
  for (const { at, value, members } of findTemplates(found))
    for (const [location, text] of stringsIn(value, at)) {
      const source = expressionIn(text);
      if (source === undefined) {
        if (/^\s*\{%|%\}\s*$/.test(text))
          problems.push(schemaError(`'{%' and '%}' must be the first and the last characters`, location));
        continue;
      }
      const { syntaxError, variables, stateMembers } = analyse(source);
      readsToken ||= source.includes('Task.Token');
      if (syntaxError !== undefined)
        problems.push(
          schemaError(`The JSONata expression '${source}' is not valid: ${syntaxError}`, location),
        );
      if (variables.has('eval')) problems.push(schemaError(`The function $eval is not supported`, location));
      for (const member of ['result', 'errorOutput'])
        if (stateMembers.has(member) && !members.includes(member))
          problems.push(schemaError(`$states.${member} is not available here`, location));
      // AWS takes a name that nothing assigns, as recorded; its evaluation then fails.
      for (const name of variables)
        if (outOfReach.has(name) && !known.has(name))
          problems.push(
            schemaError(`The states of a distributed Map cannot read the outer variable $${name}`, location),
          );
        else if (name !== 'eval' && !known.has(name))
          problems.push(warning('UNDEFINED_VARIABLE', `Nothing assigns the variable $${name}`, location));
    }
  if (textOf(found.state['Resource']).endsWith('.waitForTaskToken') && !readsToken)
    problems.push(
      warning('TASK_TOKEN_UNUSED', 'No argument holds $states.context.Task.Token', `${found.at}/Arguments`),
    );
  return problems;
}
