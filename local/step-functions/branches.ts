import type { Machine } from './definition';
import { Aborted, StateFailure } from './failure';
import type { Json } from './json';
import { childOf } from './limited-time';
import type { Machinery, Place } from './visit';

/** How Parallel and Map run what is inside them; the interpreter, handed in because it calls them. */
export type RunMachine = (machinery: Machinery, machine: Machine, input: Json, place: Place) => Promise<Json>;

/**
 * Runs several lanes at a time; the first that fails breaks the others off, and its failure is thrown when all have
 * come to rest. Being broken off from outside comes first.
 */
export async function runLanes(
  outer: AbortSignal,
  lanes: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const { controller, part } = childOf(outer);
  let first: { readonly thrown: unknown } | undefined;
  await Promise.all(
    lanes.map(async (lane) => {
      try {
        await lane(controller.signal);
      } catch (thrown) {
        if (!(thrown instanceof Aborted)) first ??= { thrown };
        controller.abort(new Aborted('a sibling failed'));
      }
    }),
  );
  part();
  if (outer.aborted) throw outer.reason;
  if (first !== undefined) throw first.thrown;
}

/** Whether something thrown is a failure by name, not a break-off or a fault of this program. */
export function isFailure(thrown: unknown): thrown is StateFailure {
  return thrown instanceof StateFailure;
}
