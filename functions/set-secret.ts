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
  admin: z.nullable(z.string()),
  /** Going back: make the credential that was in use before work again, whatever ran meanwhile. */
  back: z.boolean(),
});

/** Makes the target accept version `to`; with overlap, version `from` keeps working. Repeats reach the same end. */
export const handler = task(
  'set-secret',
  input,
  async ({ secretArn, from, to, rotator, admin, back }, lambda) => {
    const old = await readVersion(secrets, secretArn, from);
    // Forward, the label must still be on it: another rotation of the same user may have begun since.
    const fresh = await readVersion(secrets, secretArn, to, back ? undefined : 'AWSPENDING');
    const context = await contextFor(secrets, admin, lambda);
    return await chosenRotator(rotator).apply({ from: old.text, to: fresh.text }, context, {
      ...(back || old.createdAt === undefined ? {} : { replacedAt: old.createdAt }),
    });
  },
);
