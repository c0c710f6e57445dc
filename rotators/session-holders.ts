import { setTimeout as delay } from 'node:timers/promises';
import type { SessionHolder } from './rotator';

/** Short enough that a session must be over very soon to be missed, long enough not to be a load. */
export const lookEveryMs = 500;

/** Where waiting gets its time from. */
export interface Pacing {
  now(): number;
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** The time of this machine. */
export const wallClock: Pacing = {
  now: () => Date.now(),
  pause: (ms, signal) => delay(ms, undefined, { signal }),
};

/** One session as a server lists it. */
export interface OpenSession {
  /** Null where the server does not say. */
  readonly began: Date | null;
  /** Whole seconds since then, by the server's own clock; null where it does not say. */
  readonly openSeconds: number | null;
  readonly application: string | null;
  readonly clientAddress: string | null;
}

/** Counts sessions by who holds them. */
export function byHolder(sessions: readonly OpenSession[]): readonly SessionHolder[] {
  const groups = new Map<string, OpenSession[]>();
  for (const one of sessions) {
    const key = JSON.stringify([one.application, one.clientAddress]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const began = group.flatMap((one) => (one.began === null ? [] : [one.began.toISOString()])).sort();
    const openSeconds = group.flatMap((one) => (one.openSeconds === null ? [] : [one.openSeconds]));
    return {
      application: first.application,
      clientAddress: first.clientAddress,
      count: group.length,
      oldestBegan: began[0] ?? null,
      newestBegan: began.at(-1) ?? null,
      openSeconds: openSeconds.length === 0 ? null : Math.max(...openSeconds),
    };
  });
}
