import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ServiceError, type Call, type Operation } from '../kernel/service';
import { assertToken, identify, openSecret, operation, useKey, type Context } from './context';
import { afterMove, afterWrite, labelsOf } from './labels';
import { addReplicas, assertRegions, replicaRegions, replicationStatus } from './replica-operations';
import type { Secret, SecretValue, Version } from './secret';

/** AWS's limit of a value, in bytes. */
const maxBytes = 65_536;

const value = {
  SecretString: z.optional(z.string()),
  SecretBinary: z.optional(z.string()),
};
const token = z.optional(z.string().min(32).max(64));
const tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }));

/** CreateSecret: a secret, with its first version if a value is given. */
export function createSecret(context: Context): Operation {
  const shape = z.object({
    Name: z.string(),
    ClientRequestToken: token,
    Description: z.optional(z.string().max(2048)),
    KmsKeyId: z.optional(z.string()),
    Tags: z.optional(tags),
    AddReplicaRegions: z.optional(replicaRegions),
    ForceOverwriteReplicaSecret: z.optional(z.boolean()),
    ...value,
  });
  const run = operation('CreateSecret', shape, (input, call) => {
    const { store, surroundings } = context;
    const { account, partition, region } = surroundings;
    const existing = store.find(input.Name);
    surroundings.authorize(call, {
      action: 'secretsmanager:CreateSecret',
      resource:
        existing?.arn ?? `arn:${partition}:secretsmanager:${region}:${account}:secret:${input.Name}-??????`,
      conditions: {
        'secretsmanager:Name': input.Name,
        ...(input.Description === undefined ? {} : { 'secretsmanager:Description': input.Description }),
        ...(input.KmsKeyId === undefined ? {} : { 'secretsmanager:KmsKeyId': input.KmsKeyId }),
        ...(input.Tags === undefined ? {} : { 'aws:TagKeys': input.Tags.map((tag) => tag.Key) }),
        ...Object.fromEntries((input.Tags ?? []).map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value])),
      },
    });
    const regions = input.AddReplicaRegions ?? [];
    if (regions.length > 0) {
      surroundings.authorize(call, {
        action: 'secretsmanager:ReplicateSecretToRegions',
        resource: `arn:${partition}:secretsmanager:${region}:${account}:secret:${input.Name}-??????`,
      });
      assertRegions(context, undefined, regions);
    }
    const given = givenValue(input);
    if (existing?.deletion !== undefined)
      throw new ServiceError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      );
    if (existing !== undefined) {
      const repeated = existing.versions.get(input.ClientRequestToken ?? '');
      if (repeated?.value !== undefined && given !== undefined && isSame(repeated.value, given))
        return { ...identify(existing), VersionId: repeated.id };
      throw new ServiceError(
        'ResourceExistsException',
        `The operation failed because the secret ${input.Name} already exists.`,
      );
    }
    if (given !== undefined) useKey(context, call, { kmsKeyId: input.KmsKeyId }, 'kms:GenerateDataKey');
    const secret = store.create(input.Name);
    secret.description = input.Description === '' ? undefined : input.Description;
    secret.kmsKeyId = input.KmsKeyId;
    if (input.Tags !== undefined) secret.tags = new Map(input.Tags.map((tag) => [tag.Key, tag.Value]));
    const versionId = given === undefined ? undefined : (input.ClientRequestToken ?? randomUUID());
    if (given !== undefined && versionId !== undefined)
      write(context, call, secret, versionId, given, ['AWSCURRENT']);
    addReplicas(context, call, secret, regions, input.ForceOverwriteReplicaSecret === true);
    return {
      ...identify(secret),
      ...(versionId === undefined ? {} : { VersionId: versionId }),
      ...(regions.length === 0 ? {} : { ReplicationStatus: replicationStatus(secret) }),
    };
  });
  return async (input, call) => {
    if (input['SecretString'] !== undefined || input['SecretBinary'] !== undefined) assertToken(input);
    return run(input, call);
  };
}

/** PutSecretValue: a new version, or the value of the version that a rotation has named. */
export function putSecretValue(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    ClientRequestToken: z.string().min(32).max(64),
    VersionStages: z.optional(z.array(z.string().min(1).max(256)).min(1).max(20)),
    RotationToken: z.optional(z.string().min(36).max(256)),
    ...value,
  });
  const run = operation('PutSecretValue', shape, (input, call) => {
    const secret = openSecret(context, call, 'PutSecretValue', input.SecretId);
    const given = givenValue(input);
    if (given === undefined)
      throw new ServiceError(
        'InvalidRequestException',
        'You must provide either SecretString or SecretBinary.',
      );
    useKey(context, call, secret, 'kms:GenerateDataKey');
    const versionId = input.ClientRequestToken;
    const repeated = repeat(secret, versionId, given);
    if (repeated === undefined)
      write(
        context,
        call,
        secret,
        versionId,
        given,
        input.VersionStages ?? ['AWSCURRENT'],
        input.RotationToken,
      );
    return {
      ...identify(secret),
      VersionId: versionId,
      VersionStages: labelsOf(secret.labels, versionId),
    };
  });
  return async (input, call) => {
    assertToken(input);
    return run(input, call);
  };
}

