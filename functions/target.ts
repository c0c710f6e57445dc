import { isNamed } from '../aws/named';
import type { Secrets, SecretVersion } from '../aws/secrets';
import { AdminMissing, PendingValueMissing, RotatorUnknown } from '../domain/errors';
import { isRotatorName, rotators } from '../rotators/registry';
import type { RotatorContext, SealedRotator } from '../rotators/rotator';
import { deadlineOf, type Invocation } from './task';

/** What a verb needs beside the secrets it works on. Reads the admin credential where one is named: AdminMissing. */
export async function contextFor(
  secrets: Secrets,
  adminId: string | null | undefined,
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
            throw error;
          }
        };
  return { admin: await readAdmin?.(), readAdminAgain: readAdmin, signal: deadlineOf(lambda), password };
}

/** Reads one version by its id. PendingValueMissing where it has no value, or not yet. */
export async function readVersion(
  secrets: Secrets,
  secretArn: string,
  versionId: string,
): Promise<SecretVersion> {
  try {
    return await secrets.read(secretArn, versionId);
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException'))
      throw new PendingValueMissing(`version ${versionId} of ${secretArn} has no value`);
    throw error;
  }
}

/** The rotator that CreateSecret has chosen. */
export function chosenRotator(name: string): SealedRotator {
  if (!isRotatorName(name)) throw new RotatorUnknown(`no rotator is called ${name}`);
  return rotators[name];
}
