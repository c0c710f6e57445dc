import { ServiceError } from '../kernel/service';

/** Labels of each version, by version id; a version without labels has an empty set or is absent. */
export type Labels = ReadonlyMap<string, ReadonlySet<string>>;

/** What UpdateSecretVersionStage asks for. */
export interface LabelMove {
  readonly label: string;
  readonly moveTo: string | undefined;
  readonly removeFrom: string | undefined;
}

/** AWS's quota of labels over all versions of one secret. */
const maxLabels = 20;

/** The version that a label is on; every label is on one version at most. */
export function holderOf(labels: Labels, label: string): string | undefined {
  for (const [versionId, held] of labels) if (held.has(label)) return versionId;
  return undefined;
}

/** The labels of a version in the order in which they came. */
export function labelsOf(labels: Labels, versionId: string): readonly string[] {
  return [...(labels.get(versionId) ?? [])];
}

/**
 * Labels after a value was written to `versionId` under `stages` (PutSecretValue, UpdateSecret, CreateSecret).
 *
 * Each label leaves the version that had it. A new AWSCURRENT makes the former one AWSPREVIOUS and takes AWSPENDING
 * off whichever version had it: recorded on AWS, and the way in which a manual write clears a rotation that got stuck.
 */
export function afterWrite(labels: Labels, versionId: string, stages: readonly string[]): Labels {
  const next = copy(labels);
  const previous = holderOf(labels, 'AWSCURRENT');
  for (const stage of stages) attach(next, stage, versionId);
  if (stages.includes('AWSCURRENT') && previous !== versionId) {
    if (previous !== undefined) attach(next, 'AWSPREVIOUS', previous);
    if (!stages.includes('AWSPENDING')) detach(next, 'AWSPENDING');
  }
  return within(next);
}

/**
 * Labels after UpdateSecretVersionStage; `versions` are the ids that exist.
 *
 * Moving AWSCURRENT makes the version that had it AWSPREVIOUS, and leaves every other label where it is. A label that
 * is on another version moves only if RemoveFromVersionId names that version. A label that is already there stays.
 */
export function afterMove(labels: Labels, versions: { has(id: string): boolean }, move: LabelMove): Labels {
  const { label, moveTo, removeFrom } = move;
  const holder = holderOf(labels, label);
  for (const id of [moveTo, removeFrom])
    if (id !== undefined && !versions.has(id))
      throw new ServiceError(
        'ResourceNotFoundException',
        `Secrets Manager can't find the specified secret value for VersionId: ${id}`,
      );
  if (moveTo === undefined && removeFrom === undefined)
    throw new ServiceError(
      'InvalidParameterException',
      'You must provide a MoveToVersionId, a RemoveFromVersionId, or both.',
    );
  if (removeFrom === undefined && holder !== undefined && holder !== moveTo)
    throw new ServiceError(
      'InvalidParameterException',
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  if (removeFrom !== undefined && removeFrom !== holder)
    throw new ServiceError(
      'InvalidParameterException',
      `When you move staging label ${label}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${label}.`,
    );
  if (moveTo === undefined && label === 'AWSCURRENT')
    throw new ServiceError(
      'InvalidParameterException',
      "You can't remove staging label AWSCURRENT from a version without moving it to another.",
    );

  const next = copy(labels);
  if (moveTo === undefined) detach(next, label);
  else attach(next, label, moveTo);
  if (label === 'AWSCURRENT' && holder !== undefined && holder !== moveTo)
    attach(next, 'AWSPREVIOUS', holder);
  return within(next);
}

/** Labels that are on a version in `after` and were not on it in `before`, with that version. */
export function attached(before: Labels, after: Labels): readonly { label: string; versionId: string }[] {
  return [...after].flatMap(([versionId, held]) =>
    [...held]
      .filter((label) => before.get(versionId)?.has(label) !== true)
      .map((label) => ({ label, versionId })),
  );
}

function copy(labels: Labels): Map<string, Set<string>> {
  return new Map([...labels].map(([versionId, held]) => [versionId, new Set(held)]));
}

function attach(labels: Map<string, Set<string>>, label: string, versionId: string): void {
  const held = labels.get(versionId);
  if (held?.has(label) === true) return;
  detach(labels, label);
  if (held === undefined) labels.set(versionId, new Set([label]));
  else held.add(label);
}

function detach(labels: Map<string, Set<string>>, label: string): void {
  for (const held of labels.values()) held.delete(label);
}

function within(labels: Labels): Labels {
  const count = [...labels.values()].reduce((sum, held) => sum + held.size, 0);
  if (count > maxLabels)
    throw new ServiceError(
      'LimitExceededException',
      `You can't attach more than ${maxLabels} staging labels to the versions of a secret.`,
    );
  return labels;
}
