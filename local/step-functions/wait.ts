import { sleep } from '../kernel/clock';
import type { WaitState } from './definition';
import type { Departure, Visit } from './visit';

// What java.time's extended offset date-time takes, in which AWS reads timestamps: an offset is required.
const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

// 99,999,999 seconds is the longest that AWS waits.
const longestSeconds = 99_999_999;

/** Runs a Wait state. An instant in the past is no wait. */
export async function runWait(visit: Visit<WaitState>): Promise<Departure> {
  const { clock } = visit.machinery;
  await sleep(clock, Math.max(0, (await endOf(visit)) - clock.now()), visit.place.signal);
  return visit.leave(visit.state, visit.input, visit.state.Next, {});
}

async function endOf(visit: Visit<WaitState>): Promise<number> {
  const { Seconds, Timestamp } = visit.state;
  if (Timestamp === undefined) {
    const seconds = (await visit.evaluateNumber('Seconds', Seconds)) ?? 0;
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > longestSeconds)
      throw visit.evaluationFailure(
        'Seconds',
        `The Seconds field must be a whole number from 0 to ${longestSeconds} but was: ${seconds}`,
      );
    return visit.machinery.clock.now() + seconds * 1000;
  }
  const text = await visit.evaluateAs('Timestamp', Timestamp, 'string', (value) => typeof value === 'string');
  // Date.parse knows milliseconds only; finer fractions are cut off.
  const instant = dateTime.test(text) ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : Number.NaN;
  if (Number.isNaN(instant))
    throw visit.evaluationFailure(
      'Timestamp',
      `The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: ${text}`,
    );
  return instant;
}
