import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import { secretsManager } from '../aws/secrets';
import { PreviousStillHeld, RotationAbandoned } from '../domain/errors';
import {
  heldVersion,
  movesToRevert,
  standing,
  versionWith,
  type LabelMove,
  type Labels,
} from '../domain/labels';
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
    /** A repeat: time has passed since the credential was tested. */
    late: z.boolean(),
  }),
  z.object({ action: z.literal('inspect'), secretArn: z.string() }),
  z.object({
    action: z.literal('revert'),
    secretArn: z.string(),
    previous: z.string(),
    token: z.string(),
    holdToken: z.boolean(),
    ownHold: z.boolean(),
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
 *   The store's own condition decides; only a refusal is looked into. RotationAbandoned where AWSCURRENT was elsewhere,
 *   PreviousStillHeld where the hold was.
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
      const { from, to, hold, late } = request;
      // Between TestSecret and a late repeat, another rotation may have taken the label and the user.
      if (late) {
        const { labels } = await secrets.describe(secretArn);
        if (standing(labels, to) === 'gone')
          throw new RotationAbandoned(`AWSPENDING is no longer on version ${to}`);
      }
      const hindered = hold ? await moveUnlessRefused(secretArn, { stage: heldLabel, to: from }) : undefined;
      if (hindered !== undefined && standing(hindered.labels, to) !== 'current') {
        const held = versionWith(hindered.labels, heldLabel);
        if (held !== undefined && held !== from)
          throw new PreviousStillHeld(
            `version ${held} carries ${heldLabel}: it was put there while the rotation ran`,
          );
        // Where AWSCURRENT has left `from`, the next move is refused too, and says so better.
        if (held === undefined && versionWith(hindered.labels, 'AWSCURRENT') === from) throw hindered.error;
      }
      const refused = await moveUnlessRefused(secretArn, { stage: 'AWSCURRENT', to, from });
      if (refused !== undefined && standing(refused.labels, to) !== 'current')
        throw new RotationAbandoned(
          `AWSCURRENT is on version ${versionWith(refused.labels, 'AWSCURRENT') ?? 'none'}, not on ${from}, from which it was to move`,
        );
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
      const refused = await moveUnlessRefused(secretArn, { stage: heldLabel, from: versionId });
      if (refused?.labels[versionId]?.includes(heldLabel) === true) throw refused.error;
      return { current: null, held: null };
    }
  }
});

async function truthOf(secretArn: string): Promise<Truth> {
  const { labels } = await secrets.describe(secretArn);
  return { current: versionWith(labels, 'AWSCURRENT') ?? null, held: heldVersion(labels) ?? null };
}

/** A move that the store did not make, and the labels as they were afterwards. */
interface Refusal {
  readonly error: Error;
  readonly labels: Labels;
}

/** Makes one move; where the store's condition refuses it, looks at the labels instead, for the caller to judge. */
async function moveUnlessRefused(secretArn: string, move: LabelMove): Promise<Refusal | undefined> {
  try {
    await secrets.move(secretArn, move);
    return undefined;
  } catch (error) {
    if (!isNamed(error, 'InvalidParameterException', 'InvalidRequestException', 'ResourceNotFoundException'))
      throw error;
    return { error, labels: (await secrets.describe(secretArn)).labels };
  }
}
