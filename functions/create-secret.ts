import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import type { Secrets } from '../aws/secrets';
import {
  AdminIsTheSecret,
  AdminMissing,
  PolicyInvalid,
  PreviousStillHeld,
  RotationAbandoned,
  SecretMalformed,
} from '../domain/errors';
import { heldVersion, standing, versionWith } from '../domain/labels';
import { heldLabel } from '../domain/names';
import { drawPassword } from '../domain/password';
import { openSessions, passwordRules, refuseUnkept } from '../domain/policy';
import { ownerOf } from '../rotators/owner';
import { rotatorFor } from '../rotators/registry';
import type { CreateOptions, SealedRotator } from '../rotators/rotator';
import { contextFor, readVersion } from './target';
import type { Invocation } from './task';

/** What the workflow's CreateSecret task sends to the rotation function. */
export const createSecretInput = z.object({
  task: z.literal('CreateSecret'),
  secretArn: z.string(),
  versionId: z.string(),
  previousVersionId: z.string(),
  rotator: z.nullable(z.string()),
  admin: z.nullable(z.string()),
  settings: z.record(z.string(), z.unknown()),
  password: passwordRules,
  openSessions: z.enum(openSessions),
  /** A repeat: another rotation may hold AWSPENDING by now, and writing would take it away. */
  late: z.boolean(),
});

type CreateSecretInput = z.infer<typeof createSecretInput>;

/** What the rest of the workflow needs to know about the credential: names and traits only. */
export interface CreatedSecret {
  readonly rotator: string;
  readonly overlap: 'two-principals' | 'two-credentials' | 'none';
  readonly mint: 'rotator' | 'target';
  readonly usage: boolean;
  readonly admin: string | null;
  readonly principals: { readonly from: string; readonly to: string };
}

/** A rotator and its name, as the registry chooses them. */
interface ChosenBy {
  readonly name: string;
  readonly rotator: SealedRotator;
}

/**
 * Builds the new value and stores it as AWSPENDING under the rotation's token.
 *
 * This is the one place in Rotor that writes a secret value. It runs in the rotation function, because Secrets Manager
 * takes a pending value only from that function's own role. A repeat finds the value that is there and keeps it.
 */
export async function createSecret(
  secrets: Secrets,
  input: CreateSecretInput,
  lambda: Invocation,
  choose: (secretString: string, policyName?: string) => ChosenBy = rotatorFor,
): Promise<CreatedSecret> {
  const { secretArn, versionId } = input;
  if (input.late && standing((await secrets.describe(secretArn)).labels, versionId) !== 'pending')
    throw new RotationAbandoned(`AWSPENDING is no longer on version ${versionId}`);
  // Whatever is made replaces the value in use and no other one: RotationAbandoned where somebody has moved AWSCURRENT.
  const current = await readVersion(secrets, secretArn, input.previousVersionId, 'AWSCURRENT');
  const { name, rotator } = choose(current.text, input.rotator ?? undefined);
  const traits = rotator.traits(input.settings);
  const admin = traits.admin === 'none' ? undefined : (input.admin ?? rotator.adminArn(current.text));
  if (admin === undefined && traits.admin === 'required')
    throw new AdminMissing(
      `rotator ${name} needs an admin: neither masterarn in the secret nor admin in its policy names one`,
    );
  if (admin !== undefined && namesSecret(admin, secretArn))
    throw new AdminIsTheSecret(`admin of ${secretArn} is the secret itself`);

  const { longestPassword } = traits;
  if (longestPassword !== undefined && input.password.length > longestPassword)
    throw new PolicyInvalid(
      `password.length is ${input.password.length}, and what rotator ${name} rotates takes ${longestPassword} characters at most`,
    );

  refuseUnkept(input.openSessions, traits, name);

  const mintedAtTarget = traits.mint === 'target';
  // Whatever was minted at the target before a crash must be found again, not minted twice.
  let pending = mintedAtTarget ? await valueOf(secrets, secretArn, versionId) : undefined;
  if (pending === undefined) {
    const context = await contextFor(
      secrets,
      { admin: mintedAtTarget ? admin : undefined, settings: input.settings },
      lambda,
      () => drawPassword(input.password),
    );
    pending = await rotator.create(current.text, context, {
      versionId,
      owner: ownerOf(secretArn),
      ...(mintedAtTarget ? await standingValues(secrets, input) : { others: [] }),
      ...(current.createdAt === undefined ? {} : { replacedAt: current.createdAt }),
    });
    try {
      await secrets.putPending(secretArn, versionId, pending);
    } catch (error) {
      if (!isNamed(error, 'ResourceExistsException')) throw error;
      pending = (await secrets.read(secretArn, versionId)).text;
    }
  }
  return {
    rotator: name,
    overlap: traits.overlap,
    mint: traits.mint,
    usage: traits.usage,
    admin: admin ?? null,
    principals: {
      from: rotator.principal(current.text, input.settings),
      to: rotator.principal(pending, input.settings),
    },
  };
}

/** Whether an id, by name, by ARN or by ARN without its random ending, means the secret with this ARN. */
function namesSecret(id: string, secretArn: string): boolean {
  const withoutSuffix = secretArn.replace(/-[A-Za-z0-9]{6}$/, '');
  return id === secretArn || id === withoutSuffix || withoutSuffix.endsWith(`:secret:${id}`);
}

/**
 * What stands under other labels than the two of this rotation, for a rotator that may end what is left over at the
 * target. So nothing is told unless the labels are as they were when the rotation began: RotationAbandoned,
 * PreviousStillHeld.
 */
async function standingValues(
  secrets: Secrets,
  {
    secretArn,
    versionId,
    previousVersionId,
  }: Pick<CreateSecretInput, 'secretArn' | 'versionId' | 'previousVersionId'>,
): Promise<Required<Pick<CreateOptions<string>, 'others' | 'pinned'>>> {
  const { labels } = await secrets.describe(secretArn);
  if (standing(labels, versionId) !== 'pending')
    throw new RotationAbandoned(`AWSPENDING is no longer on version ${versionId}`);
  if (versionWith(labels, 'AWSCURRENT') !== previousVersionId)
    throw new RotationAbandoned(`AWSCURRENT is no longer on version ${previousVersionId}`);
  const held = heldVersion(labels);
  if (held !== undefined && held !== previousVersionId)
    throw new PreviousStillHeld(
      `version ${held} carries ${heldLabel}: it was put there while the rotation ran`,
    );
  const labelled = Object.entries(labels).filter(
    ([id, stages]) => id !== versionId && id !== previousVersionId && stages.length > 0,
  );
  const isReplaced = (stages: readonly string[]) => stages.every((stage) => stage === 'AWSPREVIOUS');
  const read = async (versions: typeof labelled) => {
    const values = await Promise.all(
      versions.map(([id]) =>
        valueOf(secrets, secretArn, id).catch((error: unknown) => {
          // Binary, from before the enrolment: no credential that a rotation has made.
          if (error instanceof SecretMalformed) return undefined;
          throw error;
        }),
      ),
    );
    return values.filter((value) => value !== undefined);
  };
  return {
    others: await read(labelled.filter(([, stages]) => isReplaced(stages))),
    pinned: await read(labelled.filter(([, stages]) => !isReplaced(stages))),
  };
}

async function valueOf(secrets: Secrets, secretArn: string, versionId: string): Promise<string | undefined> {
  try {
    return (await secrets.read(secretArn, versionId)).text;
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}
