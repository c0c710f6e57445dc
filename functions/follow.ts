import type { EventBridgeEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { executionsOf } from '../aws/executions';
import { runsOf } from '../aws/runs';
import { secretsManager } from '../aws/secrets';
import { readEnvironment } from './environment';
import { followMove, type Followed } from './follow-move';
import { log } from './task';

const environment = readEnvironment('follow');
const ports = {
  secrets: secretsManager(),
  runs: runsOf(environment.STATE_MACHINE_ARN),
  executions: executionsOf(environment.STATE_MACHINE_ARN),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};

/** The event `Secret Label Updated` (AWS: Secrets Manager, "Secret event notifications"), as far as it is read. */
const labelUpdated = z.object({
  time: z.iso.datetime(),
  resources: z.array(z.string().check(z.startsWith('arn:'))).check(z.minLength(1)),
  detail: z.object({
    labelUpdated: z.literal('AWSCURRENT'),
    versionId: z.string().check(z.minLength(1), z.maxLength(64)),
  }),
});

/**
 * Follows a move of AWSCURRENT that something else than Rotor made: AWS's managed rotation, a partner, a person.
 *
 * Delivery is at least once, late, and in no order. An event that is malformed is dropped with a line in the log, since
 * repeating would not mend it; an error of AWS's is thrown, so that Lambda tries again.
 */
export const handler = async (
  event: EventBridgeEvent<string, unknown>,
): Promise<{ readonly outcome: Followed | 'dropped' }> => {
  const parsed = z.safeParse(labelUpdated, event);
  const [secretArn] = parsed.data?.resources ?? [];
  if (!parsed.success || secretArn === undefined) {
    const fields = (parsed.error?.issues ?? []).map((issue) => issue.path.join('.'));
    log('warn', 'dropped a malformed event about a label', { fields });
    return { outcome: 'dropped' };
  }
  const { versionId } = parsed.data.detail;
  const outcome = await followMove(ports, { secretArn, versionId, time: parsed.data.time });
  log('info', 'AWSCURRENT has moved', { secretArn, versionId, outcome });
  return { outcome };
};
