import * as z from 'zod';
import { ServiceError, type Call, type Operation } from '../kernel/service';
import { identify, openSecret, operation, useKey, type Context } from './context';
import { selectSecrets, filtersShape } from './filters';
import { holderOf, labelsOf } from './labels';
import { pageOf } from './pages';
import { randomPassword } from './random-password';
import { replicationStatus } from './replica-operations';
import type { Secret, Version } from './secret';

/** GetSecretValue: the value of a version, by id, by label, or of AWSCURRENT. */
export function getSecretValue(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    VersionId: z.optional(z.string()),
    VersionStage: z.optional(z.string()),
  });
  return operation('GetSecretValue', shape, (input, call) => readValue(context, call, input));
}

/** BatchGetSecretValue: the current values of several secrets; refusals of single secrets become entries of Errors. */
export function batchGetSecretValue(context: Context): Operation {
  const shape = z.object({
    SecretIdList: z.optional(z.array(z.string()).min(1).max(20)),
    Filters: filtersShape,
    MaxResults: z.optional(z.int().min(1).max(20)),
    NextToken: z.optional(z.string()),
  });
  return operation('BatchGetSecretValue', shape, (input, call) => {
    context.surroundings.authorize(call, { action: 'secretsmanager:BatchGetSecretValue', resource: '*' });
    if ((input.SecretIdList === undefined) === (input.Filters === undefined))
      throw new ServiceError(
        'InvalidParameterException',
        'Either SecretIdList or Filters must be provided, but not both.',
      );
    const ids =
      input.SecretIdList ??
      selectSecrets(context.store.all(), input.Filters ?? [], false).map((secret) => secret.arn);
    const page = pageOf(ids, input.MaxResults ?? 20, input.NextToken);
    const values: object[] = [];
    const errors: object[] = [];
    for (const id of page.items)
      try {
        values.push(readValue(context, call, { SecretId: id }));
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message });
      }
    return {
      SecretValues: values,
      Errors: errors,
      ...(page.next === undefined ? {} : { NextToken: page.next }),
    };
  });
}

/** DescribeSecret: everything about a secret but its values. */
export function describeSecret(context: Context): Operation {
  return operation('DescribeSecret', z.object({ SecretId: z.string() }), (input, call) => {
    const secret = openSecret(context, call, 'DescribeSecret', input.SecretId, { anyState: true });
    const stages = stagesOf(secret);
    return {
      ...metadata(secret),
      ...(stages === undefined ? {} : { VersionIdsToStages: stages }),
      ...(secret.replicas.size === 0 ? {} : { ReplicationStatus: replicationStatus(secret) }),
    };
  });
}

/** ListSecrets: the metadata of secrets, in pages. */
export function listSecrets(context: Context): Operation {
  const shape = z.object({
    IncludePlannedDeletion: z.optional(z.boolean()),
    MaxResults: z.optional(z.int().min(1).max(100)),
    NextToken: z.optional(z.string()),
    Filters: filtersShape,
    SortOrder: z.optional(z.enum(['asc', 'desc'])),
  });
  return operation('ListSecrets', shape, (input, call) => {
    context.surroundings.authorize(call, { action: 'secretsmanager:ListSecrets', resource: '*' });
    const found = selectSecrets(
      context.store.all(),
      input.Filters ?? [],
      input.IncludePlannedDeletion ?? false,
    ).toSorted((a, b) => (input.SortOrder === 'asc' ? 1 : -1) * (a.createdAt - b.createdAt));
    const page = pageOf(found, input.MaxResults ?? 100, input.NextToken);
    return {
      SecretList: page.items.map((secret) => {
        const stages = stagesOf(secret);
        return { ...metadata(secret), ...(stages === undefined ? {} : { SecretVersionsToStages: stages }) };
      }),
      ...(page.next === undefined ? {} : { NextToken: page.next }),
    };
  });
}

/** ListSecretVersionIds: versions with labels, on request also those without. */
export function listSecretVersionIds(context: Context): Operation {
  const shape = z.object({
    SecretId: z.string(),
    IncludeDeprecated: z.optional(z.boolean()),
    MaxResults: z.optional(z.int().min(1).max(100)),
    NextToken: z.optional(z.string()),
  });
  return operation('ListSecretVersionIds', shape, (input, call) => {
    const secret = openSecret(context, call, 'ListSecretVersionIds', input.SecretId, { anyState: true });
    const versions = [...secret.versions.values()].filter(
      (version) => input.IncludeDeprecated === true || labelsOf(secret.labels, version.id).length > 0,
    );
    const page = pageOf(versions, input.MaxResults ?? 100, input.NextToken);
    return {
      ...identify(secret),
      Versions: page.items.map((version) => describeVersion(secret, version)),
      ...(page.next === undefined ? {} : { NextToken: page.next }),
    };
  });
}

