import {
  CredentialUnusable,
  OverlapExhausted,
  PermissionMissing,
  SamePrincipal,
  SecretMalformed,
  TargetRefused,
} from '../../domain/errors';
import { everywhere } from '../everywhere';
import type { Change, Rotator } from '../rotator';
import type { Session } from './connection';
import { passwordHash, userOf, type RedisAdmin, type RedisSecret, type RedisSettings } from './definition';
import { asAdmin, asUser, type Context } from './nodes';
import { replacement } from './replacement';
import { addPassword, readUser, removePassword, saveUsers } from './users';

/**
 * One user of Redis or Valkey with two passwords, of which a rotation adds the new one and removes the old one.
 *
 * Each password is, at each server: absent or accepted. `apply` moves `to` to accepted and leaves `from` alone; `retire`
 * moves `from` to absent. Both look at every server before they change the first. The hash is all that is sent, so a password
 * comes back without anybody telling it to the server.
 */
export const acl: Rotator<RedisSecret, RedisAdmin, RedisSettings> = {
  create: async (from, { password }) => replacement(from, password()),

  async apply(change, context, options) {
    const { user, from, to } = passwordsOf(change);
    await onServers([change.from, change.to], change.to, context, async (sessions) => {
      const missing = await everywhere(sessions, async (session) => {
        const { hashes } = await readUser(session, user);
        // Going back is never stopped by what is merely untidy.
        if (options.replacedAt !== undefined && context.settings.otherPasswords !== 'keep')
          refuseOthers(session, user, hashes.filter((hash) => hash !== from && hash !== to).length);
        // Tried before anything has changed: what cannot be kept must not be begun.
        if (context.settings.persist !== false && (await saveUsers(session)) === 'nowhere')
          throw notKept(session, user);
        return hashes.includes(to) ? [] : [session];
      });
      await everywhere(missing.flat(), async (session) => {
        await addPassword(session, user, to);
        if (context.settings.persist !== false) await saveUsers(session);
      });
    });
    return {};
  },

  verify: (secret, context) =>
    asUser(secret, [secret], context, async (sessions) => {
      await everywhere(sessions, async (session) => {
        // The login is the proof; a server that is loading accepts it all the same, and nobody can work there yet.
        await session.command('PING').catch((error: unknown) => {
          if (!(error instanceof PermissionMissing)) throw error;
        });
      });
    }),

  async retire(change, context) {
    const { user, from, to } = passwordsOf(change);
    if (from === to)
      throw new SamePrincipal(`both versions of the secret hold the same password of user ${user}`);
    await onServers([change.to], change.to, context, async (sessions) => {
      const having = await everywhere(sessions, async (session) => {
        const { hashes } = await readUser(session, user);
        if (!hashes.includes(to))
          throw new CredentialUnusable(
            `${session.where}: the password to keep is none of user ${user}'s: removing the other would leave nobody`,
          );
        return { session, present: hashes.includes(from) };
      });
      await everywhere(having, async ({ session, present }) => {
        if (present) await removePassword(session, user, from);
        // Also where it is gone: an earlier call may have come no further. A server that keeps nothing forgot nothing.
        if (context.settings.persist !== false && (await saveUsers(session)) === 'nowhere' && present)
          throw notKept(session, user);
      });
    });
  },
};

/** Works as the admin where there is one, and else as the user itself, by the first of the values that is accepted. */
function onServers(
  logins: readonly RedisSecret[],
  secret: RedisSecret,
  context: Context,
  work: (sessions: readonly Session[]) => Promise<void>,
): Promise<void> {
  return context.admin === undefined
    ? asUser(secret, logins, context, work)
    : asAdmin(secret, context.admin, context, work);
}

/** The user of a change, and what Redis keeps of both passwords. SecretMalformed. */
function passwordsOf({ from, to }: Change<RedisSecret>): { user: string; from: string; to: string } {
  if (userOf(from) !== userOf(to))
    throw new SecretMalformed(
      `the versions of the secret name users ${userOf(from)} and ${userOf(to)}; a rotation keeps the user`,
    );
  return { user: userOf(to), from: passwordHash(from.password), to: passwordHash(to.password) };
}

/** Whose they are nobody here knows: a rotation that ended half-way, or another application that shares the user. */
function refuseOthers(session: Session, user: string, others: number): void {
  if (others === 0) return;
  throw new OverlapExhausted(
    `${session.where}: user ${user} has ${others} more ${others === 1 ? 'password' : 'passwords'} than the secret knows of; ` +
      `remove what nobody uses (ACL GETUSER ${user}, then ACL SETUSER ${user} !…), or set otherPasswords to keep`,
  );
}

function notKept(session: Session, user: string): TargetRefused {
  return new TargetRefused(
    `${session.where}: the server has neither an ACL file nor a configuration file, so that its next start would bring ` +
      `back the passwords which user ${user} had at the last; give it one, or set persist to false if it gets its users by other means`,
  );
}
