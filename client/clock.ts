/** Where the client gets its time from, so that tests need not wait. Times and delays are milliseconds. */
export interface Clock {
  now(): number;
  after(delayMs: number, run: () => void): { cancel(): void };
}

/**
 * The machine's own time.
 *
 * Wall time, not a monotonic clock: the latter may stand still while a Lambda environment is frozen, and a value
 * would look young after an hour. A wall clock that was set back makes ages negative, which counts as too old.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as that is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  let timer: { cancel(): void } | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = clock.after(delayMs, resolve);
  });
  return abortable(slept, signal).finally(() => timer?.cancel());
}

/** Passes a promise on, unless the signal is aborted first: then it rejects with the signal's reason. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(reasonOf(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    // Handled even when the abort came first, so that a late failure is never an unhandled rejection.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Runs `act` with a signal that is aborted after `limitMs`, and does not wait for it any longer than that. */
export async function withTimeLimit<T>(
  clock: Clock,
  limitMs: number,
  onTimeout: () => Error,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const timer = clock.after(limitMs, () => controller.abort(onTimeout()));
  try {
    return await abortable(act(controller.signal), controller.signal);
  } finally {
    timer.cancel();
  }
}

function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
