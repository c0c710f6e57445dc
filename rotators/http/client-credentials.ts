import { TargetRefused } from '../../domain/errors';
import { jsonOf, send, type Connection } from './connection';
import { tokenRefusal, type Bearer } from './errors';
import { textAt } from './pointer';

/** A token request by the client credentials grant. */
export interface TokenRequest {
  readonly tokenUrl: string;
  readonly client: { readonly id: string; readonly secret: string };
  readonly clientAuth: 'client_secret_basic' | 'client_secret_post';
  /** Further parameters, such as scope. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** Whose client it is: the same refusal has another remedy. */
  readonly bearer: Bearer;
}

/** What a token endpoint gives. */
export interface AccessToken {
  readonly token: string;
  /** Absent where it is what was asked for: section 5.1. */
  readonly scope: string | undefined;
}

/**
 * Logs a client in by the client credentials grant, RFC 6749, section 4.4.
 *
 * AdminRejected or CredentialRejected for an unknown client or a wrong secret; PermissionMissing or CredentialUnusable for
 * a grant or a scope that is not the client's.
 */
export async function clientCredentialsToken(
  { tokenUrl, client, clientAuth, parameters, bearer }: TokenRequest,
  connection: Connection,
): Promise<AccessToken> {
  const what = `POST ${tokenUrl}`;
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...parameters });
  const headers: Record<string, string> = { 'content-type': 'application/x-www-form-urlencoded' };
  // Section 2.3.1: both halves are form-encoded before they are joined.
  const pair = Buffer.from(`${formEncoded(client.id)}:${formEncoded(client.secret)}`).toString('base64');
  if (clientAuth === 'client_secret_basic') headers['authorization'] = `Basic ${pair}`;
  else {
    form.set('client_id', client.id);
    form.set('client_secret', client.secret);
  }
  const answer = await send(
    {
      method: 'POST',
      url: new URL(tokenUrl),
      what,
      headers,
      body: form.toString(),
      hidden: [pair, client.secret, formEncoded(client.secret)],
    },
    connection,
  );
  if (answer.status !== 200) throw tokenRefusal(answer, what, bearer);
  const document = jsonOf(answer, what);
  const token = textAt(document, '/access_token');
  // Nothing else can be sent as a Bearer: a DPoP token would need a proof with every request.
  if (token === undefined || textAt(document, '/token_type')?.toLowerCase() !== 'bearer')
    throw new TargetRefused(`${what} answered without a bearer token`);
  return { token, scope: textAt(document, '/scope') };
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}
