import { heldVersion, type Labels } from './labels';

/** One move of AWSCURRENT, as Secrets Manager's event `Secret Label Updated` tells of it. */
export interface CurrentMove {
  /** The version that AWSCURRENT came to. */
  readonly versionId: string;
  /** Milliseconds since the epoch, without the fraction of the second: events have whole seconds. */
  readonly at: number;
}

/** One execution that rotated a secret, as far as it tells whether a move of AWSCURRENT was its own. */
export interface RotationRun {
  /** The version that it was to bring in. */
  readonly versionId: string;
  /** The version that was in use when it began. */
  readonly previousVersionId: string;
  /** As Step Functions names it. */
  readonly status: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly endedAt: number | undefined;
}

/**
 * Whether a rotation moved AWSCURRENT itself, so that it asks the consumers and nobody else has to.
 *
 * While it runs, a rotation moves AWSCURRENT to its own version, and, going back, from that to the version before. It
 * may be asked about rotations of the version that AWSCURRENT came to and of the one that it left; any other answers
 * no. `labels` are those after the move.
 *
 * Going back is told from a person who puts AWSCURRENT back meanwhile by the hold: it is on the version before as long
 * as the rotation goes forward, and going back takes it to the new version before it moves AWSCURRENT
 * (`movesToRevert`). A rotation that succeeded has not gone back.
 */
export function isOwnMove(move: CurrentMove, labels: Labels, run: RotationRun): boolean {
  const wholeSecond = Math.floor(run.startedAt / 1000) * 1000;
  if (move.at < wholeSecond || move.at > (run.endedAt ?? Infinity)) return false;
  if (move.versionId === run.versionId) return true;
  return (
    move.versionId === run.previousVersionId &&
    run.status !== 'SUCCEEDED' &&
    heldVersion(labels) !== move.versionId
  );
}
