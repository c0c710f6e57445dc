import { type Clock, sleep } from './clock';
import { AcknowledgementFailed, errorLabel } from './errors';
import type { EventBridgePort } from './ports';
import type { RefreshRequest } from './refresh-request';

/** A consumer's answer to a request. */
export type Answer =
  | { readonly outcome: 'loaded' | 'working'; readonly versionId: string }
  | { readonly outcome: 'refused'; readonly versionId: string; readonly reason: string };

/** Pauses between attempts, beyond what the SDK repeats by itself; 6 s in all, far below any deadline. */
const pausesMs = [200, 400, 800, 1_600, 3_200];

/** Says to Rotor what a consumer has done, as events on its bus. */
export class Acknowledger {
  constructor(
    private readonly eventBridge: EventBridgePort,
    private readonly busName: string,
    private readonly clock: Clock,
  ) {}

  /**
   * Puts one answer to a request that carries a token. Once it is put, it arrives at least once, in no fixed order.
   * AcknowledgementFailed when EventBridge does not take it, after repeats. A bus that does not exist takes and drops
   * everything: AWS does not tell.
   */
  async acknowledge(
    request: RefreshRequest & { readonly taskToken: string },
    answer: Answer,
    signal?: AbortSignal,
  ): Promise<void> {
    const { consumer, secret, taskToken } = request;
    const time = new Date(this.clock.now()).toISOString();
    const entry = {
      EventBusName: this.busName,
      // Source `rotor` is for Rotor's own roles.
      Source: 'rotor.consumer',
      DetailType: 'Secret Refresh Acknowledged',
      Detail: JSON.stringify({ schemaVersion: '1', consumer, secret, taskToken, ...answer, time }),
    };
    for (let failures = 0; ; failures++) {
      const failure = await this.put(entry, signal);
      if (failure === undefined) return;
      const pause = pausesMs[failures];
      if (pause === undefined)
        throw new AcknowledgementFailed(
          `bus ${this.busName} did not take the acknowledgement of ${consumer}: ${failure}`,
        );
      await sleep(this.clock, pause, signal);
    }
  }

  private async put(
    entry: Parameters<EventBridgePort['putEvents']>[0]['Entries'][number],
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    try {
      const answer = await this.eventBridge.putEvents(
        { Entries: [entry] },
        signal === undefined ? {} : { abortSignal: signal },
      );
      if ((answer.FailedEntryCount ?? 0) === 0) return undefined;
      return answer.Entries?.[0]?.ErrorCode ?? 'the entry failed';
    } catch (error) {
      return errorLabel(error);
    }
  }
}
