import { eventSchemas, type Acknowledgement } from '../../domain/events';
import type { EventBridgePort } from '../../client/ports';

/** A bus that keeps what it takes, and can be told to take nothing for a while. */
export class FakeEventBus implements EventBridgePort {
  readonly taken: { readonly bus: string; readonly source: string; readonly ack: Acknowledgement }[] = [];
  /** What becomes of the next calls, in order: an error code of the entry, or the name of a thrown error. */
  readonly failures: ({ readonly entry: string } | { readonly thrown: string })[] = [];
  calls = 0;

  get outcomes(): string[] {
    return this.taken.map(({ ack }) => ack.outcome);
  }

  async putEvents(
    input: Parameters<EventBridgePort['putEvents']>[0],
  ): ReturnType<EventBridgePort['putEvents']> {
    this.calls++;
    const failure = this.failures.shift();
    if (failure !== undefined && 'thrown' in failure)
      throw Object.assign(new Error('no'), { name: failure.thrown });
    if (failure !== undefined) return { FailedEntryCount: 1, Entries: [{ ErrorCode: failure.entry }] };
    for (const { EventBusName, Source, DetailType, Detail } of input.Entries) {
      expect(DetailType).toBe('Secret Refresh Acknowledged');
      // The orchestrator's own schema decides whether an acknowledgement is one.
      const ack = eventSchemas['Secret Refresh Acknowledged'].parse(JSON.parse(Detail));
      this.taken.push({ bus: EventBusName, source: Source, ack });
    }
    return { FailedEntryCount: 0, Entries: [{}] };
  }
}
