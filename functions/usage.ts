import * as z from 'zod/mini';
import { secretsManager } from '../aws/secrets';
import type { SessionHolder } from '../rotators/rotator';
import { chosenRotator, contextFor, readVersion } from './target';
import { task } from './task';

const secrets = secretsManager();

/** One invocation watches no longer than this; longer quiet times take several. */
const longestWatchSeconds = 60;

/** So many holders are named; what goes into state and events must not grow with the number of pods. */
const mostHolders = 20;

const input = z.object({
  secretArn: z.string(),
  /** The version whose credential is to be retired. */
  versionId: z.string(),
  rotator: z.string(),
  admin: z.nullable(z.string()),
  /** ISO 8601; logins that began later count. */
  since: z.string(),
  watchSeconds: z.number(),
});

/** Says who uses the old credential: sessions of its user, by application and address. Reads only. */
export const handler = task(
  'usage',
  input,
  async ({ secretArn, versionId, rotator, admin, since, watchSeconds }, lambda) => {
    const { text } = await readVersion(secrets, secretArn, versionId);
    const watchMs = Math.min(watchSeconds, longestWatchSeconds) * 1000;
    const context = await contextFor(secrets, admin, lambda);
    const { begun, open, looks } = await chosenRotator(rotator).usage(
      text,
      { since: new Date(since), watchMs },
      context,
    );
    return { begun: atMost(mostHolders, begun), open: atMost(mostHolders, open), looks };
  },
);

/** The first holders by name, and one line for all others. */
function atMost(most: number, holders: readonly SessionHolder[]): readonly SessionHolder[] {
  const rest = holders.slice(most);
  const [first] = rest;
  if (first === undefined) return holders;
  const times = (pick: (holder: SessionHolder) => string) => rest.map(pick).sort();
  return [
    ...holders.slice(0, most),
    {
      application: `${rest.length} more`,
      clientAddress: null,
      count: rest.reduce((sum, { count }) => sum + count, 0),
      newestBegan: times(({ newestBegan }) => newestBegan).at(-1) ?? first.newestBegan,
      oldestBegan: times(({ oldestBegan }) => oldestBegan)[0] ?? first.oldestBegan,
    },
  ];
}
