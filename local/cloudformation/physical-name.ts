import { randomInt } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Twelve random characters, as CloudFormation ends the names that it makes. */
export function randomSuffix(): string {
  return Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/**
 * A physical name as CloudFormation makes it: stack, logical id and twelve random characters.
 *
 * When that is longer than `longest`, the stack's name and then the logical id are cut, each keeping half.
 */
export function physicalName(stack: string, logicalId: string, longest: number): string {
  const room = longest - 14;
  const stackPart = stack.slice(0, Math.max(Math.floor(room / 2), room - logicalId.length));
  const idPart = logicalId.slice(0, room - stackPart.length);
  return `${stackPart}-${idPart}-${randomSuffix()}`;
}
