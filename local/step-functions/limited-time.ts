import { setMaxListeners } from 'node:events';
import type { Clock, Timer } from '../kernel/clock';

/** Time that runs out unless the work is done, and that can be set back, as by a heartbeat. */
export interface Deadline {
  /** Starts anew. */
  readonly renew: () => void;
  readonly cancel: () => void;
}

/** Starts a deadline; with no time it never comes. */
export function startDeadline(clock: Clock, seconds: number | undefined, expire: () => void): Deadline {
  let timer: Timer | undefined;
  const renew = (): void => {
    timer?.cancel();
    timer = seconds === undefined ? undefined : clock.after(seconds * 1000, expire);
  };
  renew();
  return { renew, cancel: () => timer?.cancel() };
}

/** Gives up on a promise when the signal is aborted: rejects with its reason, and lets the work go on unheard. */
export async function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // Whichever of the two comes second has no listener any more.
    work.catch(() => undefined);
    aborted.catch(() => undefined);
  }
}

/** A controller whose signal many may listen to: an inline Map has 40 iterations at a time, each with its waits. */
export function openController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** A controller that is aborted with its parent, and a way to part from it. */
export function childOf(parent: AbortSignal): {
  readonly controller: AbortController;
  readonly part: () => void;
} {
  const controller = openController();
  const follow = (): void => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return { controller, part: () => parent.removeEventListener('abort', follow) };
}
