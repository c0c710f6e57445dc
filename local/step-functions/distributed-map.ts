import { runLanes } from './branches';
import type { MapState } from './definition';
import { StateFailure } from './failure';
import type { Json, JsonObject } from './json';
import { orAborted } from './limited-time';
import { inputsOf, itemsOf } from './map-items';
import type { MapRun, MapRunOrder } from './map-run';
import type { ExecutionRecord } from './records';
import { withRetryAndCatch } from './retry';
import { endOf, redrive } from './status-event';
import type { Departure, Visit } from './visit';

// A distributed Map runs at most this many child executions at a time, whatever MaxConcurrency says.
const distributedConcurrency = 10_000;

/**
 * Runs a distributed Map state: every item as a child execution with its own history; the result is their outputs in
 * the order of the items. Of the children, the parent's history shows only the Map Run.
 */
export async function runDistributedMap(visit: Visit<MapState>): Promise<Departure> {
  const { state, place, machinery } = visit;
  let misconfigured = false;
  const attempt = async (): Promise<Departure> => {
    const items = await itemsOf(visit);
    const settings = await settingsOf(visit);
    const inputs = await inputsOf(visit, items, { source: 'STATE_DATA' });
    visit.record('MapStateStarted', { mapStateStartedEventDetails: { length: items.length } });
    const problem = problemOf(settings);
    misconfigured = problem !== undefined;
    if (problem !== undefined) throw visit.failure('States.Runtime', problem);
    for (const input of inputs) visit.assertSize(input);
    const run = machinery.startMapRun({
      parent: machinery.execution,
      processor: state.ItemProcessor,
      label: state.Label,
      total: items.length,
      ...settings,
    });
    visit.record('MapRunStarted', { mapRunStartedEventDetails: { mapRunArn: run.arn } });
    const outputs = await runToItsEnd(visit, run, inputs);
    machinery.history.note('MapStateSucceeded', place.trail.last);
    return visit.leave(state, outputs, state.Next, { result: outputs });
  };
  // Recorded: a threshold out of range ends the execution without a word on the Map.
  return withRetryAndCatch(visit, attempt, () => {
    if (!misconfigured) visit.record('MapStateFailed');
  });
}

type Settings = Pick<MapRunOrder, 'maxConcurrency' | 'toleratedFailureCount' | 'toleratedFailurePercentage'>;

async function settingsOf(visit: Visit<MapState>): Promise<Settings> {
  const { MaxConcurrency, ToleratedFailureCount, ToleratedFailurePercentage } = visit.state;
  return {
    toleratedFailureCount: await visit.evaluateNumber('ToleratedFailureCount', ToleratedFailureCount),
    toleratedFailurePercentage: await visit.evaluateNumber(
      'ToleratedFailurePercentage',
      ToleratedFailurePercentage,
    ),
    maxConcurrency: (await visit.evaluateNumber('MaxConcurrency', MaxConcurrency)) ?? 0,
  };
}

function problemOf({ toleratedFailureCount, toleratedFailurePercentage }: Settings): string | undefined {
  if ((toleratedFailureCount ?? 0) < 0) return 'ToleratedFailureCount cannot be negative.';
  const percentage = toleratedFailurePercentage ?? 0;
  return percentage < 0 || percentage > 100
    ? 'ToleratedFailurePercentage must be between 0 and 100.'
    : undefined;
}

async function runToItsEnd(
  visit: Visit<MapState>,
  run: MapRun,
  inputs: readonly Json[],
): Promise<readonly Json[]> {
  const { signal } = visit.place;
  try {
    const outputs = await runChildren(signal, run, inputs);
    visit.assertSize(outputs);
    run.end('SUCCEEDED');
    visit.record('MapRunSucceeded');
    return outputs;
  } catch (thrown) {
    if (signal.aborted) {
      run.end('ABORTED');
      visit.record('MapRunAborted');
    } else {
      run.end('FAILED');
      if (thrown instanceof StateFailure)
        visit.record('MapRunFailed', {
          mapRunFailedEventDetails: { error: thrown.error, cause: thrown.reason },
        });
    }
    throw thrown;
  }
}

async function runChildren(
  outer: AbortSignal,
  run: MapRun,
  inputs: readonly Json[],
): Promise<readonly Json[]> {
  const outputs: Json[] = inputs.map(() => null);
  const queue = inputs.entries();
  const lane = async (signal: AbortSignal): Promise<void> => {
    // The lanes share the iterator: each takes the next item that nobody has.
    for (const [index, input] of queue) {
      if (signal.aborted) return;
      const child = run.start(input);
      await untilEnded(child, signal);
      outputs[index] = resultOf(child);
      if (child.execution.status !== 'SUCCEEDED' && run.exceedsTolerance())
        throw new StateFailure(
          'States.ExceedToleratedFailureThreshold',
          'The specified tolerated failure threshold was exceeded',
        );
    }
  };
  const wanted = run.order.maxConcurrency;
  const atOnce = wanted > 0 ? Math.min(wanted, distributedConcurrency) : distributedConcurrency;
  await runLanes(
    outer,
    Array.from({ length: Math.min(atOnce, inputs.length) }, () => lane),
  );
  return outputs;
}

/** Waits for a child; when the run is broken off, the child is first, and its last event is waited for. */
async function untilEnded(child: ExecutionRecord, signal: AbortSignal): Promise<void> {
  try {
    await orAborted(child.done, signal);
  } catch (thrown) {
    child.execution.stop(undefined, undefined);
    await child.done;
    throw thrown;
  }
}

/** What a child adds to the result: its output, or what AWS tells of an execution that has none. */
function resultOf(child: ExecutionRecord): Json {
  const { end } = child.execution;
  if (end?.status === 'SUCCEEDED') return end.output;
  const { error, cause } = endOf(child);
  const told: JsonObject = {
    ExecutionArn: child.arn,
    ...(error === undefined ? {} : { Error: error }),
    ...(cause === undefined ? {} : { Cause: cause }),
    Input: child.inputText,
    InputDetails: { Included: true },
    Name: child.name,
    RedriveCount: 0,
    RedriveStatus: redrive(child).redriveStatus,
    StartDate: child.startedAt.toISOString(),
    StateMachineArn: child.machineArn,
    Status: child.execution.status,
    ...(end === undefined ? {} : { StopDate: end.at.toISOString() }),
  };
  return told;
}
