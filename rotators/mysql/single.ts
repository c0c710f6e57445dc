import { CredentialRejected, TargetRefused } from '../../domain/errors';
import type { Applied, Rotator } from '../rotator';
import { allowLogin, lockPrincipal, passwordAccounts } from './accounts';
import { asAdmin, asUser } from './connection';
import type { MysqlAdmin, MysqlSecret, SingleSettings } from './definition';
import { dialectOf } from './dialect';
import { applyBeside, retireOther } from './dual';
import { onlyUserOf } from '../principals';
import { proveLogin } from './proof';
import { replacement } from './replacement';

/**
 * MySQL and MariaDB with one user, whose password is replaced in place, under every host that it may come from.
 *
 * There is no overlap: from `apply` on the old password is refused, while sessions that are open go on. `retire` has
 * nothing left to do. Going back is `apply` with the values exchanged. With the setting `dualPassword` it is otherwise:
 * see dual.ts.
 */
export const single: Rotator<MysqlSecret, MysqlAdmin, SingleSettings> = {
  create: async (from, { password }) => replacement(from, { username: from.username, password: password() }),

  async apply(change, context) {
    const user = onlyUserOf(change);
    if (context.settings.dualPassword) return applyBeside(change, context);
    if (context.admin !== undefined)
      return asAdmin(change.to, [user], context, async (session) => {
        const dialect = dialectOf(session);
        await lockPrincipal(session, user);
        const accounts = await passwordAccounts(session, dialect, user);
        if (accounts.length === 0)
          throw new TargetRefused(`there is no user ${user} with a password at the target`);
        return replaced(() => allowLogin(session, dialect, accounts, change.to.password));
      });
    try {
      return await asUser({ ...change.to, password: change.from.password }, context, async (session) => {
        const statement = dialectOf(session).changeOwnPassword(change.to.password);
        return replaced(() => session.query(statement));
      });
    } catch (error) {
      if (!(error instanceof CredentialRejected)) throw error;
      // An earlier call may have come this far. If not, this refusal is the answer.
      await asUser(change.to, context, (session) => proveLogin(session, change.to));
      return {};
    }
  },

  verify: (secret, context) => asUser(secret, context, (session) => proveLogin(session, secret)),

  async retire(change, context) {
    onlyUserOf(change);
    // In place, `apply` has stopped the old password already.
    if (context.settings.dualPassword) await retireOther(change, context);
  },
};

async function replaced(change: () => Promise<unknown>): Promise<Applied> {
  // Before the change and not after it: the gap is never longer than what is reported.
  const gapBegan = new Date().toISOString();
  await change();
  return { gapBegan };
}
