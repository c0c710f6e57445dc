import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import { secretsManager } from '../aws/secrets';
import { RotationAbandoned } from '../domain/errors';
import { heldVersion, movesToRevert, standing, versionWith } from '../domain/labels';
import { heldLabel } from '../domain/names';
import { task } from './task';

const secrets = secretsManager();

const input = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('finish'),
    secretArn: z.string(),
    from: z.string(),
    to: z.string(),
    hold: z.boolean(),
  }),
  z.object({ action: z.literal('inspect'), secretArn: z.string() }),
  z.object({
    action: z.literal('revert'),
    secretArn: z.string(),
    previous: z.string(),
    token: z.string(),
    holdToken: z.boolean(),
  }),
  z.object({ action: z.literal('release'), secretArn: z.string(), versionId: z.string() }),
]);

/** What the labels say, for whoever must decide on the truth. */
export interface Truth {
  readonly current: string | null;
  readonly held: string | null;
}

/**
 * Moves labels, and reads no value.
 *
 * - `finish`: the hold goes onto the version in use, then AWSCURRENT moves from exactly that version to the token's.
 *   The store's own condition decides; only a refusal is looked into. RotationAbandoned where AWSCURRENT was elsewhere.
 * - `inspect`: says where the labels are.
 * - `revert`: undoes whatever of the rotation the labels show.
 * - `release`: takes the hold off.
 *
 * Each may be repeated and reaches the same end.
 */
export const handler = task('finish-secret', input, async (request): Promise<Truth> => {
  const { secretArn } = request;
  switch (request.action) {
    case 'finish': {
      const { from, to, hold } = request;
      try {
        if (hold) await secrets.move(secretArn, { stage: heldLabel, to: from });
        await secrets.move(secretArn, { stage: 'AWSCURRENT', to, from });
      } catch (error) {
        if (
          !isNamed(error, 'InvalidParameterException', 'InvalidRequestException', 'ResourceNotFoundException')
        )
          throw error;
        const { labels } = await secrets.describe(secretArn);
        if (standing(labels, to) !== 'current')
          throw new RotationAbandoned(
            `AWSCURRENT is on version ${versionWith(labels, 'AWSCURRENT') ?? 'none'}, not on ${from}, from which it was to move`,
          );
      }
      return { current: to, held: hold ? from : null };
    }
    case 'inspect':
      return await truthOf(secretArn);
    case 'revert': {
      const { labels } = await secrets.describe(secretArn);
      for (const move of movesToRevert(labels, request)) await secrets.move(secretArn, move);
      return await truthOf(secretArn);
    }
    case 'release': {
      const { versionId } = request;
      try {
        await secrets.move(secretArn, { stage: heldLabel, from: versionId });
      } catch (error) {
        if (
          !isNamed(error, 'InvalidParameterException', 'InvalidRequestException', 'ResourceNotFoundException')
        )
          throw error;
        const { labels } = await secrets.describe(secretArn);
        if (labels[versionId]?.includes(heldLabel) === true) throw error;
      }
      return { current: null, held: null };
    }
  }
});

async function truthOf(secretArn: string): Promise<Truth> {
  const { labels } = await secrets.describe(secretArn);
  return { current: versionWith(labels, 'AWSCURRENT') ?? null, held: heldVersion(labels) ?? null };
}
