import { reports, text } from './reports';

/** Counts orders at an API that takes access tokens, with a token of its own. */
export const handler = reports(async (credential, application) => {
  const token = await accessToken(credential);
  const answer = await fetch(text(credential['url'], 'url'), {
    headers: { authorization: `Bearer ${token}`, 'user-agent': application },
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`the API answered ${String(answer.status)}`);
  const { orders } = (await answer.json()) as { readonly orders: number };
  return orders;
});

/** Logs in as the client of the secret: RFC 6749, section 4.4. */
async function accessToken({ tokenUrl, client_id, client_secret }: Readonly<Record<string, unknown>>) {
  const [id, secret] = [text(client_id, 'client_id'), text(client_secret, 'client_secret')];
  const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  const answer = await fetch(text(tokenUrl, 'tokenUrl'), {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders' }),
    redirect: 'error',
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`the authorization server answered ${String(answer.status)}`);
  const { access_token } = (await answer.json()) as { readonly access_token: string };
  return access_token;
}
