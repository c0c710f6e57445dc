import { type Clock, systemClock } from './clock';
import { type OnClientEvent, quietly } from './client-event';
import { errorLabel, LambdaTimeTooShort, RequestMalformed } from './errors';
import type { RefreshResponder } from './refresh-responder';

/** What Lambda is told about a batch of SQS messages: those to be delivered again. */
export interface BatchAnswer {
  readonly batchItemFailures: { readonly itemIdentifier: string }[];
}

/** What the handler needs of Lambda's context. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** Left for reading, proving and acknowledging, beside the time to settle. */
const leastWorkMs = 3_000;
/** How long before Lambda's own timeout an invocation gives up, so that its error has a name. */
const reserveMs = 1_000;

/**
 * Makes a Lambda handler of a responder, for a function that is the target of Rotor's rule itself, or that an SQS
 * queue invokes (with `ReportBatchItemFailures`).
 *
 * The function's timeout must be longer than the responder settles, since every execution environment is an instance:
 * LambdaTimeTooShort otherwise. An error ends the invocation, which Lambda then repeats.
 */
export function lambdaHandler(
  responder: Pick<RefreshResponder, 'handleRefreshRequest' | 'settleMs'>,
  options: { readonly clock?: Clock; readonly on?: OnClientEvent } = {},
): (event: unknown, context?: LambdaContext) => Promise<BatchAnswer | undefined> {
  const clock = options.clock ?? systemClock;
  const on = quietly(options.on);
  return async (event, context) => {
    const remainingMs = context?.getRemainingTimeInMillis() ?? Infinity;
    if (remainingMs < responder.settleMs + leastWorkMs)
      throw new LambdaTimeTooShort(
        `the function has ${remainingMs} ms left, and needs ${responder.settleMs} ms to settle and ${leastWorkMs} ms to work`,
      );
    const ending = new AbortController();
    const timer =
      context === undefined
        ? undefined
        : clock.after(remainingMs - reserveMs, () =>
            ending.abort(new LambdaTimeTooShort('the function is about to time out')),
          );
    try {
      const handle = (request: unknown) => responder.handleRefreshRequest(request, { signal: ending.signal });
      const records = sqsRecords(event);
      if (records === undefined) {
        await handle(event);
        return undefined;
      }
      const batchItemFailures: { itemIdentifier: string }[] = [];
      await Promise.all(
        records.map(async ({ messageId, body }) => {
          try {
            await handle(body);
          } catch (error) {
            on({ type: 'request-failed', messageId, error: errorLabel(error) });
            batchItemFailures.push({ itemIdentifier: messageId });
          }
        }),
      );
      return { batchItemFailures };
    } finally {
      timer?.cancel();
    }
  };
}

function sqsRecords(event: unknown): { messageId: string; body: unknown }[] | undefined {
  if (typeof event !== 'object' || event === null || !('Records' in event)) return undefined;
  if (!Array.isArray(event.Records)) throw new RequestMalformed('Records is not a list');
  return event.Records.map((record: unknown) => {
    const named = typeof record === 'object' && record !== null && 'messageId' in record;
    if (!named || typeof record.messageId !== 'string')
      throw new RequestMalformed('a record has no messageId');
    return { messageId: record.messageId, body: 'body' in record ? record.body : undefined };
  });
}