/** GetRandomPassword: a password that is stored nowhere. */
export function getRandomPassword(context: Context): Operation {
  const flag = z.optional(z.boolean());
  const shape = z.object({
    PasswordLength: z.optional(z.int().min(1).max(4096)),
    ExcludeCharacters: z.optional(z.string().max(4096)),
    ExcludeNumbers: flag,
    ExcludePunctuation: flag,
    ExcludeUppercase: flag,
    ExcludeLowercase: flag,
    IncludeSpace: flag,
    RequireEachIncludedType: flag,
  });
  return operation('GetRandomPassword', shape, (input, call) => {
    context.surroundings.authorize(call, { action: 'secretsmanager:GetRandomPassword', resource: '*' });
    return { RandomPassword: randomPassword(input) };
  });
}

interface ValueRequest {
  readonly SecretId: string;
  readonly VersionId?: string | undefined;
  readonly VersionStage?: string | undefined;
}

function readValue(context: Context, call: Call, request: ValueRequest): object {
  const { VersionId: wantedId, VersionStage: wantedStage } = request;
  const stage = wantedStage ?? (wantedId === undefined ? 'AWSCURRENT' : undefined);
  const secret = openSecret(context, call, 'GetSecretValue', request.SecretId, {
    conditions: {
      ...(wantedId === undefined ? {} : { 'secretsmanager:VersionId': wantedId }),
      ...(stage === undefined ? {} : { 'secretsmanager:VersionStage': stage }),
    },
  });
  const versionId = wantedId ?? holderOf(secret.labels, stage ?? 'AWSCURRENT');
  if (wantedId !== undefined && wantedStage !== undefined && secret.versions.has(wantedId))
    if (secret.labels.get(wantedId)?.has(wantedStage) !== true)
      throw new ServiceError(
        'InvalidRequestException',
        'You provided a VersionStage that is not associated to the provided VersionId.',
      );
  const version = secret.versions.get(versionId ?? '');
  if (version?.value === undefined)
    throw new ServiceError(
      'ResourceNotFoundException',
      wantedId === undefined
        ? `Secrets Manager can't find the specified secret value for staging label: ${stage ?? ''}`
        : `Secrets Manager can't find the specified secret value for VersionId: ${wantedId}`,
    );
  useKey(context, call, secret, 'kms:Decrypt');
  secret.accessedAt = version.accessedAt = startOfDay(context.surroundings.clock.now());
  return {
    ...identify(secret),
    VersionId: version.id,
    ...version.value,
    VersionStages: labelsOf(secret.labels, version.id),
    CreatedDate: new Date(version.createdAt),
  };
}

function metadata(secret: Secret): object {
  const { rotation } = secret;
  return {
    ...identify(secret),
    ...(secret.description === undefined ? {} : { Description: secret.description }),
    ...(secret.kmsKeyId === undefined ? {} : { KmsKeyId: secret.kmsKeyId }),
    ...(rotation === undefined
      ? {}
      : {
          RotationEnabled: rotation.enabled,
          RotationLambdaARN: rotation.lambdaArn,
          ...(rotation.rules === undefined ? {} : { RotationRules: rotation.rules }),
          ...(rotation.lastRotatedAt === undefined || !rotation.enabled
            ? {}
            : { LastRotatedDate: new Date(rotation.lastRotatedAt) }),
          ...(rotation.nextBy === undefined ? {} : { NextRotationDate: new Date(rotation.nextBy) }),
        }),
    LastChangedDate: new Date(secret.changedAt),
    ...(secret.accessedAt === undefined ? {} : { LastAccessedDate: new Date(secret.accessedAt) }),
    ...(secret.deletion === undefined ? {} : { DeletedDate: new Date(secret.deletion.at) }),
    ...(secret.tags === undefined ? {} : { Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })) }),
    CreatedDate: new Date(secret.createdAt),
    ...(secret.replicas.size === 0 && secret.primaryRegion === undefined
      ? {}
      : { PrimaryRegion: secret.primaryRegion ?? secret.arn.split(':')[3] }),
  };
}

function stagesOf(secret: Secret): Readonly<Record<string, readonly string[]>> | undefined {
  const stages = [...secret.labels.keys()]
    .map((versionId) => [versionId, labelsOf(secret.labels, versionId)] as const)
    .filter(([, labels]) => labels.length > 0);
  return stages.length === 0 ? undefined : Object.fromEntries(stages);
}

function describeVersion(secret: Secret, version: Version): object {
  const labels = labelsOf(secret.labels, version.id);
  return {
    VersionId: version.id,
    ...(labels.length === 0 ? {} : { VersionStages: labels }),
    ...(version.accessedAt === undefined ? {} : { LastAccessedDate: new Date(version.accessedAt) }),
    CreatedDate: new Date(version.createdAt),
    KmsKeyIds: [secret.kmsKeyId ?? 'DefaultEncryptionKey'],
  };
}

/** AWS keeps of an access only the day. */
function startOfDay(time: number): number {
  const day = 24 * 60 * 60 * 1000;
  return Math.floor(time / day) * day;
}
