import { AdminMissing, CredentialRejected, CredentialUnusable, TargetRefused } from '../../domain/errors';
import type { Answer } from '../http/connection';
import { refusal } from '../http/errors';
import type { OauthSecret } from './definition';

// Status codes and network errors have their names in rotators/http/errors.ts; here is what only OAuth knows.

/** What the settings have to change where a registration without a token is refused. */
export function closedRegistration(error: unknown, hasAuth: boolean): unknown {
  const refused = error instanceof CredentialRejected || error instanceof CredentialUnusable;
  if (hasAuth || !refused) return error;
  return new AdminMissing(
    `${error.message}; not everybody may register clients here: name auth in the settings, and an admin in the policy`,
  );
}

/** What the answer to a deletion by RFC 7592, section 2.3, says about the client. */
export type Deletion = 'gone' | 'not allowed';

/** Reads that answer. TargetRefused where the server deletes no clients, TargetUnreachable. */
export function deletionOf(answer: Answer, what: string): Deletion {
  const { status } = answer;
  if ((status >= 200 && status < 300) || status === 404 || status === 410) return 'gone';
  // The same answer for a client that is gone, whose token went with it.
  if (status === 401) return 'not allowed';
  const named = refusal(answer, what, 'secret');
  throw named instanceof CredentialUnusable ? new TargetRefused(named.message) : named;
}

/** A client of an earlier rotation that goes on working, and that nobody but an administrator can delete. */
export function undeletable({ client_id, registration_access_token: token }: OauthSecret): TargetRefused {
  const why =
    token === undefined ? 'it has no registration access token' : 'its registration access token is refused';
  return new TargetRefused(
    `client ${client_id}, which an earlier rotation replaced, still works, and ${why}: ` +
      'delete it at the server, and name revoke in the settings if there is to be no next time',
  );
}
