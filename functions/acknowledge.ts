import type { EventBridgeEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { taskTokens } from '../aws/executions';
import { detailTypes, eventSchemas } from '../domain/events';
import { log } from './task';

const tokens = taskTokens();

/** What the waiting state receives, and compares with what it asked for. */
export interface AcknowledgedOutput {
  readonly consumer: string;
  readonly versionId: string;
  readonly account: string;
}

/** Longest reason that is passed on; it ends up in the execution's history and in the alert. */
const longestReason = 256;

/**
 * Completes the waiting task that an acknowledgement belongs to.
 *
 * Delivery is at least once, unordered and late, and anybody who may put events can send anything: what is malformed
 * or answers a token that no longer waits is dropped with a line in the log, since repeating would not mend it. Whether
 * consumer, version and account are the right ones is for the waiting state to judge, which knows what it asked.
 */
export const handler = async (
  event: EventBridgeEvent<string, unknown>,
): Promise<{ readonly completed: boolean }> => {
  const parsed = z.safeParse(eventSchemas[detailTypes.refreshAcknowledged], event.detail);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
    log('warn', 'dropped a malformed acknowledgement', { account: event.account, fields });
    return { completed: false };
  }
  const { consumer, versionId, taskToken, outcome, reason } = parsed.data;
  const answer: AcknowledgedOutput = { consumer, versionId, account: event.account };
  const completed = await {
    loaded: () => tokens.succeed(taskToken, answer),
    refused: () =>
      tokens.fail(taskToken, 'ConsumerRefused', {
        ...answer,
        reason: (reason ?? 'no reason given').slice(0, longestReason),
      }),
    working: () => tokens.heartbeat(taskToken),
  }[outcome]();
  log('info', completed ? 'acknowledged' : 'nobody waits for this acknowledgement', {
    consumer,
    versionId,
    outcome,
  });
  return { completed };
};
