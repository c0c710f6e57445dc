import { setMaxListeners } from 'node:events';
import type { Clock } from '../kernel/clock';
import { sleep } from '../kernel/clock';

/** Work that was accepted and goes on after its call was answered: it can be awaited, and ended. */
export class Outstanding {
  private readonly running = new Set<Promise<void>>();
  private readonly defects: unknown[] = [];
  private readonly end = new AbortController();

  constructor(private readonly clock: Clock) {
    // Every wait listens for the end, and there may be any number of them.
    setMaxListeners(0, this.end.signal);
  }

  /** Starts work, after the call that asks for it has been answered. An error that the work lets out is a defect. */
  start(work: () => Promise<void>): void {
    if (this.end.signal.aborted) return;
    const done = Promise.resolve()
      .then(work)
      .catch((error: unknown) => {
        // Ending in the middle of a wait is how stop() is meant to work.
        if (!this.end.signal.aborted) this.defects.push(error);
      })
      .finally(() => this.running.delete(done));
    this.running.add(done);
  }

  /** Waits on the clock; rejects when everything is stopped. */
  wait(delayMs: number): Promise<void> {
    return sleep(this.clock, delayMs, this.end.signal);
  }

  /** Resolves once nothing is under way, including what the work itself starts; rejects with the first defect. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
    if (this.defects.length > 0) throw this.defects[0];
  }

  /** Ends all waits; what is waiting is dropped. */
  stop(): void {
    this.end.abort(new Error('the embedded cloud stops'));
  }
}
