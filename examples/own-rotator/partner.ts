import { createHash } from 'node:crypto';
import { errors, type Members } from '../../rotators/lambda/contract';

/** A secret of this rotator, the admin's as well: where the partner is, whom the token belongs to, and the token. */
export interface PartnerSecret {
  readonly url: string;
  readonly client: string;
  readonly token: string;
}

/** Who used a token, and when for the first and the last time. */
export interface TokenUse {
  readonly application: string;
  readonly first: string;
  readonly last: string;
}

/** Reads the members that this rotator knows. SecretMalformed names the one that is wrong, and does not quote it. */
export function partnerSecret(members: Members): PartnerSecret {
  const text = (name: string) => {
    const value = members[name];
    if (typeof value === 'string' && value !== '') return value;
    throw new errors.SecretMalformed(`the secret's ${name} is missing or no text`);
  };
  const url = text('url');
  if (!URL.canParse(url)) throw new errors.SecretMalformed("the secret's url is no URL");
  return { url, client: text('client'), token: text('token') };
}

/** The admin of the same partner: nobody who may edit the application's secret may have its token sent elsewhere. */
export function adminFor({ url }: PartnerSecret, members: Members | undefined): PartnerSecret {
  if (members === undefined) throw new errors.AdminMissing('the partner needs an admin');
  const admin = partnerSecret(members);
  if (admin.url !== url) throw new errors.SecretMalformed('the admin is that of another partner');
  return admin;
}

/** What the partner keeps of a token, and calls it by. */
export function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** One request to the partner, with its answers by the names that Rotor knows. */
export async function callPartner(
  { url, token }: PartnerSecret,
  method: string,
  path: string,
  {
    signal,
    rejected,
  }: { readonly signal: AbortSignal; readonly rejected: 'AdminRejected' | 'CredentialRejected' },
): Promise<unknown> {
  const what = `${method} ${path}`;
  let response: Response;
  try {
    response = await fetch(new URL(path, url), {
      method,
      headers: { authorization: `Bearer ${token}`, 'user-agent': 'rotor' },
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    });
  } catch {
    // fetch's own message says no more than that it failed, and its cause may quote the request.
    throw new errors.TargetUnreachable(`${what}: no answer`);
  }
  const { status } = response;
  if (status === 401) throw new errors[rejected](`${what}: the partner does not accept the token`);
  if (status === 403) throw new errors.PermissionMissing(`${what}: the partner does not allow it`);
  if (status === 429 || status >= 500) throw new errors.TargetUnreachable(`${what}: status ${status}`);
  if (!response.ok) throw new errors.TargetRefused(`${what}: status ${status}`);
  return status === 204 ? undefined : response.json();
}
