import * as z from 'zod';
import { decideCommand } from '../../domain/alerts';
import { busName, type Decision } from '../../domain/events';
import type { Cloud, Mail } from '../cloud';

/** The alerts that asked for a decision about one execution: those that carry a token, however they are worded. */
export function holdAlerts(mails: readonly Mail[], executionArn: string): readonly string[] {
  return mails
    .map(({ text }) => text)
    .filter((text) => text.includes(executionArn) && tokenIn(text) !== undefined);
}

const entriesShape = z.array(
  z.object({ EventBusName: z.string(), Source: z.string(), DetailType: z.string(), Detail: z.string() }),
);

/** The token by which an alert has its hold decided, from its command, or bare; undefined where there is none. */
export function tokenIn(alert: string): string | undefined {
  return /\\"taskToken\\":\\"([^"\\]+)\\"/.exec(alert)?.[1] ?? /task token: (\S+)/.exec(alert)?.[1];
}

/** The command that decides a hold: the alert's own, or around its bare token; undefined where nothing is to be decided. */
export function commandIn(alert: string): string | undefined {
  const own = /aws events put-events --region \S+ --entries '\[.*\]'/.exec(alert)?.[0];
  if (own !== undefined) return own;
  const taskToken = tokenIn(alert);
  const executionArn = /arn:\S+:execution:\S+/.exec(alert)?.[0];
  if (taskToken === undefined || executionArn === undefined) return undefined;
  return decideCommand(executionArn, busName, { decision: 'resume', taskToken });
}

/** Decides as an operator does: by the command of the alert, with the decision in its place. */
export async function decideBy(
  cloud: Cloud,
  alert: string,
  decision: Decision,
  skip: readonly string[],
): Promise<void> {
  const [, entries] = /--entries '(\[.*\])'/.exec(commandIn(alert) ?? '') ?? [];
  if (entries === undefined) throw new RangeError('the alert names no token to decide with');
  const Entries = entriesShape.parse(JSON.parse(entries)).map((entry) => ({
    ...entry,
    Detail: JSON.stringify({
      ...(JSON.parse(entry.Detail) as object),
      decision,
      skip,
      by: 'the operator of the rehearsal',
    }),
  }));
  await cloud.call('eventbridge', 'PutEvents', { Entries });
}
