import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import type { Secrets } from '../aws/secrets';
import { AdminIsTheSecret, AdminMissing, RotationAbandoned } from '../domain/errors';
import { standing } from '../domain/labels';
import { drawPassword } from '../domain/password';
import { passwordRules } from '../domain/policy';
import { rotatorFor } from '../rotators/registry';
import type { SealedRotator } from '../rotators/rotator';
import { contextFor } from './target';
import type { Invocation } from './task';

/** What the workflow's CreateSecret task sends to the rotation function. */
export const createSecretInput = z.object({
  task: z.literal('CreateSecret'),
  secretArn: z.string(),
  versionId: z.string(),
  previousVersionId: z.string(),
  rotator: z.nullable(z.string()),
  admin: z.nullable(z.string()),
  password: passwordRules,
  /** A repeat: another rotation may hold AWSPENDING by now, and writing would take it away. */
  late: z.boolean(),
});

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
  input: z.infer<typeof createSecretInput>,
  lambda: Invocation,
  choose: (secretString: string, policyName?: string) => ChosenBy = rotatorFor,
): Promise<CreatedSecret> {
  const { secretArn, versionId } = input;
  if (input.late && standing((await secrets.describe(secretArn)).labels, versionId) !== 'pending')
    throw new RotationAbandoned(`AWSPENDING is no longer on version ${versionId}`);
  const current = await secrets.read(secretArn, input.previousVersionId);
  const { name, rotator } = choose(current.text, input.rotator ?? undefined);
  const { traits } = rotator;
  const admin = traits.admin === 'none' ? undefined : (input.admin ?? rotator.adminArn(current.text));
  if (admin === undefined && traits.admin === 'required')
    throw new AdminMissing(
      `rotator ${name} needs an admin: neither masterarn in the secret nor admin in its policy names one`,
    );
  if (admin !== undefined && namesSecret(admin, secretArn))
    throw new AdminIsTheSecret(`admin of ${secretArn} is the secret itself`);

  const mintedAtTarget = traits.mint === 'target';
  // Whatever was minted at the target before a crash must be found again, not minted twice.
  const written = mintedAtTarget ? await valueOf(secrets, secretArn, versionId) : undefined;
  let pending: string | undefined = written;
  if (pending === undefined) {
    const context = await contextFor(secrets, mintedAtTarget ? admin : undefined, lambda, () =>
      drawPassword(input.password),
    );
    pending = await rotator.create(current.text, context);
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
    principals: { from: rotator.principal(current.text), to: rotator.principal(pending) },
  };
}

/** Whether an id, by name, by ARN or by ARN without its random ending, means the secret with this ARN. */
function namesSecret(id: string, secretArn: string): boolean {
  const withoutSuffix = secretArn.replace(/-[A-Za-z0-9]{6}$/, '');
  return id === secretArn || id === withoutSuffix || withoutSuffix.endsWith(`:secret:${id}`);
}

async function valueOf(secrets: Secrets, secretArn: string, versionId: string): Promise<string | undefined> {
  try {
    return (await secrets.read(secretArn, versionId)).text;
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
}
