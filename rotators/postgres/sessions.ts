import { PermissionMissing, PrincipalInUse } from '../../domain/errors';
import type { SessionHolder, Usage, UsageQuery } from '../rotator';
import { endSessions } from '../session-ending';
import { byHolder, lookEveryMs, type OpenSession, type Pacing, wallClock } from '../session-holders';
import type { Session } from './connection';
import { readRole } from './statements';

interface PostgresSession extends OpenSession {
  readonly pid: number;
  readonly began: Date;
}

/** Watches the sessions of one user for as long as the query says, on the one session given. PermissionMissing. */
export async function watchSessions(
  session: Session,
  user: string,
  { since, watchMs }: UsageQuery,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<Usage> {
  const begun = new Map<string, PostgresSession>();
  const until = pacing.now() + watchMs;
  for (let looks = 1; ; looks++) {
    // Read before looking, so that the last look is taken when the time is up or after it.
    const left = until - pacing.now();
    const seen = await readSessions(session, user);
    for (const one of seen) if (one.began > since) begun.set(idOf(one), one);
    if (left <= 0 && looks > 1)
      return {
        begun: byHolder([...begun.values()]),
        open: byHolder(seen.filter((one) => one.began <= since)),
        looks,
      };
    await pacing.pause(Math.max(0, Math.min(left, lookEveryMs)), signal);
  }
}

/** Who has logged in as the user since a moment. PermissionMissing. */
export async function holdersSince(
  session: Session,
  user: string,
  since: Date,
): Promise<readonly SessionHolder[]> {
  return byHolder((await readSessions(session, user)).filter(({ began }) => began > since));
}

/**
 * Ends the sessions of a user that may not log in any more, and says who held them. PermissionMissing, PrincipalInUse.
 *
 * `usename` is who logged in, whatever role a session has taken since: the clone's sessions work as the base, and are not
 * the base's.
 */
export function endSessionsOf(
  session: Session,
  user: string,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<readonly SessionHolder[]> {
  return endSessions(
    {
      list: async () => {
        if ((await readRole(session, user))?.canLogin === true)
          throw new PrincipalInUse(`user ${user} may log in, so its sessions are in use and are not ended`);
        return readSessions(session, user);
      },
      idOf,
      end: ({ pid }) => terminate(session, user, pid),
    },
    user,
    signal,
    pacing,
  );
}

/** By name too: the server may have given the number of a session that has ended to somebody else's. */
async function terminate(session: Session, user: string, pid: number): Promise<void> {
  try {
    await session.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and usename = $2',
      [pid, user],
    );
  } catch (error) {
    throw error instanceof PermissionMissing
      ? new PermissionMissing(
          `${error.message}; the admin may not end sessions of ${user}: grant it pg_signal_backend`,
        )
      : error;
  }
}

function idOf({ pid, began }: PostgresSession): string {
  return `${pid} ${began.toISOString()}`;
}

/**
 * Who is logged in as the user. Parallel workers carry the user's name too and begin with each query: no logins.
 * Outside a transaction, since within one PostgreSQL shows what it showed first.
 */
async function readSessions(session: Session, user: string): Promise<readonly PostgresSession[]> {
  const rows = await session.query<Omit<PostgresSession, 'began'> & { readonly began: Date | null }>(
    `select pid, backend_start as began, nullif(application_name, '') as application,
            greatest(0, floor(extract(epoch from clock_timestamp() - backend_start)))::int as "openSeconds",
            coalesce(host(client_addr), 'local') as "clientAddress"
       from pg_stat_activity
      where usename = $1 and coalesce(backend_type, 'client backend') in ('client backend', 'walsender')`,
    [user],
  );
  return rows.map(({ began, ...rest }) => {
    if (began === null)
      throw new PermissionMissing(
        `the admin may not see when sessions of ${user} began: grant it pg_read_all_stats or pg_monitor`,
      );
    return { ...rest, began };
  });
}
