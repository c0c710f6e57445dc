import { CredentialRejected } from '../../domain/errors';
import type { Applied, Rotator } from '../rotator';
import { asAdmin, asUser, inTransaction, type Session } from './connection';
import type { PostgresAdmin, PostgresSecret } from './definition';
import { singleUser } from './principals';
import { replacement } from './replacement';
import { scramVerifier } from './scram';
import { allowLogin, lockPrincipal, setPassword } from './statements';

/**
 * PostgreSQL with one user, whose password is replaced in place.
 *
 * There is no overlap: from `apply` on the old password is refused, while sessions that are open go on. `retire` has
 * nothing left to do. Going back is `apply` with the values exchanged.
 */
export const single: Rotator<PostgresSecret, PostgresAdmin> = {
  create: async (from, { password }) => replacement(from, { username: from.username, password: password() }),

  async apply(change, context) {
    const user = singleUser(change);
    const verifier = await scramVerifier(change.to.password);
    if (context.admin !== undefined)
      return asAdmin(change.to, [user], context, (session) =>
        replaced(session, user, () => allowLogin(session, user, verifier)),
      );
    try {
      return await asUser({ ...change.to, password: change.from.password }, context, (session) =>
        replaced(session, user, () => setPassword(session, user, verifier)),
      );
    } catch (error) {
      if (!(error instanceof CredentialRejected)) throw error;
      // An earlier call may have come this far. If not, this refusal is the answer.
      await asUser(change.to, context, (session) => session.query('select 1'));
      return {};
    }
  },

  verify: (secret, context) =>
    asUser(secret, context, async (session) => {
      await session.query('select 1');
    }),

  // `apply` has stopped the old password already; what is left to see is that this is one user's secret.
  retire: async (change) => void singleUser(change),
};

async function replaced(session: Session, user: string, change: () => Promise<void>): Promise<Applied> {
  return inTransaction(session, async () => {
    await lockPrincipal(session, user);
    // Before the change and not after it: the gap is never longer than what is reported.
    const gapBegan = new Date().toISOString();
    await change();
    return { gapBegan };
  });
}
