import * as z from 'zod/mini';
import { secretsManager } from '../aws/secrets';
import { namedHolders } from './holders';
import { chosenRotator, contextFor, readVersion } from './target';
import { task } from './task';

const secrets = secretsManager();

/** One invocation watches no longer than this; longer quiet times take several. */
const longestWatchSeconds = 60;

const input = z.object({
  secretArn: z.string(),
  /** The version whose credential is to be retired. */
  versionId: z.string(),
  rotator: z.string(),
  settings: z.record(z.string(), z.unknown()),
  admin: z.nullable(z.string()),
  /** ISO 8601; logins that began later count. */
  since: z.string(),
  watchSeconds: z.number(),
});

/** Says who uses the old credential: sessions of its user, by application and address. Reads only. */
export const handler = task(
  'usage',
  input,
  async ({ secretArn, versionId, rotator, settings, admin, since, watchSeconds }, lambda) => {
    const { text } = await readVersion(secrets, secretArn, versionId);
    const watchMs = Math.min(watchSeconds, longestWatchSeconds) * 1000;
    const context = await contextFor(secrets, { admin, settings }, lambda);
    const { begun, open, looks } = await chosenRotator(rotator).usage(
      text,
      { since: new Date(since), watchMs },
      context,
    );
    return { begun: namedHolders(begun), open: namedHolders(open), looks };
  },
);
