import { ServiceError, type Call, type Surroundings } from '../kernel/service';
import type { Target } from './command';
import type { CommandDocument, Fleet, ManagedNode } from './fleet';

/** Asks for the right to run a document. */
export function authorizeDocument(
  { account, authorize, partition, region }: Surroundings,
  call: Call,
  document: Pick<CommandDocument, 'name' | 'owner'>,
): void {
  const owner = document.owner === 'aws' ? '' : account;
  const resource = `arn:${partition}:ssm:${region}:${owner}:document/${document.name}`;
  authorize(call, { action: 'ssm:SendCommand', resource });
}

/** Asks for the right to run commands at a node, which may depend on its tags. */
export function authorizeNode(
  { account, authorize, partition, region }: Surroundings,
  call: Call,
  { instanceId, tags }: Pick<ManagedNode, 'instanceId' | 'tags'>,
): void {
  const resource = instanceId.startsWith('mi-')
    ? `arn:${partition}:ssm:${region}:${account}:managed-instance/${instanceId}`
    : `arn:${partition}:ec2:${region}:${account}:instance/${instanceId}`;
  const conditions = Object.fromEntries(
    Object.entries(tags).flatMap(([key, value]) => [
      [`ssm:resourceTag/${key}`, value],
      [`aws:ResourceTag/${key}`, value],
    ]),
  );
  authorize(call, { action: 'ssm:SendCommand', resource, conditions });
}

/** The ids that a request names, as InstanceIds or as a target of that key; undefined where it goes by tags. */
export function namedIds(
  instanceIds: readonly string[] | undefined,
  targets: readonly Target[] | undefined,
): readonly string[] | undefined {
  if (instanceIds !== undefined && targets !== undefined)
    throw new ServiceError('ValidationException', 'Specify either InstanceIds or Targets, not both.');
  if (instanceIds !== undefined) return instanceIds;
  if (targets === undefined || targets.length === 0)
    throw new ServiceError('ValidationException', 'Specify InstanceIds or Targets.');
  for (const { Key } of targets) assertKey(Key);
  const named = targets.filter(({ Key }) => isIds(Key));
  if (named.length > 0 && targets.length > 1)
    throw new ServiceError(
      'UnsupportedParameter',
      'The embedded cloud does not implement SendCommand with InstanceIds beside other targets.',
    );
  return named[0]?.Values;
}

/** The nodes that fit every one of the targets; a node fits one by any of its values. */
export function matchingNodes(fleet: Fleet, targets: readonly Target[]): readonly ManagedNode[] {
  return fleet.all.filter(({ tags }) =>
    targets.every(({ Key, Values }) =>
      Key === 'tag-key'
        ? Values.some((name) => name in tags)
        : Values.includes(tags[Key.slice('tag:'.length)] ?? ''),
    ),
  );
}

function isIds(key: string): boolean {
  return key.toLowerCase() === 'instanceids';
}

function assertKey(key: string): void {
  if (isIds(key) || key === 'tag-key' || /^tag:./u.test(key)) return;
  throw new ServiceError(
    'UnsupportedParameter',
    `The embedded cloud does not implement SendCommand with the target key ${key}.`,
  );
}
