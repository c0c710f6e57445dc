import { sleep } from '../kernel/clock';
import type { Catcher, Retrier } from './definition';
import { covers, StateFailure } from './failure';
import type { MapState, ParallelState, TaskState } from './definition';
import { errorOutput } from './task-port';
import type { Departure, Visit } from './visit';

// AWS's defaults.
const defaults = { intervalSeconds: 1, backoffRate: 2, maxAttempts: 3 };

/** Milliseconds until a retrier's next attempt, `retries` counting those it has already caused. */
export function retryDelayMs(retrier: Retrier, retries: number, random: () => number): number {
  const interval = retrier.IntervalSeconds ?? defaults.intervalSeconds;
  const grown = interval * (retrier.BackoffRate ?? defaults.backoffRate) ** retries;
  const seconds = Math.min(grown, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return 1000 * (retrier.JitterStrategy === 'FULL' ? random() * seconds : seconds);
}

/**
 * Runs a state's work under its Retry and Catch.
 *
 * The first retrier that covers an error decides, counting for itself; when it has no attempt left, the first
 * catcher that covers it. `giveUp` runs once no retrier takes the error.
 */
export async function withRetryAndCatch(
  visit: Visit<TaskState | MapState | ParallelState>,
  attempt: () => Promise<Departure>,
  giveUp: () => void = () => undefined,
): Promise<Departure> {
  const spent = new Map<Retrier, number>();
  for (;;) {
    try {
      return await attempt();
    } catch (failure) {
      if (!(failure instanceof StateFailure)) throw failure;
      const retrier = visit.state.Retry?.find((one) => covers(one.ErrorEquals, failure.error));
      const retries = (retrier === undefined ? undefined : spent.get(retrier)) ?? 0;
      if (retrier !== undefined && retries < (retrier.MaxAttempts ?? defaults.maxAttempts)) {
        spent.set(retrier, retries + 1);
        const { clock, random } = visit.machinery;
        await sleep(clock, retryDelayMs(retrier, retries, random), visit.place.signal);
        visit.retryCount += 1;
        continue;
      }
      giveUp();
      const index = visit.state.Catch?.findIndex((one) => covers(one.ErrorEquals, failure.error)) ?? -1;
      const catcher = visit.state.Catch?.[index];
      if (catcher === undefined) throw failure;
      return await leaveBy(catcher, index, failure, visit);
    }
  }
}

async function leaveBy(
  catcher: Catcher,
  index: number,
  failure: StateFailure,
  visit: Visit,
): Promise<Departure> {
  const output = errorOutput(failure.error, failure.reason);
  return visit.leave(catcher, output, catcher.Next, { errorOutput: output }, `Catch[${index}]/`);
}
