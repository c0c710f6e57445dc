import * as z from 'zod';
import type { Decision } from '../../domain/events';
import type { Cloud, Mail } from '../cloud';

/** The alerts that asked for a decision about one execution. */
export function holdAlerts(mails: readonly Mail[], executionArn: string): readonly string[] {
  return mails
    .map(({ text }) => text)
    .filter((text) => text.startsWith('A rotation is held') && text.includes(executionArn));
}

const entriesShape = z.array(
  z.object({ EventBusName: z.string(), Source: z.string(), DetailType: z.string(), Detail: z.string() }),
);

/** Decides as an operator does: by the command that the alert names, with the decision in its place. */
export async function decideBy(
  cloud: Cloud,
  alert: string,
  decision: Decision,
  skip: readonly string[],
): Promise<void> {
  const [, entries = '[]'] = /put-events --region \S+ --entries '(\[.*\])'/.exec(alert) ?? [];
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
