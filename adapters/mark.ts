import { createHash } from 'node:crypto';
import type { RolledOut } from './adapter';

/**
 * What an adapter leaves at a service to find later that this roll-out was begun: at most 77 letters, digits, hyphens and
 * a dot.
 *
 * Not the version alone: a version that was left and is current again in another rotation has to be loaded again.
 */
export function rollOutMark({ versionId, rotationId }: Pick<RolledOut, 'versionId' | 'rotationId'>): string {
  return `${versionId}.${shortHash(rotationId)}`;
}

/** Keeps apart what several secrets of one application leave at it. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
