import type { FoundState } from './definition-walk';
import { entriesOf } from './definition-walk';
import type { Diagnostic } from './diagnostics';
import { unsupported } from './diagnostics';
import { isObject, textOf } from './json';
import { parseResource } from './task-port';

// Of JSONPath states, these types mean the same in JSONata as long as they have none of the fields below.
const neutralTypes: ReadonlySet<string> = new Set(['Fail', 'Pass', 'Succeed', 'Wait']);
const pathFields = [
  'Assign',
  'CausePath',
  'ErrorPath',
  'HeartbeatSecondsPath',
  'InputPath',
  'ItemsPath',
  'MaxConcurrencyPath',
  'OutputPath',
  'Parameters',
  'ResultPath',
  'ResultSelector',
  'SecondsPath',
  'TimeoutSecondsPath',
  'TimestampPath',
];

/** What AWS would run in this state and the embedded cloud would not, by name. */
export function checkSupport(found: FoundState): readonly Diagnostic[] {
  const { state, at } = found;
  const problems: Diagnostic[] = [];
  if (found.queryLanguage === 'JSONPath') {
    const path = pathFields.find((field) => state[field] !== undefined);
    if (path !== undefined || !neutralTypes.has(textOf(state['Type'])))
      problems.push(unsupported(`JSONPath (${path ?? textOf(state['Type'])})`, at));
  }
  const { Resource, Type } = state;
  if (Type === 'Task' && typeof Resource === 'string' && parseResource(Resource) === undefined)
    problems.push(unsupported(`the resource ${Resource}`, `${at}/Resource`));
  for (const field of ['Iterator', 'ItemBatcher', 'ItemReader', 'ResultWriter'])
    if (state[field] !== undefined) problems.push(unsupported(field, `${at}/${field}`));
  const processor = state['ItemProcessor'];
  const configuration = isObject(processor) ? processor['ProcessorConfig'] : undefined;
  if (isObject(configuration) && configuration['ExecutionType'] === 'EXPRESS')
    problems.push(
      unsupported('EXPRESS child executions', `${at}/ItemProcessor/ProcessorConfig/ExecutionType`),
    );
  for (const [index, branch] of entriesOf(state['Branches']))
    if (branch['QueryLanguage'] !== undefined)
      problems.push(unsupported('QueryLanguage of a branch', `${at}/Branches/${index}/QueryLanguage`));
  return problems;
}
