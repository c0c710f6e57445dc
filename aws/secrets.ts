import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  type ReplicationStatusType,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { SecretMalformed } from '../domain/errors';
import type { LabelMove, Labels } from '../domain/labels';

/** What DescribeSecret says about a secret, as far as a rotation needs it. */
export interface DescribedSecret {
  readonly arn: string;
  readonly name: string;
  readonly labels: Labels;
  /** Absent where the secret is not replicated. */
  readonly replicas?: readonly ReplicaStatus[];
}

/** How the replica in one region stands, as the primary's region knows it. */
export interface ReplicaStatus {
  readonly region: string;
  readonly status: 'InProgress' | 'InSync' | 'Failed';
  /** Why it failed, in AWS's words; empty otherwise. */
  readonly message: string;
}

/** One version's value; never to be logged. */
export interface SecretVersion {
  readonly text: string;
  readonly versionId: string;
  readonly createdAt: Date | undefined;
}

/** The calls to Secrets Manager that a rotation makes; errors are the SDK's, by AWS's names. */
export interface Secrets {
  describe(secretId: string): Promise<DescribedSecret>;
  /** Reads one version; with `stage`, only while that label is on it (else InvalidRequestException). */
  read(secretId: string, versionId?: string, stage?: string): Promise<SecretVersion>;
  /**
   * Stores the pending value under the rotation's token. The same value again is a success; another value under the
   * same token is ResourceExistsException.
   */
  putPending(secretId: string, token: string, text: string): Promise<void>;
  move(secretId: string, move: LabelMove): Promise<void>;
}

/**
 * Makes a client for Secrets Manager.
 *
 * `purpose` stands in the user agent of every call (`app/rotor-waiting`), so that CloudTrail tells the rotation
 * function's waiting from its work. With `region` it asks there, and gives up a call after five seconds: another region
 * may be down, and whoever asks asks again.
 */
export function secretsManager(purpose: 'rotor' | 'rotor-waiting' = 'rotor', region?: string): Secrets {
  const client = new SecretsManagerClient({
    userAgentAppId: purpose,
    ...(region === undefined
      ? { maxAttempts: 4 }
      : { region, maxAttempts: 2, requestHandler: { connectionTimeout: 2000, requestTimeout: 5000 } }),
  });
  return {
    async describe(secretId) {
      const answer = await client.send(new DescribeSecretCommand({ SecretId: secretId }));
      return {
        arn: answer.ARN ?? secretId,
        name: answer.Name ?? secretId,
        labels: answer.VersionIdsToStages ?? {},
        ...((answer.ReplicationStatus ?? []).length === 0
          ? {}
          : { replicas: (answer.ReplicationStatus ?? []).map(statusOf) }),
      };
    },
    async read(secretId, versionId, stage) {
      const answer = await client.send(
        new GetSecretValueCommand({
          SecretId: secretId,
          ...(versionId === undefined ? {} : { VersionId: versionId }),
          ...(stage === undefined ? {} : { VersionStage: stage }),
        }),
      );
      if (answer.SecretString === undefined)
        throw new SecretMalformed(`secret ${secretId} is binary, not text`);
      return { text: answer.SecretString, versionId: answer.VersionId ?? '', createdAt: answer.CreatedDate };
    },
    async putPending(secretId, token, text) {
      await client.send(
        new PutSecretValueCommand({
          SecretId: secretId,
          ClientRequestToken: token,
          SecretString: text,
          VersionStages: ['AWSPENDING'],
        }),
      );
    },
    async move(secretId, { stage, to, from }) {
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secretId,
          VersionStage: stage,
          ...(to === undefined ? {} : { MoveToVersionId: to }),
          ...(from === undefined ? {} : { RemoveFromVersionId: from }),
        }),
      );
    },
  };
}

function statusOf({ Region, Status, StatusMessage }: ReplicationStatusType): ReplicaStatus {
  return { region: Region ?? '', status: Status ?? 'InProgress', message: StatusMessage ?? '' };
}
