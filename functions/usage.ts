import * as z from 'zod/mini';
import { secretsManager } from '../aws/secrets';
import { chosenRotator, contextFor } from './target';
import { task } from './task';

const secrets = secretsManager();

/** One invocation watches no longer than this; longer quiet times take several. */
const longestWatchSeconds = 60;

const input = z.object({
  rotator: z.string(),
  admin: z.nullable(z.string()),
  principal: z.string(),
  /** ISO 8601; logins that began later count. */
  since: z.string(),
  watchSeconds: z.number(),
});

/** Says who uses the old credential: sessions of its user, by application and address. Reads only. */
export const handler = task('usage', input, async ({ rotator, admin, principal, since, watchSeconds }, lambda) => {
  const watchMs = Math.min(watchSeconds, longestWatchSeconds) * 1000;
  const context = await contextFor(secrets, admin, lambda);
  return await chosenRotator(rotator).usage({ principal, since: new Date(since), watchMs }, context);
});