/** UpdateSecret: description, key, or a new current value. */
export function updateSecret(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    ClientRequestToken: token,
    Description: z.optional(z.string().max(2048)),
    KmsKeyId: z.optional(z.string()),
    ...value,
  });
  const run = operation('UpdateSecret', shape, (input, call) => {
    const conditions = {
      ...(input.Description === undefined ? {} : { 'secretsmanager:Description': input.Description }),
      ...(input.KmsKeyId === undefined ? {} : { 'secretsmanager:KmsKeyId': input.KmsKeyId }),
    };
    const secret = openSecret(context, call, 'UpdateSecret', input.SecretId, { conditions });
    const given = givenValue(input);
    if (given !== undefined)
      useKey(context, call, { kmsKeyId: input.KmsKeyId ?? secret.kmsKeyId }, 'kms:GenerateDataKey');
    const versionId = input.ClientRequestToken ?? randomUUID();
    // Refusals come before the first change.
    const repeated = given === undefined ? undefined : repeat(secret, versionId, given);
    if (input.Description !== undefined)
      secret.description = input.Description === '' ? undefined : input.Description;
    if (input.KmsKeyId !== undefined) secret.kmsKeyId = input.KmsKeyId;
    secret.changedAt = context.surroundings.clock.now();
    context.replication.changed(secret);
    if (given === undefined) return identify(secret);
    if (repeated === undefined) write(context, call, secret, versionId, given, ['AWSCURRENT']);
    return { ...identify(secret), VersionId: versionId };
  });
  return async (input, call) => {
    if (input['SecretString'] !== undefined || input['SecretBinary'] !== undefined) assertToken(input);
    return run(input, call);
  };
}

/** UpdateSecretVersionStage: moves, adds or removes one label. */
export function updateSecretVersionStage(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    VersionStage: z.string().min(1).max(256),
    MoveToVersionId: z.optional(z.string()),
    RemoveFromVersionId: z.optional(z.string()),
  });
  return operation('UpdateSecretVersionStage', shape, (input, call) => {
    // AWS fills VersionStage for this action and neither of the two version ids.
    const secret = openSecret(context, call, 'UpdateSecretVersionStage', input.SecretId, {
      conditions: { 'secretsmanager:VersionStage': input.VersionStage },
    });
    const labels = afterMove(secret.labels, secret.versions, {
      label: input.VersionStage,
      moveTo: input.MoveToVersionId,
      removeFrom: input.RemoveFromVersionId,
    });
    if (input.VersionStage === 'AWSCURRENT' && input.MoveToVersionId !== undefined)
      if (secret.versions.get(input.MoveToVersionId)?.value === undefined)
        throw new ServiceError(
          'InvalidRequestException',
          `You can't move AWSCURRENT to version ${input.MoveToVersionId} because it has no value.`,
        );
    secret.changedAt = context.surroundings.clock.now();
    context.store.setLabels(secret, labels);
    return identify(secret);
  });
}

interface GivenValue {
  readonly SecretString?: string | undefined;
  readonly SecretBinary?: string | undefined;
}

function givenValue(input: GivenValue): SecretValue | undefined {
  const { SecretString, SecretBinary } = input;
  if (SecretString !== undefined && SecretBinary !== undefined)
    throw new ServiceError(
      'InvalidParameterException',
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    );
  if (SecretString !== undefined) {
    assertSize('secretString', Buffer.byteLength(SecretString));
    return { SecretString };
  }
  if (SecretBinary === undefined) return undefined;
  assertSize('secretBinary', Buffer.byteLength(SecretBinary, 'base64'));
  return { SecretBinary };
}

function assertSize(member: string, bytes: number): void {
  if (bytes > maxBytes)
    throw new ServiceError(
      'ValidationException',
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length less than or equal to ${maxBytes}`,
    );
}

/** The version that already holds this value under this token; refuses the token with another value. */
function repeat(secret: Secret, versionId: string, given: SecretValue): Version | undefined {
  const version = secret.versions.get(versionId);
  if (version?.value === undefined) return undefined;
  if (isSame(version.value, given)) return version;
  throw new ServiceError(
    'ResourceExistsException',
    `You can't use ClientRequestToken ${versionId} because that value is already in use for a version of secret ${secret.arn}.`,
  );
}

function write(
  context: Context,
  call: Call,
  secret: Secret,
  versionId: string,
  given: SecretValue,
  stages: readonly string[],
  rotationToken?: string,
): void {
  const { store, surroundings, driver } = context;
  const carriedToken = rotationToken !== undefined && driver.accepts(secret, versionId, rotationToken);
  if (rotationToken !== undefined && !carriedToken)
    throw new ServiceError('InvalidParameterException', 'The RotationToken is not one of this rotation.');
  // Refuses too many labels before a version is added.
  const labels = afterWrite(secret.labels, versionId, stages);
  const version = secret.versions.get(versionId) ?? store.addVersion(secret, versionId);
  version.writtenBy = writer(call);
  version.carriedToken = carriedToken;
  store.setValue(secret, version, given);
  secret.changedAt = surroundings.clock.now();
  store.setLabels(secret, labels);
}

function writer(call: Call): string {
  switch (call.principal.kind) {
    case 'role':
      return call.principal.roleArn;
    case 'operator':
    case 'user':
      return call.principal.arn;
    case 'service':
      return call.principal.service;
  }
}

function isSame(a: SecretValue, b: SecretValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
