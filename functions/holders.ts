import type { SessionHolder } from '../rotators/rotator';

/** So many holders are named; what goes into state and events must not grow with the number of pods. */
const mostHolders = 20;

/** The first 20 holders by name, and one line for all others. */
export function namedHolders(holders: readonly SessionHolder[]): readonly SessionHolder[] {
  const rest = holders.slice(mostHolders);
  if (rest.length === 0) return holders;
  const known = <Value>(pick: (holder: SessionHolder) => Value | null) =>
    rest.map(pick).filter((value) => value !== null);
  const openSeconds = known((holder) => holder.openSeconds);
  return [
    ...holders.slice(0, mostHolders),
    {
      application: `${rest.length} more`,
      clientAddress: null,
      count: rest.reduce((sum, { count }) => sum + count, 0),
      newestBegan:
        known((holder) => holder.newestBegan)
          .sort()
          .at(-1) ?? null,
      oldestBegan: known((holder) => holder.oldestBegan).sort()[0] ?? null,
      openSeconds: openSeconds.length === 0 ? null : Math.max(...openSeconds),
    },
  ];
}
