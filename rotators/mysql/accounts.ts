import { TargetRefused, TargetUnreachable } from '../../domain/errors';
import { createHash } from 'node:crypto';
import type { Session } from './connection';
import type { Account, Dialect } from './dialect';
import { accountName, literal } from './quoting';
import { isVerifierOf, passwordPlugins, verifierOf, type PasswordPlugin } from './verifiers';

/** An account with a password that can be set by what the server stores of it. */
export interface PasswordAccount extends Account {
  readonly plugin: PasswordPlugin;
}

/** Longer than any turn takes, shorter than a function. */
const patienceSeconds = 5;

/** Keeps two rotations of one user apart, until the session ends. TargetUnreachable while another is at work. */
export async function lockPrincipal(session: Session, base: string): Promise<void> {
  // MySQL takes 64 characters as a lock's name.
  const name = `rotor ${createHash('sha256').update(base).digest('base64url')}`;
  const [row] = await session.query(`select get_lock(${literal(name)}, ${patienceSeconds}) as held`);
  if (Number(row?.['held']) !== 1)
    throw new TargetUnreachable(
      `another rotation of user ${base} is at work; waited ${patienceSeconds} s for it`,
    );
}

/**
 * The accounts of a user that have a password, under every host: they share the secret, so they change together.
 *
 * An account that proves itself by the operating system is nobody's secret and is left alone; one that does so in a way
 * not known here might go on with the old password: TargetRefused.
 */
export async function passwordAccounts(
  session: Session,
  dialect: Dialect,
  user: string,
): Promise<readonly PasswordAccount[]> {
  const accounts = await dialect.accountsOf(session, user);
  return accounts.flatMap((account): PasswordAccount[] => {
    // MariaDB stores no plugin for an account that an old version made.
    const plugin = account.plugin === '' ? 'mysql_native_password' : account.plugin;
    if (plugin === 'unix_socket' || plugin === 'auth_socket') return [];
    const known = passwordPlugins.find((candidate) => candidate === plugin);
    if (known !== undefined) return [{ ...account, plugin: known }];
    throw new TargetRefused(
      `account ${accountName(account)} authenticates by ${plugin ?? 'more than one plugin'}; ` +
        `Rotor changes passwords of ${passwordPlugins.join(', ')}, one plugin an account`,
    );
  });
}

/** Whether an account already has this password. */
export function hasPassword({ plugin, verifier }: PasswordAccount, password: string): boolean {
  return isVerifierOf(plugin, password, verifier);
}

/** Gives all of the accounts the password and lets them log in, in one statement. */
export async function allowLogin(
  session: Session,
  dialect: Dialect,
  accounts: readonly Pick<PasswordAccount, 'user' | 'host' | 'plugin'>[],
  password: string,
): Promise<void> {
  const each = accounts.map(
    (account) =>
      `${accountName(account)} ${dialect.identified(account.plugin, verifierOf(account.plugin, password))}`,
  );
  await session.query(`alter user ${each.join(', ')} account unlock`);
}

/** Stops logins with these accounts and keeps their passwords, so that undoing it needs nobody who knows them. */
export async function refuseLogin(session: Session, accounts: readonly Account[]): Promise<void> {
  const open = accounts.filter(({ isLocked }) => !isLocked);
  if (open.length > 0) await session.query(`alter user ${open.map(accountName).join(', ')} account lock`);
}
