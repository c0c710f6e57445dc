import { escapeIdentifier } from 'pg';
import {
  CloneOwnsObjects,
  CredentialRejected,
  CredentialUnusable,
  PrincipalInUse,
  TargetRefused,
} from '../../domain/errors';
import type { ApplyOptions, Rotator, RotatorContext } from '../rotator';
import { asAdmin, asUser, inTransaction, type Session } from './connection';
import type { PostgresAdmin, PostgresSecret } from './definition';
import { baseOf, type Pair } from '../principals';
import { alternatingPair, otherUser, pairOf } from './principals';
import { replacement } from './replacement';
import { scramVerifier } from './scram';
import { endSessionsOf, holdersSince, watchSessions } from './sessions';
import { copySettings, effectiveRole } from './settings';
import {
  allowLogin,
  copyLimits,
  createRole,
  ensureMembership,
  lockPrincipal,
  readOwnership,
  readRole,
  refuseLogin,
  type Role,
} from './statements';

/**
 * PostgreSQL with two users, `app` and `app_clone`, that take turns.
 *
 * The clone is a member of the base and acts as it from login on, so that whatever either of them creates belongs to
 * the base. Each user is one of: absent (the clone, before its first turn), in use, retired (NOLOGIN, password kept).
 * `apply` moves `to` from any of these to in use; `retire` moves `from` from in use to retired.
 */
export const alternating: Rotator<PostgresSecret, PostgresAdmin> = {
  create: async (from, { password }) =>
    replacement(from, { username: otherUser(from.username), password: password() }),

  async apply(change, context, options) {
    const pair = alternatingPair(change);
    const verifier = await scramVerifier(change.to.password);
    await asAdmin(change.to, [pair.base, pair.clone], context, async (session) => {
      await refuseIfInUse(session, pair, options, () => logsIn(change.to, context));
      await inTransaction(session, () => bringIntoUse(session, pair, verifier, options));
    });
    return {};
  },

  verify: (secret, context) =>
    asUser(secret, context, async (session) => {
      const expected = await effectiveRole(session, baseOf(secret.username));
      const [actual] = await session.query<{ name: string }>('select current_user as name');
      if (actual?.name !== expected)
        throw new CredentialUnusable(
          `user ${secret.username} logs in and works as ${String(actual?.name)}, not as ${expected}: ` +
            'what it creates would be out of reach for the next rotation',
        );
    }),

  usage: (secret, query, context) =>
    asAdmin(secret, Object.values(pairOf(secret.username)), context, (session) =>
      watchSessions(session, secret.username, query, context.signal),
    ),

  async retire(change, context) {
    const pair = alternatingPair(change);
    await asAdmin(change.to, [pair.base, pair.clone], context, (session) =>
      inTransaction(session, async () => {
        await lockPrincipal(session, pair.base);
        const kept = await readRole(session, pair.to);
        if (kept?.canLogin !== true)
          throw new CredentialUnusable(
            `user ${pair.to} cannot log in: stopping ${pair.from} would leave nobody`,
          );
        const stopped = await readRole(session, pair.from);
        if (stopped?.canLogin === true) await refuseLogin(session, pair.from);
      }),
    );
  },

  end: (secret, context) =>
    asAdmin(secret, Object.values(pairOf(secret.username)), context, (session) =>
      endSessionsOf(session, secret.username, context.signal),
    ),
};

/**
 * Somebody who logged in as `to` after it was replaced would lose the password under which they will log in again.
 * A retired user is in nobody's use: its sessions are old ones that outlived the retirement.
 */
async function refuseIfInUse(
  session: Session,
  { from, to }: Pair,
  { replacedAt }: ApplyOptions,
  isApplied: () => Promise<boolean>,
): Promise<void> {
  if (replacedAt === undefined) return;
  const role = await readRole(session, to);
  if (role?.canLogin !== true) return;
  const holders = await holdersSince(session, to, replacedAt);
  if (holders.length === 0 || (await isApplied())) return;
  const who = holders.map(
    ({ application, clientAddress, count }) =>
      `${application ?? 'unnamed'} at ${clientAddress ?? 'unknown'} (${count})`,
  );
  throw new PrincipalInUse(
    `user ${to} has sessions begun after ${from} replaced it at ${replacedAt.toISOString()}: ${who.join(', ')}`,
  );
}

/**
 * Whether an earlier call with the same arguments has done its work: then the sessions belong to nobody who is about to lose
 * a password. It costs a refused login only where the rotation is about to be refused anyway.
 */
async function logsIn(secret: PostgresSecret, context: RotatorContext<PostgresAdmin>): Promise<boolean> {
  try {
    await asUser(secret, context, (session) => session.query('select 1'));
    return true;
  } catch (error) {
    if (error instanceof CredentialRejected) return false;
    throw error;
  }
}

async function bringIntoUse(
  session: Session,
  pair: Pair,
  verifier: string,
  options: ApplyOptions,
): Promise<void> {
  await lockPrincipal(session, pair.base);
  const base = await readRole(session, pair.base);
  if (base === undefined) throw new TargetRefused(`there is no user ${pair.base} at the target`);
  const clone = await readRole(session, pair.clone);
  const untouched = clone === undefined || (await ownsNothing(session, pair, clone, options));
  if (pair.to === pair.clone) {
    if (clone === undefined) await createRole(session, pair.clone);
    await ensureMembership(session, pair.clone, pair.base);
    await copyLimits(session, pair.clone, base);
    if (untouched) await copySettings(session, pair.base, pair.clone);
  }
  await allowLogin(session, pair.to, verifier);
}

/**
 * A clone that another tool made may own objects, and from its first turn here nobody would reach them: the clone acts
 * as the base. Going back does not stop at that, and then leaves the clone acting as it did.
 */
async function ownsNothing(
  session: Session,
  pair: Pair,
  clone: Role,
  options: ApplyOptions,
): Promise<boolean> {
  const owned = await readOwnership(session, clone.oid);
  if (owned.length === 0) return true;
  if (options.replacedAt === undefined) return false;
  const [from, to] = [escapeIdentifier(pair.clone), escapeIdentifier(pair.base)];
  const where = owned
    .map(
      ({ database, objects }) =>
        `${objects} in ${database === null ? 'the server as a whole' : `database ${database}`}`,
    )
    .join(', ');
  throw new CloneOwnsObjects(
    `user ${pair.clone} owns objects (${where}) that would be out of reach; in each of these databases run: ` +
      `REASSIGN OWNED BY ${from} TO ${to};`,
  );
}
