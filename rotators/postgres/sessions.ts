import { setTimeout as delay } from 'node:timers/promises';
import { PermissionMissing } from '../../domain/errors';
import type { SessionHolder, Usage, UsageQuery } from '../rotator';
import type { Session } from './connection';

/** Short enough that a session must be over very soon to be missed, long enough not to be a load. */
const lookEveryMs = 500;

/** Where waiting gets its time from. */
export interface Pacing {
  now(): number;
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

const wallClock: Pacing = {
  now: () => Date.now(),
  pause: (ms, signal) => delay(ms, undefined, { signal }),
};

interface OpenSession {
  readonly pid: number;
  readonly began: Date;
  readonly application: string | null;
  readonly clientAddress: string | null;
}

/** Watches the sessions of one user for as long as the query says, on the one session given. PermissionMissing. */
export async function watchSessions(
  session: Session,
  user: string,
  { since, watchMs }: UsageQuery,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<Usage> {
  const begun = new Map<string, OpenSession>();
  const until = pacing.now() + watchMs;
  for (let looks = 1; ; looks++) {
    // Read before looking, so that the last look is taken when the time is up or after it.
    const left = until - pacing.now();
    const seen = await readSessions(session, user);
    for (const one of seen) if (one.began > since) begun.set(`${one.pid} ${one.began.toISOString()}`, one);
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
 * Who is logged in as the user. Parallel workers carry the user's name too and begin with each query: no logins.
 * Outside a transaction, since within one PostgreSQL shows what it showed first.
 */
async function readSessions(session: Session, user: string): Promise<readonly OpenSession[]> {
  const rows = await session.query<Omit<OpenSession, 'began'> & { readonly began: Date | null }>(
    `select pid, backend_start as began, nullif(application_name, '') as application,
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

function byHolder(sessions: readonly OpenSession[]): readonly SessionHolder[] {
  const groups = new Map<string, OpenSession[]>();
  for (const one of sessions) {
    const key = JSON.stringify([one.application, one.clientAddress]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const began = group.map((one) => one.began.toISOString()).sort();
    return {
      application: first.application,
      clientAddress: first.clientAddress,
      count: group.length,
      oldestBegan: began[0] ?? '',
      newestBegan: began.at(-1) ?? '',
    };
  });
}
