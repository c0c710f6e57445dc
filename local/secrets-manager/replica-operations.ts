import * as z from 'zod';
import { ServiceError, type Call, type Operation } from '../kernel/service';
import { openSecret, operation, type Context } from './context';
import type { Secret } from './secret';

/** Regions to replicate to, as several operations take them. */
export const replicaRegions = z
  .array(z.strictObject({ Region: z.string().min(1), KmsKeyId: z.string().optional() }))
  .min(1);

/** ReplicateSecretToRegions: replicas that follow the secret, made after the answer. */
export function replicateSecretToRegions(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    AddReplicaRegions: replicaRegions,
    ForceOverwriteReplicaSecret: z.optional(z.boolean()),
  });
  return operation('ReplicateSecretToRegions', shape, (input, call) => {
    const secret = openSecret(context, call, 'ReplicateSecretToRegions', input.SecretId);
    assertRegions(context, secret, input.AddReplicaRegions);
    addReplicas(context, call, secret, input.AddReplicaRegions, input.ForceOverwriteReplicaSecret === true);
    return { ARN: secret.arn, ReplicationStatus: replicationStatus(secret) };
  });
}

/** RemoveRegionsFromReplication: removes replicas; a region without one is passed over. */
export function removeRegionsFromReplication(context: Context): Operation {
  const shape = z.object({ SecretId: z.string(), RemoveReplicaRegions: z.array(z.string()).min(1) });
  return operation('RemoveRegionsFromReplication', shape, (input, call) => {
    const secret = openSecret(context, call, 'RemoveRegionsFromReplication', input.SecretId);
    for (const region of input.RemoveReplicaRegions) context.replication.remove(secret, region);
    return { ARN: secret.arn, ReplicationStatus: replicationStatus(secret) };
  });
}

/** StopReplicationToReplica, in the replica's region: the replica becomes a secret of its own. */
export function stopReplicationToReplica(context: Context): Operation {
  return operation('StopReplicationToReplica', z.object({ SecretId: z.string() }), (input, call) => {
    const secret = openSecret(context, call, 'StopReplicationToReplica', input.SecretId);
    if (secret.primaryRegion === undefined)
      throw new ServiceError('InvalidParameterException', `${secret.name} is not a replica secret.`);
    secret.primaryRegion = undefined;
    return { ARN: secret.arn };
  });
}

/** Refuses regions in which no replica can be, before anything is made. */
export function assertRegions(
  { replication, surroundings }: Context,
  secret: Secret | undefined,
  regions: z.infer<typeof replicaRegions>,
): void {
  for (const { Region } of regions) {
    if (Region === surroundings.region)
      throw new ServiceError('InvalidParameterException', 'Invalid replica region.');
    if (!replication.has(Region))
      throw new ServiceError(
        'UnsupportedRegion',
        `The embedded cloud has no region ${Region} to replicate to.`,
      );
    if (secret?.replicas.has(Region) === true)
      throw new ServiceError('InvalidParameterException', `The secret is replicated to ${Region} already.`);
  }
}

/** Begins to replicate a secret to further regions. */
export function addReplicas(
  { replication }: Context,
  call: Call,
  secret: Secret,
  regions: z.infer<typeof replicaRegions>,
  overwrite: boolean,
): void {
  for (const { Region: region, KmsKeyId: kmsKeyId } of regions)
    secret.replicas.set(region, {
      region,
      kmsKeyId,
      overwrite,
      call,
      status: 'InProgress',
      message: undefined,
    });
  replication.changed(secret);
}

/** What a primary says about its replicas. */
export function replicationStatus(secret: Secret): readonly object[] {
  return [...secret.replicas.values()].map(({ region, kmsKeyId, status, message }) => ({
    Region: region,
    KmsKeyId: kmsKeyId ?? 'alias/aws/secretsmanager',
    Status: status,
    ...(message === undefined ? {} : { StatusMessage: message }),
  }));
}
