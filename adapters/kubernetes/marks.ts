import { shortHash } from '../mark';

/** What is written into annotations about a roll-out that was begun. */
export interface Marks {
  /** A workload may use several secrets, and they may be rotated at the same time: each has annotations of its own. */
  readonly secretArn: string;
  readonly versionId: string;
  /**
   * A rotation that goes back to a version replaces pods even where the template already has that version: some may have
   * restarted meanwhile, and run with what is given up. And the cluster would keep the pods of an older, equal template.
   */
  readonly rotationId: string;
}

type Annotations = Readonly<Record<string, string>> | null | undefined;

/**
 * Key of an annotation about one secret, such as `rotor/version-0123456789ab`. Kubernetes takes 63 letters, digits, hyphens,
 * dots and underscores after the slash.
 */
export function annotationKey(
  name: 'version' | 'rotation' | 'synced-before' | 'asked-at',
  secretArn: string,
): string {
  return `rotor/${name}-${shortHash(secretArn)}`;
}

/** The marks as annotations. */
export function annotationsOf({ secretArn, versionId, rotationId }: Marks): Readonly<Record<string, string>> {
  return {
    [annotationKey('version', secretArn)]: versionId,
    [annotationKey('rotation', secretArn)]: rotationId,
  };
}

/** Whether annotations hold the version of these marks, whichever rotation has brought it. */
export function isOfVersion(annotations: Annotations, { secretArn, versionId }: Marks): boolean {
  return annotations?.[annotationKey('version', secretArn)] === versionId;
}

/** Whether annotations hold these marks. */
export function isMarked(annotations: Annotations, marks: Marks): boolean {
  const rotation = annotations?.[annotationKey('rotation', marks.secretArn)];
  return isOfVersion(annotations, marks) && rotation === marks.rotationId;
}
