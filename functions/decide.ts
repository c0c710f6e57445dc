import type { EventBridgeEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { taskTokens } from '../aws/executions';
import { detailTypes, eventSchemas } from '../domain/events';
import { log } from './task';

const tokens = taskTokens();

/**
 * Completes the task of a rotation that is held with what an operator decided.
 *
 * A decision that is malformed, or comes when nobody waits for it any more, is dropped with a line in the log. Whether
 * it is one of those that were offered is for the waiting state to judge: if not, it asks again.
 */
export const handler = async (
  event: EventBridgeEvent<string, unknown>,
): Promise<{ readonly completed: boolean }> => {
  const parsed = z.safeParse(eventSchemas[detailTypes.decided], event.detail);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.'));
    log('warn', 'dropped a malformed decision', { account: event.account, fields });
    return { completed: false };
  }
  const { decision, skip, by, taskToken } = parsed.data;
  const completed = await tokens.succeed(taskToken, { decision, skip, by });
  log('info', completed ? 'decided' : 'nobody waits for this decision', { decision, skip, by });
  return { completed };
};
