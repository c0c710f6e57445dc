import { PermissionMissing, TargetRefused, TargetUnreachable } from '../domain/errors';
import type { SessionHolder } from './rotator';
import { byHolder, lookEveryMs, type OpenSession, type Pacing, wallClock } from './session-holders';

/** A large transaction takes time to be rolled back. What takes longer is waited for by the next call. */
const patienceMs = 20_000;

/** How one server lists the sessions of a user and ends one of them. */
export interface EndableSessions<One extends OpenSession> {
  /** The sessions that are open now. */
  list(): Promise<readonly One[]>;
  /** Told from all others that are open, and from those that were. */
  idOf(session: One): string;
  /** Tells one to end, and does not wait for it. One that is gone already may be refused (TargetRefused). */
  end(session: One): Promise<void>;
}

/**
 * Ends every session that is listed, and says who held them once none is left.
 *
 * It looks twice at least: who came past the door just before it was shut is listed a moment later. Whether a refusal
 * matters the next look shows, since most are about a session that has ended by itself. TargetUnreachable where some are
 * still open after 20 s.
 */
export async function endSessions<One extends OpenSession>(
  sessions: EndableSessions<One>,
  user: string,
  signal: AbortSignal,
  pacing: Pacing = wallClock,
): Promise<readonly SessionHolder[]> {
  const ended = new Map<string, One>();
  const refusals = new Map<string, Error>();
  const until = pacing.now() + patienceMs;
  for (let looks = 1; ; looks++) {
    const open = await sessions.list();
    if (open.length === 0 && looks > 1) return byHolder([...ended.values()]);
    for (const session of open) {
      const id = sessions.idOf(session);
      const refusal = refusals.get(id);
      if (refusal !== undefined) throw refusal;
      try {
        await sessions.end(session);
        ended.set(id, session);
      } catch (error) {
        if (!(error instanceof PermissionMissing) && !(error instanceof TargetRefused)) throw error;
        refusals.set(id, error);
      }
    }
    if (pacing.now() >= until)
      throw new TargetUnreachable(
        `${open.length} sessions of user ${user} are still open ${patienceMs / 1000} s after they were told to end`,
      );
    await pacing.pause(lookEveryMs, signal);
  }
}
