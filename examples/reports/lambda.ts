import { reports, text } from './reports';

/** Counts orders at the partner whose tokens examples/own-rotator rotates. */
export const handler = reports(async ({ url, token }, application) => {
  const response = await fetch(new URL('/orders', text(url, 'url')), {
    headers: { authorization: `Bearer ${text(token, 'token')}`, 'user-agent': application },
    signal: AbortSignal.timeout(20_000),
  });
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(`the partner answers status ${response.status}`);
  if (typeof body === 'object' && body !== null && 'orders' in body && typeof body.orders === 'number')
    return body.orders;
  throw new Error('the partner answers no number of orders');
});
