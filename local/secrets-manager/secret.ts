import type { Call } from '../kernel/service';
import type { Labels } from './labels';
import type { RotationRules } from './schedule';

/** A value as it was written; binary values are the base64 text of the wire. */
export type SecretValue =
  | { readonly SecretString: string; readonly SecretBinary?: never }
  | { readonly SecretBinary: string; readonly SecretString?: never };

/** One version of a secret. */
export interface Version {
  readonly id: string;
  /** Milliseconds since the epoch, as all times here. */
  createdAt: number;
  accessedAt: number | undefined;
  /** Absent from the moment a rotation names the version until the value is written. */
  value: SecretValue | undefined;
  /** ARN of the role or user that wrote the value. */
  writtenBy: string | undefined;
  /** Whether the write carried a RotationToken of the rotation that the version belongs to. */
  carriedToken: boolean;
}

/** How a secret is rotated. */
export interface Rotation {
  lambdaArn: string;
  rules: RotationRules | undefined;
  enabled: boolean;
  lastRotatedAt: number | undefined;
  /** Start of the next window; undefined without a schedule. */
  nextAt: number | undefined;
  /** Last moment at which the next rotation begins. */
  nextBy: number | undefined;
}

/** A copy of a secret in another region, as its primary knows it. */
export interface Replica {
  readonly region: string;
  readonly kmsKeyId: string | undefined;
  /** Whether a secret of that name that is there already is replaced. */
  readonly overwrite: boolean;
  /** Who asked for it; its key must let them. */
  readonly call: Call;
  status: 'InProgress' | 'InSync' | 'Failed';
  message: string | undefined;
}

/** A secret with its versions. */
export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: number;
  description: string | undefined;
  kmsKeyId: string | undefined;
  changedAt: number;
  accessedAt: number | undefined;
  /** When DeleteSecret was called, and when the secret is gone. */
  deletion: { readonly at: number; readonly goneAt: number } | undefined;
  /** Undefined until the first tag: AWS then answers no Tags at all, and an empty list after the last is removed. */
  tags: Map<string, string> | undefined;
  policy: { readonly text: string; readonly document: object } | undefined;
  readonly versions: Map<string, Version>;
  labels: Labels;
  rotation: Rotation | undefined;
  /** By their regions. */
  readonly replicas: Map<string, Replica>;
  /** Where its primary is, if this is a replica. */
  primaryRegion: string | undefined;
}

/** AWS's quota: versions of a secret, labelled or not. */
export const maxVersions = 100;

const oneDay = 24 * 60 * 60 * 1000;

/** Ids of versions that go to make room for one more: the oldest without labels, none younger than a day. */
export function versionsToPrune(secret: Pick<Secret, 'versions' | 'labels'>, now: number): readonly string[] {
  const excess = secret.versions.size + 1 - maxVersions;
  if (excess <= 0) return [];
  return [...secret.versions.values()]
    .filter((version) => (secret.labels.get(version.id)?.size ?? 0) === 0 && now - version.createdAt > oneDay)
    .sort((a, b) => a.createdAt - b.createdAt)
    .slice(0, excess)
    .map((version) => version.id);
}
