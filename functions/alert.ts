import * as z from 'zod/mini';
import { alertTopic } from '../aws/alerts';
import { wordAlert } from '../domain/alerts';
import { decisions } from '../domain/events';
import { readEnvironment } from './environment';
import { task } from './task';

const environment = readEnvironment('alert');
const alerts = alertTopic(environment.ALERT_TOPIC_ARN);

const input = z.object({
  kind: z.enum(['failed', 'warning', 'held', 'cut-off']),
  mode: z.enum(['rotate', 'test', 'follow']),
  executionArn: z.string(),
  secret: z.object({ arn: z.string(), name: z.string() }),
  state: z.string(),
  error: z.string(),
  cause: z.string(),
  outcome: z.enum(['unchanged', 'reverted', 'kept', 'revert-failed']),
  current: z.nullable(z.string()),
  previous: z.nullable(z.string()),
  token: z.string(),
  held: z.nullable(z.string()),
  notes: z.array(z.string()),
  /** How a held rotation takes its decision. */
  decide: z.optional(
    z.object({ busName: z.string(), choices: z.array(z.enum(decisions)), taskToken: z.string() }),
  ),
});

/** Publishes one alert by SNS: what went wrong, what is true now, and what to do. */
export const handler = task('alert', input, async ({ decide, ...incident }) => ({
  messageId: await alerts.publish(
    wordAlert({ ...incident, ...(decide === undefined ? {} : { decide }) }, environment.RUNBOOK_URL),
  ),
}));
