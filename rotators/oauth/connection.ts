import { CredentialUnusable, TargetRefused, TargetUnreachable } from '../../domain/errors';
import { isSuccess } from '../http/authority';
import { clientCredentialsToken } from '../http/client-credentials';
import { jsonOf, send, type Connection } from '../http/connection';
import { refusal } from '../http/errors';
import { textAt } from '../http/pointer';
import type { OauthSecret, OauthSettings } from './definition';

/** Where a provider takes what. */
export type Endpoint = 'token' | 'registration';

/**
 * Logs in as the client of the secret and throws the token away. CredentialRejected; CredentialUnusable for a scope that
 * is not the client's, also where the server gives a token of less instead of an error.
 */
export async function logIn(
  secret: OauthSecret,
  settings: OauthSettings,
  signal: AbortSignal,
): Promise<void> {
  const { scope } = await clientCredentialsToken(
    {
      tokenUrl: await endpointOf('token', settings, signal),
      client: { id: secret.client_id, secret: secret.client_secret },
      clientAuth: settings.clientAuth,
      parameters: settings.parameters,
      bearer: 'secret',
    },
    { egress: settings, signal },
  );
  const given = scope?.split(' ');
  const missing = settings.parameters?.['scope']
    ?.split(' ')
    .filter((wanted) => given?.includes(wanted) === false);
  if (missing !== undefined && missing.length > 0)
    throw new CredentialUnusable(
      `client ${secret.client_id} logs in, and gets no scope ${missing.join(' ')}`,
    );
}

/** An endpoint as the settings name it, or else as the issuer's metadata do. TargetRefused where those do not. */
export async function endpointOf(
  endpoint: Endpoint,
  settings: OauthSettings,
  signal: AbortSignal,
): Promise<string> {
  const own = settings.mode === 'registration' ? settings.registrationEndpoint : undefined;
  const named = endpoint === 'token' ? settings.tokenEndpoint : own;
  if (named !== undefined) return named;
  const issuer = settings.issuer ?? '';
  const metadata = await metadataOf(issuer, { egress: settings, signal });
  const found = textAt(metadata, `/${endpoint}_endpoint`);
  // What comes from a server is no template: a placeholder in it would have a secret sent in a URL.
  if (found === undefined || !URL.canParse(found) || /[{}]/.test(found))
    throw new TargetRefused(`the metadata of ${issuer} name no ${endpoint} endpoint`);
  return found;
}

/** The metadata of a server, at the place of OpenID Connect Discovery or else at that of RFC 8414. */
async function metadataOf(issuer: string, connection: Connection): Promise<unknown> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const [first, second] = [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
  const document = (await fetchDocument(first, connection)) ?? (await fetchDocument(second, connection));
  if (document === undefined) throw new TargetRefused(`there are no metadata at ${first} or ${second}`);
  // RFC 8414, section 3.3: metadata that name another issuer must not be used.
  if (textAt(document, '/issuer') !== issuer)
    throw new TargetRefused(`the metadata of ${issuer} are those of another issuer`);
  return document;
}

async function fetchDocument(url: string, connection: Connection): Promise<unknown> {
  const what = `GET ${url}`;
  const answer = await send({ method: 'GET', url: new URL(url), what, headers: {}, hidden: [] }, connection);
  if (isSuccess(answer.status)) return jsonOf(answer, what);
  const named = refusal(answer, what, 'secret');
  if (named instanceof TargetUnreachable || answer.status < 400) throw named;
  // Not every server says 404 about a place where it has nothing, and no credential went along that could be refused.
  return undefined;
}
