import { reports, text } from './reports';

/** Counts orders at a vendor's API, with one request. */
export const handler = reports(async ({ apiKey, url }, application) => {
  const answer = await fetch(text(url, 'url'), {
    headers: { authorization: `Bearer ${text(apiKey, 'apiKey')}`, 'user-agent': application },
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`the vendor answered ${String(answer.status)}`);
  const { orders } = (await answer.json()) as { readonly orders: number };
  return orders;
});
