import { heldLabel } from './names';

/** Version ids with their labels, as DescribeSecret answers them in VersionIdsToStages. */
export type Labels = Readonly<Record<string, readonly string[]>>;

/**
 * Where a rotation stands, read from the labels alone.
 *
 * - `pending`: AWSPENDING is on the token's version and AWSCURRENT is not: the rotation is under way.
 * - `current`: AWSCURRENT is on the token's version: the rotation is finished, whatever else is still going on. A repeat
 *   of any step must do nothing, or the live credential would be taken for an old one.
 * - `gone`: neither: the rotation went back, or somebody moved the labels.
 */
export type Standing = 'pending' | 'current' | 'gone';

/** Reads where the rotation under `token` stands. */
export function standing(labels: Labels, token: string): Standing {
  const stages = labels[token] ?? [];
  if (stages.includes('AWSCURRENT')) return 'current';
  return stages.includes('AWSPENDING') ? 'pending' : 'gone';
}

/** The version that carries a label, if any does; a label is on one version at most. */
export function versionWith(labels: Labels, stage: string): string | undefined {
  return Object.entries(labels).find(([, stages]) => stages.includes(stage))?.[0];
}

/**
 * The version whose credential must not be overwritten or stopped, because somebody may still use it.
 *
 * It counts on AWSCURRENT's version too: a person may have put AWSCURRENT back by hand, and then the other user is the one
 * that consumers hold.
 */
export function heldVersion(labels: Labels): string | undefined {
  return versionWith(labels, heldLabel);
}

/** One call of UpdateSecretVersionStage. */
export interface LabelMove {
  readonly stage: string;
  readonly to?: string;
  readonly from?: string;
}

/** What going back is to reach; each version id names a side of the rotation that goes back. */
export interface Reversal {
  /** The version that was in use before. */
  readonly previous: string;
  /** The rotation's own version. */
  readonly token: string;
  /** Keep the token's version from being overwritten: its credential may still be in somebody's hands. */
  readonly holdToken: boolean;
  /** Whether a hold on the previous version is this rotation's own, and so to be taken off. */
  readonly ownHold: boolean;
}

/**
 * The label moves that are still to be made so that a rotation is undone; none when it is.
 *
 * AWSCURRENT is taken from the token's version only, so a value that somebody wrote meanwhile stays in use. The hold is
 * placed before AWSCURRENT moves and AWSPENDING goes last: while either is on the token, no other rotation starts.
 */
export function movesToRevert(
  labels: Labels,
  { previous, token, holdToken, ownHold }: Reversal,
): readonly LabelMove[] {
  const moves: LabelMove[] = [];
  const held = versionWith(labels, heldLabel);
  if (holdToken && held !== token)
    moves.push({ stage: heldLabel, to: token, ...(held === undefined ? {} : { from: held }) });
  if (versionWith(labels, 'AWSCURRENT') === token)
    moves.push({ stage: 'AWSCURRENT', to: previous, from: token });
  if (!holdToken && ownHold && held !== undefined && held === previous)
    moves.push({ stage: heldLabel, from: held });
  if (versionWith(labels, 'AWSPENDING') === token) moves.push({ stage: 'AWSPENDING', from: token });
  return moves;
}
