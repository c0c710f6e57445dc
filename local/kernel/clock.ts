/** A pending callback; cancelling one that already ran does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Where the embedded cloud gets its time from, so that an hour's deadline can take a second.
 *
 * Times are milliseconds since the Unix epoch; delays are milliseconds of this clock, not of the wall.
 */
export interface Clock {
  now(): number;
  after(delayMs: number, run: () => void): Timer;
}

/** Resolves after `delayMs` of the clock, or rejects with the signal's reason when aborted earlier. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason as Error);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The machine's own time, made `factor` times faster by the embedded cloud's waits and deadlines.
 *
 * At factor 1 it is wall time. Beyond it, `now` runs ahead of the wall from the moment of construction.
 */
export class ScaledClock implements Clock {
  private readonly startedAt = Date.now();

  constructor(readonly factor = 1) {
    if (!(factor > 0)) throw new RangeError(`clock factor must be positive, not ${String(factor)}`);
  }

  now(): number {
    return this.startedAt + (Date.now() - this.startedAt) * this.factor;
  }

  after(delayMs: number, run: () => void): Timer {
    // setTimeout holds 2^31-1 ms at most and fires at once beyond it; longer delays are taken in steps.
    const longest = 2 ** 31 - 1;
    let handle: NodeJS.Timeout;
    const arm = (restMs: number) => {
      handle = setTimeout(
        () => (restMs > longest ? arm(restMs - longest) : run()),
        Math.min(restMs, longest),
      );
    };
    arm(Math.max(0, delayMs / this.factor));
    return { cancel: () => clearTimeout(handle) };
  }
}

/** A clock that moves only when told to: for replaying what took hours in no time, in a fixed order. */
export class VirtualClock implements Clock {
  private timers: { at: number; order: number; run: () => void }[] = [];
  private order = 0;

  constructor(private time = Date.UTC(2026, 0, 1)) {}

  now(): number {
    return this.time;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { at: this.time + Math.max(0, delayMs), order: this.order++, run };
    this.timers.push(timer);
    return { cancel: () => (this.timers = this.timers.filter((other) => other !== timer)) };
  }

  /** Jumps to the earliest timer and runs it; false when there is none. */
  advance(): boolean {
    const next = this.timers.reduce<(typeof this.timers)[number] | undefined>(
      (a, b) => (a === undefined || b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a),
      undefined,
    );
    if (next === undefined) return false;
    this.timers = this.timers.filter((other) => other !== next);
    this.time = Math.max(this.time, next.at);
    next.run();
    return true;
  }
}
