import { setTimeout as pause } from 'node:timers/promises';

/** Looks until something holds. Rejects, saying what was waited for, when patience ends. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  patienceMs = 60_000,
): Promise<void> {
  const until = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`${what}: not within ${String(patienceMs)} ms`);
    await pause(20);
  }
}
