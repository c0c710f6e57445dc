import { createHash } from 'node:crypto';

/** AWS's opaque id of a role (AROA) or user (AIDA), made from its ARN so that it stays the same. */
export function uniqueId(prefix: 'AROA' | 'AIDA', arn: string): string {
  return prefix + createHash('sha256').update(arn).digest('hex').slice(0, 17).toUpperCase();
}
