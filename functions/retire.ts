import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import { secretsManager } from '../aws/secrets';
import { RotationAbandoned } from '../domain/errors';
import { namedHolders } from './holders';
import { chosenRotator, contextFor } from './target';
import { log, task } from './task';

const secrets = secretsManager();

const input = z.object({
  secretArn: z.string(),
  /** Version whose credential is to stop working. */
  stop: z.string(),
  /** Version that AWSCURRENT must name, and whose credential goes on working. */
  keep: z.string(),
  rotator: z.string(),
  settings: z.record(z.string(), z.unknown()),
  admin: z.nullable(z.string()),
  /** Whether to end what is still open with the stopped credential, where the rotator can. */
  endSessions: z.boolean(),
});

/**
 * Stops one credential, reversibly where the target can, and leaves the one in use alone.
 *
 * Reading `keep` by label and version id at once is the check that AWSCURRENT is still on it: RotationAbandoned. A
 * version that never got a value has nothing to stop. SamePrincipal where both name one user.
 *
 * Sessions are ended after it was stopped, so that nobody comes back with it; the answer says whose they were. Where that
 * fails, the credential stays stopped, and a repeat goes on with what is left.
 */
export const handler = task(
  'retire',
  input,
  async ({ secretArn, stop, keep, rotator: name, settings, admin, endSessions }, lambda) => {
    const kept = await secrets.read(secretArn, keep, 'AWSCURRENT').catch((error: unknown) => {
      if (isNamed(error, 'InvalidRequestException', 'ResourceNotFoundException'))
        throw new RotationAbandoned(`AWSCURRENT is no longer on version ${keep}`);
      throw error;
    });
    const stopped = await secrets.read(secretArn, stop).catch((error: unknown) => {
      if (isNamed(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    });
    if (stopped === undefined) {
      log('warn', 'nothing to stop: the version has no value', { secretArn, stop });
      return { ended: [] };
    }
    const rotator = chosenRotator(name);
    const context = await contextFor(secrets, { admin, settings }, lambda);
    await rotator.retire({ from: stopped.text, to: kept.text }, context);
    if (!endSessions || !rotator.traits(settings).endsSessions) return { ended: [] };
    return { ended: namedHolders(await rotator.end(stopped.text, context)) };
  },
);
