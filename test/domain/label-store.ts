import type { LabelMove, Labels } from '../../domain/labels';

/**
 * The labels after one UpdateSecretVersionStage, by the conditions that AWS keeps: a label that is elsewhere moves only
 * if `from` names where it is, and AWSCURRENT leaves AWSPREVIOUS behind. Throws what AWS throws.
 */
export function afterMove(labels: Labels, { stage, to, from }: LabelMove): Labels {
  const holder = Object.keys(labels).find((version) => labels[version]?.includes(stage));
  for (const version of [to, from])
    if (version !== undefined && labels[version] === undefined)
      throw refusal('ResourceNotFoundException', `no version ${version}`);
  if (from === undefined && holder !== undefined && holder !== to)
    throw refusal('InvalidParameterException', `${stage} is on ${holder}`);
  if (from !== undefined && from !== holder)
    throw refusal('InvalidParameterException', `${stage} is not on ${from}`);
  const next = attach(labels, stage, to);
  return stage === 'AWSCURRENT' && holder !== undefined && holder !== to
    ? attach(next, 'AWSPREVIOUS', holder)
    : next;
}

function attach(labels: Labels, stage: string, to: string | undefined): Labels {
  return Object.fromEntries(
    Object.entries(labels).map(([version, stages]) => {
      const rest = stages.filter((label) => label !== stage);
      return [version, version === to ? [...rest, stage].sort() : rest];
    }),
  );
}

/** An error by one of AWS's names, as the SDK throws it. */
export function refusal(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
