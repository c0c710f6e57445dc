import { abortable, type Clock, sleep } from '../client/clock';
import type { RefreshRequest } from '../client/refresh-request';
import type { Adapter } from './adapter';
import type { CurrentVersion } from './current-version';
import { failureOf } from './failures';
import { log } from './log';

/** How a roll-out ended, and with which version. */
export type RollOutEnd =
  | { readonly outcome: 'loaded'; readonly versionId: string }
  | { readonly outcome: 'refused'; readonly versionId: string; readonly reason: string };

/** So often in a row an error that no repeat mends is met before it is believed: permissions, for one, spread slowly. */
const believedAfter = 3;

/** Longest reason; more of it Rotor does not pass on. */
const longestReason = 256;

/** What a roll-out works with. */
export interface RollOutTools {
  readonly adapter: Adapter;
  readonly current: CurrentVersion;
  readonly clock: Clock;
  readonly lookEverySeconds: number;
}

/**
 * Brings one application to the version that AWSCURRENT names, and ends when it runs on that one or refuses it.
 *
 * What AWSCURRENT names is asked before every look and once more at the end: where it has moved meanwhile, the roll-out
 * begins anew with the new version. Errors that may pass are repeated until the signal is aborted, with whose reason
 * this then rejects. Errors that stay are a refusal.
 */
export async function rollOut(
  tools: RollOutTools,
  request: RefreshRequest,
  signal: AbortSignal,
): Promise<RollOutEnd> {
  const { adapter, clock, lookEverySeconds } = tools;
  const { consumer, secret, rotationId } = request;
  const current = () => abortable(tools.current(secret.arn, signal), signal);
  let versionId = request.versionId;
  let begun: string | undefined;
  let inARow = 0;
  for (;;) {
    try {
      versionId = await current();
      const version = { consumer, secret, rotationId, versionId };
      if (begun !== versionId) {
        await abortable(adapter.begin(version, signal), signal);
        log('info', 'begun', { consumer, versionId, rotationId });
        begun = versionId;
      }
      const progress = await abortable(adapter.look(version, signal), signal);
      inARow = 0;
      if (progress.state !== 'working') {
        if ((await current()) !== versionId) continue;
        return progress.state === 'done'
          ? { outcome: 'loaded', versionId }
          : { outcome: 'refused', versionId, reason: printable(progress.reason) };
      }
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = failureOf(error);
      log('warn', 'failed', { consumer, versionId, rotationId, error: failure.name });
      inARow = failure.permanent ? inARow + 1 : 0;
      if (inARow === believedAfter)
        return { outcome: 'refused', versionId, reason: printable(`${failure.name}: ${failure.what}`) };
    }
    await sleep(clock, lookEverySeconds * 1_000, signal);
  }
}

/** A reason as it may stand in a line of an alert. */
function printable(reason: string): string {
  return reason.replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ').slice(0, longestReason);
}
