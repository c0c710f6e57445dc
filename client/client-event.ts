/**
 * What the client tells the application about its own work, for logs and metrics.
 *
 * Names, version ids and outcomes only: no secret value, and no task token, which would let its reader answer for
 * the consumer.
 */
export type ClientEvent =
  | {
      readonly type: 'version-served';
      readonly versionId: string;
      readonly stage: 'AWSCURRENT' | 'AWSPENDING';
      readonly proven: boolean;
    }
  | { readonly type: 'login-refused'; readonly versionId: string }
  | { readonly type: 'look-failed'; readonly error: string }
  | { readonly type: 'proof-failed'; readonly versionId: string; readonly reason: string }
  | {
      readonly type: 'acknowledged';
      readonly outcome: 'loaded' | 'refused' | 'working';
      readonly versionId: string;
    }
  | { readonly type: 'acknowledgement-failed'; readonly error: string }
  | { readonly type: 'request-failed'; readonly messageId: string; readonly error: string }
  | { readonly type: 'queue-failed'; readonly operation: string; readonly error: string }
  | { readonly type: 'hook-failed'; readonly error: string };

/** Takes the client's events; what it throws is dropped. */
export type OnClientEvent = (event: ClientEvent) => void;

/** Wraps the application's hook, so that a fault in it never reaches the client's own work. */
export function quietly(on: OnClientEvent | undefined): OnClientEvent {
  return (event) => {
    try {
      on?.(event);
    } catch {
      // There is nobody left to tell.
    }
  };
}
