/** What the embedded Secrets Manager does otherwise than AWS, for docs/aws-fidelity.md. */
export const secretsManagerGaps: readonly string[] = [
  'Replication to other regions (AddReplicaRegions, ReplicateSecretToRegions, RemoveRegionsFromReplication, StopReplicationToReplica) is refused.',
  'Managed rotation, secrets owned by other services and external secrets (Type, ExternalSecretRotation…) are refused; SortBy and the filter keys owning-service and primary-region too.',
  'A failed rotation is repeated five times in all, after 15 s, 1, 5 and 15 minutes; AWS repeats it while the window is open and documents neither number.',
  'Each step gets a RotationToken of its own, and PutSecretValue takes every one that its rotation was given; AWS does not document whether tokens are equal across steps.',
  'Who wrote the pending value is checked after every step; when AWS checks is not documented.',
  'AWSPENDING is taken off the current version at once after a successful rotation; AWS does it some time later.',
  'A rotation whose AWSPENDING was removed by hand is repeated until its attempts are used up or a new one begins; what AWS does is not documented.',
  'RotateImmediately=false answers without VersionId and tests once, without repeats; a secret without a current value is not tested.',
  'Rotations due by schedule begin when the window opens; AWS begins at some time within it. `W` in cron expressions is refused.',
  'RotationStarted, RotationSucceeded and the other events that reach EventBridge through CloudTrail are not sent; `Secret Label Updated` is, for labels that come to a version and not for labels that are removed.',
  'A written value can be read at once; on AWS, AWSPENDING can be missing for a moment after the write.',
  'Rate limits are not enforced. Quotas are: 100 versions, none pruned within 24 hours, 20 labels a secret, 65,536 bytes.',
  'UpdateSecretVersionStage refuses to make a version without value the current one, and to remove AWSCURRENT without a successor; the wording is not AWS’s.',
  'ValidateResourcePolicy and BlockPublicPolicy only know a statement that allows everyone without any condition; AWS reasons about the whole policy.',
  'Values are not encrypted: a customer-managed key is a permission check. GenerateDataKey and Decrypt are asked of the caller, without an encryption context.',
  'KmsKeyIds of a version name the secret’s present key.',
];
