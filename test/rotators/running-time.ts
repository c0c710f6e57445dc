import timers from 'node:timers';
import { sliceMs } from '../running-time';

/** From here on a timer is a deadline and no pause. */
const shortestMs = 1_000;

/**
 * Has long timers count the time in which this process runs. Drivers give a login five seconds of the wall: a process that
 * stood still for so long would give it up with the answer waiting to be read.
 */
function countRunningTime(place: { setTimeout: typeof setTimeout }): void {
  const native = place.setTimeout;
  const counting = (run: (...values: unknown[]) => void, ms = 0, ...values: unknown[]) => {
    if (ms < shortestMs) return native(run, ms, ...values);
    let slices = Math.ceil(ms / sliceMs);
    const timer = native(() => {
      slices -= 1;
      if (slices > 0) timer.refresh();
      else run(...values);
    }, ms / slices);
    return timer;
  };
  place.setTimeout = Object.assign(counting, native);
  afterAll(() => {
    place.setTimeout = native;
  });
}

countRunningTime(globalThis);
// Where mysql2 takes its own from; the other test files of this process have it too.
countRunningTime(timers);
