import { CredentialUnusable, SamePrincipal, TargetRefused } from '../../domain/errors';
import type { Applied, Change, RotatorContext } from '../rotator';
import { hasPassword, lockPrincipal, passwordAccounts, type PasswordAccount } from './accounts';
import { asAdmin, type Session } from './connection';
import type { MysqlAdmin, MysqlSecret } from './definition';
import { dialectOf } from './dialect';
import { accountName, literal } from './quoting';

type Context = Pick<RotatorContext<MysqlAdmin>, 'admin' | 'readAdminAgain' | 'signal'>;

/** Sets the password of `to` and keeps that of `from` valid beside it: MySQL's dual passwords, from 8.0.14 on. */
export async function applyBeside(change: Change<MysqlSecret>, context: Context): Promise<Applied> {
  await eachAccount(change, context, (session, accounts) =>
    applyToAccounts(session, accounts, change.to.password),
  );
  return {};
}

/** Stops the second password, whichever it is, where the first is that of `to`. CredentialUnusable, SamePrincipal. */
export async function retireOther(change: Change<MysqlSecret>, context: Context): Promise<void> {
  if (change.from.password === change.to.password)
    throw new SamePrincipal(`both versions of the secret hold the same password of ${change.to.username}`);
  await eachAccount(change, context, (session, accounts) =>
    retireOnAccounts(session, accounts, change.to.password),
  );
}

/**
 * Makes a password the first of every account, and the one that was first the second.
 *
 * A second RETAIN would push out the password that is to be kept, so an account that has it as its first already is left
 * as it is. MySQL takes the password itself here and nothing else; it writes neither it nor its like into its logs.
 */
export async function applyToAccounts(
  session: Session,
  accounts: readonly PasswordAccount[],
  password: string,
): Promise<void> {
  for (const account of accounts) {
    const change = hasPassword(account, password)
      ? ''
      : ` identified by ${literal(password)} retain current password`;
    if (change !== '' || account.isLocked)
      await session.query(`alter user ${accountName(account)}${change} account unlock`);
  }
}

/** Leaves a password as the only one of every account. CredentialUnusable, unless it is the first of each. */
export async function retireOnAccounts(
  session: Session,
  accounts: readonly PasswordAccount[],
  password: string,
): Promise<void> {
  const other = accounts.find((account) => !hasPassword(account, password));
  if (other !== undefined)
    throw new CredentialUnusable(
      `account ${accountName(other)} has another password in the first place than the one that is to stay`,
    );
  for (const account of accounts)
    await session.query(`alter user ${accountName(account)} discard old password`);
}

function eachAccount(
  { to }: Change<MysqlSecret>,
  context: Context,
  work: (session: Session, accounts: readonly PasswordAccount[]) => Promise<void>,
): Promise<void> {
  return asAdmin(to, [to.username], context, async (session) => {
    const dialect = dialectOf(session);
    if (!dialect.keepsTwoPasswords)
      throw new TargetRefused(
        `the setting dualPassword needs MySQL 8.0.14 or later, and the server is ${session.version}`,
      );
    await lockPrincipal(session, to.username);
    const accounts = await passwordAccounts(session, dialect, to.username);
    if (accounts.length === 0)
      throw new TargetRefused(`there is no user ${to.username} with a password at the target`);
    await work(session, accounts);
  });
}
