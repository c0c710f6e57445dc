import type { RunMachine } from './branches';
import { isFailure, runLanes } from './branches';
import type { MapState } from './definition';
import type { History, Trail } from './history';
import type { Json } from './json';
import { inputsOf, itemsOf } from './map-items';
import { withRetryAndCatch } from './retry';
import type { Departure, Visit } from './visit';

// An inline Map runs at most this many iterations at a time, whatever MaxConcurrency says.
const inlineConcurrency = 40;

/** Runs an inline Map state; the result is the iterations' outputs in the order of the items. */
export async function runMap(visit: Visit<MapState>, runMachine: RunMachine): Promise<Departure> {
  const { state, place } = visit;
  const { history } = visit.machinery;
  const attempt = async (): Promise<Departure> => {
    const items = await itemsOf(visit);
    const atOnce = await concurrencyOf(visit);
    const inputs = await inputsOf(visit, items);
    visit.record('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
    const outputs = await iterate(visit, items, inputs, atOnce, runMachine);
    visit.assertSize(outputs);
    history.note('MapStateSucceeded', place.trail.last);
    return visit.leave(state, outputs, state.Next, { result: outputs });
  };
  return withRetryAndCatch(visit, attempt, () => visit.record('MapStateFailed'));
}

async function concurrencyOf(visit: Visit<MapState>): Promise<number> {
  const { state } = visit;
  // Failures are tolerated by distributed Maps only; in an inline one AWS takes the fields and heeds nothing but type.
  await visit.evaluateNumber('ToleratedFailureCount', state.ToleratedFailureCount);
  await visit.evaluateNumber('ToleratedFailurePercentage', state.ToleratedFailurePercentage);
  const wanted = (await visit.evaluateNumber('MaxConcurrency', state.MaxConcurrency)) ?? 0;
  return wanted > 0 ? Math.min(wanted, inlineConcurrency) : inlineConcurrency;
}

async function iterate(
  visit: Visit<MapState>,
  items: readonly Json[],
  inputs: readonly Json[],
  atOnce: number,
  runMachine: RunMachine,
): Promise<readonly Json[]> {
  const { place, machinery, state } = visit;
  const outputs: Json[] = items.map(() => null);
  const queue = [...items.entries()];
  const lane = async (signal: AbortSignal): Promise<void> => {
    const trail = place.trail.fork();
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      const [index, value] = next;
      const iteration = iterationEvents(machinery.history, trail, visit.name, index);
      iteration.started();
      try {
        outputs[index] = await runMachine(machinery, state.ItemProcessor, inputs[index] ?? null, {
          signal,
          trail,
          variables: place.variables.inner(),
          item: { index, value },
        });
        place.trail.last = iteration.ended('Succeeded');
      } catch (thrown) {
        iteration.ended(isFailure(thrown) ? 'Failed' : 'Aborted');
        if (isFailure(thrown)) place.trail.last = trail.last;
        throw thrown;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, () => lane);
  await runLanes(place.signal, lanes);
  return outputs;
}

function iterationEvents(history: History, trail: Trail, name: string, index: number) {
  const details = { name, index };
  return {
    started: () => history.record(trail, 'MapIterationStarted', { mapIterationStartedEventDetails: details }),
    // Beside the lane's own thread: the next iteration follows the last state of this one.
    ended: (how: 'Succeeded' | 'Failed' | 'Aborted') =>
      history.note(`MapIteration${how}`, trail.last, { [`mapIteration${how}EventDetails`]: details }),
  };
}
