import { createHash } from 'node:crypto';

/**
 * The secret as the names of what a target mints show it: public, and no other secret's. Made of the ARN, because regions and
 * accounts, and a secret and its successor of the same name, may have one issuer.
 */
export function ownerOf(secretArn: string): string {
  return createHash('sha256').update(secretArn).digest('hex').slice(0, 8);
}
