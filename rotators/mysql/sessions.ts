import { PermissionMissing, RotorError, TargetUnreachable } from '../../domain/errors';
import type { SessionHolder, Usage, UsageQuery } from '../rotator';
import { endSessions } from '../session-ending';
import { byHolder, lookEveryMs, type OpenSession, type Pacing, wallClock } from '../session-holders';
import type { Row, Session } from './connection';
import { literal } from './quoting';

interface MysqlSession extends Pick<OpenSession, 'application' | 'clientAddress'> {
  readonly id: number;
  /** When its last statement began: the session itself did so then or earlier, and nobody knows when. */
  readonly atWorkSince: Date;
  /** The server's time of the look. */
  readonly seenAt: Date;
}

/**
 * Watches the sessions of one user for as long as the query says, on the one session given. PermissionMissing.
 *
 * Neither MySQL nor MariaDB says when a session began, only since when it has been doing what it does. But they number
 * sessions in the order in which they begin, and the watch has a session of its own: higher numbers began during the
 * watch, and those alone count as begun. What was there before is `open`; that some of it began between `since` and the
 * watch cannot be told.
 */
export async function watchSessions(
  session: Session,
  user: string,
  { watchMs }: UsageQuery,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<Usage> {
  await mustSeeEverybody(session);
  const begun = new Map<number, MysqlSession>();
  const until = pacing.now() + watchMs;
  for (let looks = 1; ; looks++) {
    // Read before looking, so that the last look is taken when the time is up or after it.
    const left = until - pacing.now();
    const seen = await readSessions(session, user);
    for (const one of seen)
      if (one.id > session.id)
        begun.set(one.id, { ...one, atWorkSince: begun.get(one.id)?.atWorkSince ?? one.atWorkSince });
    if (left <= 0 && looks > 1)
      return {
        begun: byHolder([...begun.values()].map(begunDuringWatch)),
        open: byHolder(seen.filter(({ id }) => id < session.id).map(begunAtSomeTime)),
        looks,
      };
    await pacing.pause(Math.max(0, Math.min(left, lookEveryMs)), signal);
  }
}

/**
 * Who may have logged in as the user since a moment: everybody but those who have been idle since before it.
 * PermissionMissing.
 */
export async function holdersSince(
  session: Session,
  user: string,
  since: Date,
): Promise<readonly SessionHolder[]> {
  await mustSeeEverybody(session);
  const seen = await readSessions(session, user);
  return byHolder(seen.filter(({ atWorkSince }) => atWorkSince > since).map(begunAtSomeTime));
}

/** Ends the sessions of a user whose accounts are all locked, by whatever they prove themselves, and says who held them. PermissionMissing. */
export async function endSessionsOf(
  session: Session,
  user: string,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<readonly SessionHolder[]> {
  await mustSeeEverybody(session);
  return endSessions(
    {
      list: async () =>
        (await readSessions(session, user)).map((one) => ({ ...begunAtSomeTime(one), id: one.id })),
      idOf: ({ id }) => String(id),
      end: ({ id }) => kill(session, user, id),
    },
    user,
    signal,
    pacing,
  );
}

/**
 * Amazon RDS gives nobody the right to KILL, except on Aurora MySQL 3, and has a procedure in its place (AWS: Amazon RDS
 * User Guide, "Ending a session or query").
 */
async function kill(session: Session, user: string, id: number): Promise<void> {
  try {
    await session.query(`kill connection ${id}`);
  } catch (refusal) {
    if (!(refusal instanceof PermissionMissing)) throw refusal;
    await session.query(`call mysql.rds_kill(${id})`).catch((error: unknown) => {
      if (!(error instanceof RotorError) || error instanceof TargetUnreachable) throw error;
      throw new PermissionMissing(
        `${refusal.message}; the admin may not end sessions of ${user}: grant it CONNECTION_ADMIN ON *.* ` +
          '(MariaDB: CONNECTION ADMIN), or on Amazon RDS EXECUTE ON PROCEDURE mysql.rds_kill',
      );
    });
  }
}

/** A session that was not there when the watch began, as it was first seen: doing its first work. */
function begunDuringWatch({ atWorkSince, seenAt, ...holder }: MysqlSession): OpenSession {
  const openSeconds = Math.max(0, Math.floor((seenAt.getTime() - atWorkSince.getTime()) / 1000));
  return { ...holder, began: atWorkSince, openSeconds };
}

/** A session that was there before anybody looked. */
function begunAtSomeTime({ application, clientAddress }: MysqlSession): OpenSession {
  return { application, clientAddress, began: null, openSeconds: null };
}

/** Without PROCESS the list holds one's own sessions and says nothing about that; this table is refused instead. */
async function mustSeeEverybody(session: Session): Promise<void> {
  try {
    await session.query('select count(*) from information_schema.innodb_trx');
  } catch (error) {
    throw error instanceof PermissionMissing
      ? new PermissionMissing(
          `${error.message}; the admin may not see whose sessions are open: grant it PROCESS ON *.*`,
        )
      : error;
  }
}

/**
 * Who is logged in as the user. A running event works under its definer's name and logs in nowhere: its command is
 * Connect for as long as it runs, as a client's is only while it logs in.
 */
async function readSessions(session: Session, user: string): Promise<readonly MysqlSession[]> {
  const rows = await session.query(
    `select id, host, time, unix_timestamp(now(6)) as now from information_schema.processlist
      where user = ${literal(user)} collate utf8mb4_bin and command <> 'Connect'`,
  );
  if (rows.length === 0) return [];
  const names = await programNames(
    session,
    rows.map(({ id }) => Number(id)),
  );
  return rows.map((row) => {
    const id = Number(row['id']);
    const now = Number(row['now']);
    return {
      id,
      atWorkSince: new Date((now - Number(row['time'] ?? 0)) * 1000),
      seenAt: new Date(now * 1000),
      application: names.get(id) ?? null,
      clientAddress: addressIn(row),
    };
  });
}

/** What clients call themselves; nobody where the performance schema is off or the admin may not read it. */
async function programNames(session: Session, ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
  try {
    const rows = await session.query(
      `select processlist_id as id, attr_value as name from performance_schema.session_connect_attrs
        where attr_name = 'program_name' and processlist_id in (${ids.join(', ')})`,
    );
    return new Map(rows.map(({ id, name }) => [Number(id), String(name)]));
  } catch (error) {
    if (error instanceof PermissionMissing) return new Map();
    throw error;
  }
}

/** `10.0.0.7:51234`, or `localhost` by socket; an IPv6 address is written without brackets. */
function addressIn(row: Row): string | null {
  const host = row['host'];
  if (typeof host !== 'string' || host === '') return null;
  const port = host.lastIndexOf(':');
  return port < 0 ? host : host.slice(0, port);
}
