import { randomBytes } from 'node:crypto';

/** A password as targets are provisioned with: 144 bits, quiet in URLs and shells. */
export function newPassword(): string {
  return randomBytes(18).toString('base64url');
}

/**
 * What one member of a SecretString holds, as the values that must be found nowhere else; all of a text that is no JSON,
 * since the value may stand anywhere in it.
 */
export function sensitiveIn(text: string, member: string): readonly string[] {
  let value: unknown;
  try {
    value = (JSON.parse(text) as Readonly<Record<string, unknown>>)[member];
  } catch {
    return [text];
  }
  return typeof value === 'string' ? [value] : [];
}
