import { isNamed } from '../aws/named';
import type { Secrets, SecretVersion } from '../aws/secrets';
import { AdminMissing, PendingValueMissing, RotationAbandoned, RotatorUnknown } from '../domain/errors';
import { isRotatorName, rotators } from '../rotators/registry';
import type { RotatorContext, SealedRotator } from '../rotators/rotator';
import { deadlineOf, type Invocation } from './task';

/** How the policy and the secret say where the target is: the admin's secret by name or ARN, and the rotator's settings. */
export interface TargetOf {
  readonly admin?: string | null | undefined;
  readonly settings: unknown;
}

/** What a verb needs beside the secrets it works on. Reads the admin credential where one is named: AdminMissing. */
export async function contextFor(
  secrets: Secrets,
  { admin: adminId, settings }: TargetOf,
  lambda: Invocation,
  password: () => string = () => {
    throw new Error('this verb draws no password');
  },
): Promise<RotatorContext<string>> {
  const readAdmin =
    adminId === null || adminId === undefined
      ? undefined
      : async () => {
          try {
            return (await secrets.read(adminId)).text;
          } catch (error) {
            if (isNamed(error, 'ResourceNotFoundException'))
              throw new AdminMissing(`admin secret ${adminId} does not exist or has no value`);
            // What Secrets Manager answers for a secret that is marked for deletion.
            if (isNamed(error, 'InvalidRequestException'))
              throw new AdminMissing(`admin secret ${adminId} is marked for deletion`);
            throw error;
          }
        };
  return {
    admin: await readAdmin?.(),
    readAdminAgain: readAdmin,
    signal: deadlineOf(lambda),
    settings,
    password,
  };
}

/**
 * Reads one version by its id, with `stage` only while that label is on it. PendingValueMissing where it has no value, or
 * not yet; RotationAbandoned where the label is elsewhere.
 */
export async function readVersion(
  secrets: Pick<Secrets, 'read'>,
  secretArn: string,
  versionId: string,
  stage?: string,
): Promise<SecretVersion> {
  try {
    return await secrets.read(secretArn, versionId, stage);
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException'))
      throw new PendingValueMissing(`version ${versionId} of ${secretArn} has no value`);
    if (stage !== undefined && isNamed(error, 'InvalidRequestException'))
      throw new RotationAbandoned(`${stage} is no longer on version ${versionId}`);
    throw error;
  }
}

/** The rotator that CreateSecret has chosen. */
export function chosenRotator(name: string): SealedRotator {
  if (!isRotatorName(name)) throw new RotatorUnknown(`no rotator is called ${name}`);
  return rotators[name];
}
