import type { RunMachine } from './branches';
import { isFailure, runLanes } from './branches';
import type { ParallelState } from './definition';
import type { Json } from './json';
import { withRetryAndCatch } from './retry';
import type { Departure, Visit } from './visit';

const taskFailures: ReadonlySet<string> = new Set([
  'LambdaFunctionFailed',
  'LambdaFunctionTimedOut',
  'TaskFailed',
  'TaskSubmitFailed',
  'TaskTimedOut',
]);

/** Runs a Parallel state; the result is the branches' outputs in the order of the definition. */
export async function runParallel(visit: Visit<ParallelState>, runMachine: RunMachine): Promise<Departure> {
  const { state, place, machinery } = visit;
  const attempt = async (): Promise<Departure> => {
    const input =
      state.Arguments === undefined ? visit.input : await visit.evaluate('Arguments', state.Arguments);
    visit.record('ParallelStateStarted');
    const outputs: Json[] = state.Branches.map(() => null);
    const lanes = state.Branches.map((branch, index) => async (signal: AbortSignal) => {
      const trail = place.trail.fork();
      try {
        outputs[index] = await runMachine(machinery, branch, input, {
          ...place,
          signal,
          trail,
          variables: place.variables.inner(),
        });
      } catch (thrown) {
        // Recorded: the Task that fails a branch is also noted as aborted, beside the branch's own thread.
        const failed = machinery.history.events[trail.last - 1]?.type;
        if (isFailure(thrown) && failed !== undefined && taskFailures.has(failed))
          machinery.history.note('TaskStateAborted', trail.last);
        throw thrown;
      } finally {
        if (!signal.aborted) place.trail.last = trail.last;
      }
    });
    await runLanes(place.signal, lanes);
    visit.assertSize(outputs);
    machinery.history.note('ParallelStateSucceeded', place.trail.last);
    return visit.leave(state, outputs, state.Next, { result: outputs });
  };
  return withRetryAndCatch(visit, attempt, () => visit.record('ParallelStateFailed'));
}
