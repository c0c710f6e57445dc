import type { Clock } from '../../client/clock';
import type { VirtualClock } from '../../local/kernel/clock';

/** Lets everything run that is due now: promises, and what the fakes answer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Moves the clock on by so many milliseconds, timer by timer, and lets each one's consequences happen. */
export async function pass(clock: VirtualClock, ms: number): Promise<void> {
  const state = { arrived: false };
  await settled();
  clock.after(ms, () => (state.arrived = true));
  while (!state.arrived) {
    clock.advance();
    await settled();
  }
}

/** The same time for somebody who is alone in it: whoever waits lets it pass, since nobody else does. */
export function passingByWaits(clock: VirtualClock): Clock {
  return {
    now: () => clock.now(),
    after: (delayMs, run) => {
      const timer = clock.after(delayMs, run);
      void pass(clock, delayMs);
      return timer;
    },
  };
}

/** Moves the clock on until a promise has ended, and passes its end on. */
export async function passUntil<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  const state = { ended: false };
  const end = () => (state.ended = true);
  promise.then(end, end);
  await settled();
  for (let steps = 0; !state.ended; steps++) {
    if (steps === 10_000 || !clock.advance()) throw new Error('nothing is left that could end the promise');
    await settled();
  }
  return promise;
}
