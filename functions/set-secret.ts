import * as z from 'zod/mini';
import { secretsManager } from '../aws/secrets';
import { chosenRotator, contextFor, readVersion } from './target';
import { task } from './task';

const secrets = secretsManager();

const input = z.object({
  secretArn: z.string(),
  from: z.string(),
  to: z.string(),
  rotator: z.string(),
  settings: z.record(z.string(), z.unknown()),
  admin: z.nullable(z.string()),
  /** Going back: make the credential that was in use before work again, whatever ran meanwhile. */
  back: z.boolean(),
  /** The credential is compromised: whoever still uses the user that is about to be reset loses it. */
  urgent: z.boolean(),
});

/** Makes the target accept version `to`; with overlap, version `from` keeps working. Repeats reach the same end. */
export const handler = task(
  'set-secret',
  input,
  async ({ secretArn, from, to, rotator, settings, admin, back, urgent }, lambda) => {
    // Forward, both labels must still be where they were: another rotation of the same user may have begun since, and a
    // value that somebody has put in place meanwhile may be of the very user that is about to get a password.
    const old = await readVersion(secrets, secretArn, from, back ? undefined : 'AWSCURRENT');
    const fresh = await readVersion(secrets, secretArn, to, back ? undefined : 'AWSPENDING');
    const context = await contextFor(secrets, { admin, settings }, lambda);
    return await chosenRotator(rotator).apply({ from: old.text, to: fresh.text }, context, {
      ...(back || urgent || old.createdAt === undefined ? {} : { replacedAt: old.createdAt }),
    });
  },
);
