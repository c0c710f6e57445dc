import type { ChoiceState, FailState, Machine, State } from './definition';
import { runDistributedMap } from './distributed-map';
import { Aborted, StateFailure } from './failure';
import type { Json } from './json';
import { runMap } from './map';
import { runParallel } from './parallel';
import { runTask } from './task';
import type { Departure, Machinery, Place } from './visit';
import { Visit } from './visit';
import { runWait } from './wait';

/**
 * Runs the states under one StartAt until one of them ends, and answers its output.
 *
 * Throws StateFailure when a state fails for good, Aborted when the place's signal was aborted. Every state leaves
 * `…StateEntered`, then `…StateExited`, or its failure's events, or `…StateAborted`.
 */
export async function runMachine(
  machinery: Machinery,
  machine: Machine,
  input: Json,
  place: Place,
): Promise<Json> {
  let name = machine.StartAt;
  let value = input;
  for (;;) {
    if (place.signal.aborted) throw place.signal.reason;
    const state = machine.States[name];
    if (state === undefined) throw new StateFailure('States.Runtime', `The state '${name}' does not exist.`);
    const { output, next } = await runState(machinery, place, name, state, value);
    if (next === undefined) return output;
    name = next;
    value = output;
  }
}

async function runState(
  machinery: Machinery,
  place: Place,
  name: string,
  state: State,
  input: Json,
): Promise<Departure> {
  const enter = <Shape extends State>(shape: Shape) => new Visit(machinery, place, name, shape, input);
  try {
    switch (state.Type) {
      case 'Pass': {
        const visit = enter(state);
        return await visit.leave(state, state.Result ?? input, state.Next, {});
      }
      case 'Succeed':
        return { ...(await enter(state).leave(state, input, undefined, {})), next: undefined };
      case 'Fail':
        throw await failureOf(enter(state));
      case 'Choice':
        return await runChoice(enter(state));
      case 'Wait':
        return await runWait(enter(state));
      case 'Task':
        return await runTask(enter(state));
      case 'Parallel':
        return await runParallel(enter(state), runMachine);
      case 'Map':
        return state.ItemProcessor.ProcessorConfig?.Mode === 'DISTRIBUTED'
          ? await runDistributedMap(enter(state))
          : await runMap(enter(state), runMachine);
    }
  } catch (thrown) {
    if (thrown instanceof Aborted && isAbortable(state))
      machinery.history.record(place.trail, `${state.Type}StateAborted`);
    throw thrown;
  }
}

function isAbortable(state: State): state is Extract<State, { Type: 'Map' | 'Parallel' | 'Task' | 'Wait' }> {
  return ['Map', 'Parallel', 'Task', 'Wait'].includes(state.Type);
}

async function failureOf(visit: Visit<FailState>): Promise<StateFailure> {
  const text = async (field: 'Error' | 'Cause') => {
    const template = visit.state[field];
    return template === undefined
      ? undefined
      : visit.evaluateAs(field, template, 'string', (value) => typeof value === 'string');
  };
  return new StateFailure(await text('Error'), await text('Cause'));
}

async function runChoice(visit: Visit<ChoiceState>): Promise<Departure> {
  const { state, input } = visit;
  for (const [index, rule] of state.Choices.entries()) {
    const field = `Choices[${index}]`;
    const holds = await visit.evaluateAs(
      `${field}/Condition`,
      rule.Condition,
      'boolean',
      (value) => typeof value === 'boolean',
    );
    if (holds) return visit.leave(rule, input, rule.Next, {}, `${field}/`);
  }
  if (state.Default === undefined)
    throw visit.failure(
      'States.Runtime',
      'Failed to transition out of the state. The state does not point to a next state.',
    );
  return visit.leave(state, input, state.Default, {});
}
