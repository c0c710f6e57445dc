import { CredentialUnusable } from '../../domain/errors';
import type { Session } from './connection';
import type { MysqlSecret } from './definition';

/**
 * Makes sure that a session works as the user that the secret names: an anonymous account of the application's own host,
 * or a proxy, would go before it. The database was entered at login already. CredentialUnusable.
 */
export async function proveLogin(session: Session, { username }: MysqlSecret): Promise<void> {
  const [row] = await session.query('select current_user() as account');
  const account = String(row?.['account']);
  if (account.slice(0, account.lastIndexOf('@')) !== username)
    throw new CredentialUnusable(`user ${username} logs in and works as ${account}`);
}
