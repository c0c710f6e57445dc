import { createHmac } from 'node:crypto';
import { reports, text } from './reports';

/** Sends a signed webhook, as an application does that shares a value with its receiver. */
export const handler = reports(async ({ url, value }, application) => {
  const body = JSON.stringify({ event: 'report.finished', at: new Date().toISOString() });
  const signature = createHmac('sha256', text(value, 'value')).update(body).digest('hex');
  const answer = await fetch(text(url, 'url'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'user-agent': application, 'x-signature': signature },
    body,
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`the receiver answered ${String(answer.status)}`);
  const { received } = (await answer.json()) as { readonly received: number };
  return received;
});
