import type { Clock } from '../client/clock';
import type { RefreshRequest } from '../client/refresh-request';

/** The share of the time that Rotor waits after which it hears that the adapter is at work. */
const share = 0.4;

/** Whatever a request says, heartbeats are no closer than this. */
const leastMs = 1_000;

/**
 * Says `working` before so much of the time that Rotor waits has passed that it would think of silence, again and again:
 * each restarts that time. Returns what ends it.
 *
 * The length of the wait is taken from the request, where both ends are by Rotor's clock. An event that is tried again
 * comes late: then it is said at once. A request without a deadline needs none.
 */
export function startHeartbeats(
  clock: Clock,
  { askedAt, deadline }: Pick<RefreshRequest, 'askedAt' | 'deadline'>,
  say: () => void,
): () => void {
  if (deadline === undefined) return () => undefined;
  const everyMs = Math.max(leastMs, (deadline - askedAt) * share);
  const beat = () => {
    timer = clock.after(everyMs, beat);
    say();
  };
  // A clock that is behind Rotor's must not stretch the first wait.
  const passedMs = Math.max(0, clock.now() - askedAt);
  let timer = clock.after(Math.max(0, everyMs - passedMs), beat);
  return () => timer.cancel();
}
