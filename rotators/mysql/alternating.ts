import { CredentialUnusable, PrincipalInUse, TargetRefused } from '../../domain/errors';
import type { ApplyOptions, Rotator } from '../rotator';
import {
  allowLogin,
  hasPassword,
  lockPrincipal,
  passwordAccounts,
  refuseLogin,
  type PasswordAccount,
} from './accounts';
import { copyAccount } from './copy';
import { asAdmin, asUser, type Session } from './connection';
import type { MysqlAdmin, MysqlSecret } from './definition';
import { type Account, dialectOf, type Dialect } from './dialect';
import type { Pair } from '../principals';
import { alternatingPair, otherUser, pairOf } from './principals';
import { proveLogin } from './proof';
import { accountName } from './quoting';
import { replacement } from './replacement';
import { endSessionsOf, holdersSince, watchSessions } from './sessions';

/**
 * MySQL and MariaDB with two users, `app` and `app_clone`, that take turns.
 *
 * The base is the template: whatever it has, the clone gets at each of its turns, and loses what the base has lost. Each
 * user is one of: absent (the clone, before its first turn), in use, retired (ACCOUNT LOCK, password kept). `apply` moves
 * `to` from any of these to in use; `retire` moves `from` from in use to retired.
 *
 * Statements about accounts commit by themselves. So a clone is made locked, and login is allowed last: after a crash at
 * any point `from` works as before, and a repeat finds what is done and does the rest.
 */
export const alternating: Rotator<MysqlSecret, MysqlAdmin> = {
  create: async (from, { password }) =>
    replacement(from, { username: otherUser(from), password: password() }),

  async apply(change, context, options) {
    const pair = alternatingPair(change);
    await asAdmin(change.to, [pair.base, pair.clone], context, async (session) => {
      const dialect = dialectOf(session);
      await lockPrincipal(session, pair.base);
      const base = await baseAccounts(session, dialect, pair.base);
      const present = pair.to === pair.base ? base : await passwordAccounts(session, dialect, pair.clone);
      await refuseIfInUse(session, pair, present, change.to, options);
      if (pair.to === pair.base) await allowLogin(session, dialect, base, change.to.password);
      else await bringCloneIntoUse(session, dialect, base, present, change.to, options);
    });
    return {};
  },

  verify: (secret, context) => asUser(secret, context, (session) => proveLogin(session, secret)),

  usage: (secret, query, context) =>
    asAdmin(secret, Object.values(pairOf(secret)), context, (session) =>
      watchSessions(session, secret.username, query, context.signal),
    ),

  async retire(change, context) {
    const pair = alternatingPair(change);
    await asAdmin(change.to, [pair.base, pair.clone], context, async (session) => {
      const dialect = dialectOf(session);
      await lockPrincipal(session, pair.base);
      const stopped = await passwordAccounts(session, dialect, pair.from);
      const kept = await passwordAccounts(session, dialect, pair.to);
      const open = kept.filter(({ isLocked }) => !isLocked).map(({ host }) => host);
      const lost = (pair.to === pair.base ? kept : stopped).filter(({ host }) => !open.includes(host));
      if (open.length === 0 || lost.length > 0)
        throw new CredentialUnusable(
          `user ${pair.to} cannot log in${open.length === 0 ? '' : ` from ${lost.map(({ host }) => host).join(', ')}`}: ` +
            `stopping ${pair.from} would leave nobody`,
        );
      await refuseLogin(session, stopped);
    });
  },

  end: (secret, context) =>
    asAdmin(secret, Object.values(pairOf(secret)), context, async (session) => {
      await lockPrincipal(session, pairOf(secret).base);
      // All of them, those by socket too: the server's list of sessions has names and no accounts, so that the sessions of an
      // account that does not use the secret would be ended with the others.
      const accounts = await dialectOf(session).accountsOf(session, secret.username);
      const open = accounts.filter(({ isLocked }) => !isLocked);
      if (open.length > 0)
        throw new PrincipalInUse(
          `user ${secret.username} may log in (${open.map(accountText).join(', ')}), so its sessions are in use and are not ended`,
        );
      return endSessionsOf(session, secret.username, context.signal);
    }),
};

function accountText({ user, host, plugin }: Account): string {
  return `${accountName({ user, host })} by ${plugin === '' ? 'a password' : (plugin ?? 'more than one plugin')}`;
}

async function baseAccounts(
  session: Session,
  dialect: Dialect,
  base: string,
): Promise<readonly PasswordAccount[]> {
  const accounts = await passwordAccounts(session, dialect, base);
  if (accounts.length === 0)
    throw new TargetRefused(`there is no user ${base} with a password at the target`);
  return accounts;
}

/**
 * Somebody who logged in as `to` after it was replaced would lose the password under which they will log in again.
 * A retired user is in nobody's use: its sessions are old ones that outlived the retirement. One that has the new password
 * already got it from an earlier call, and nobody is about to lose anything.
 */
async function refuseIfInUse(
  session: Session,
  { from, to }: Pair,
  accounts: readonly PasswordAccount[],
  secret: MysqlSecret,
  { replacedAt }: ApplyOptions,
): Promise<void> {
  if (replacedAt === undefined) return;
  const open = accounts.filter(({ isLocked }) => !isLocked);
  if (open.length === 0 || open.every((account) => hasPassword(account, secret.password))) return;
  const holders = await holdersSince(session, to, replacedAt);
  if (holders.length === 0) return;
  const who = holders.map(
    ({ application, clientAddress, count }) =>
      `${application ?? 'unnamed'} at ${clientAddress ?? 'unknown'} (${count})`,
  );
  throw new PrincipalInUse(
    `user ${to} has sessions that were at work after ${from} replaced it at ${replacedAt.toISOString()}: ${who.join(', ')}`,
  );
}

/** Makes the clone what the base is, under every host of the base, and lets it log in last. */
async function bringCloneIntoUse(
  session: Session,
  dialect: Dialect,
  base: readonly PasswordAccount[],
  present: readonly PasswordAccount[],
  { username, password }: MysqlSecret,
  { replacedAt }: ApplyOptions,
): Promise<void> {
  for (const template of base) {
    const clone = present.find(({ host }) => host === template.host);
    // Going back makes the clone work as it worked before, whatever the base is like by now.
    if (clone === undefined || replacedAt !== undefined)
      await copyAccount(session, dialect, template, clone, { user: username, password });
  }
  // Under a host that the base has no more, the clone would keep a password that no secret holds.
  await refuseLogin(
    session,
    present.filter(({ host }) => !base.some((template) => template.host === host)),
  );
  await allowLogin(
    session,
    dialect,
    base.map(({ host, plugin }) => ({ user: username, host, plugin })),
    password,
  );
}
