import { type Clock, systemClock } from '../../client/clock';

/** Shorter waits are pauses between attempts; from here on they are limits, which only guard against hanging. */
const shortestLimitMs = 5_000;

/**
 * The machine's time, for clients of real servers: what limits a look, a proof or a login lasts ten times as long, so that
 * a slow machine reaches none of them.
 */
export const patientClock: Clock = {
  now: () => systemClock.now(),
  after: (delayMs, run) => systemClock.after(delayMs < shortestLimitMs ? delayMs : 10 * delayMs, run),
};

/** How long a driver may take to connect, in milliseconds, on such a machine. */
export const patientConnectMs = 120_000;
