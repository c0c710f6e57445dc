import * as z from 'zod/mini';
import { isNamed } from '../aws/named';
import { secretsManager, type Secrets } from '../aws/secrets';
import { versionWith } from '../domain/labels';
import { task } from './task';

/** The words of AWS that go into state and alert; there may be a region in every line of them. */
const longestMessage = 256;

const input = z.object({
  secretArn: z.string(),
  /** The version that AWSCURRENT names in the secret's own region. */
  versionId: z.string(),
  /** Regions that are not known to serve it yet. */
  regions: z.array(z.string()),
});

const secrets = secretsManager('rotor-waiting');
const elsewhere = new Map<string, Secrets>();

/** What is known of a secret's replicas. */
export interface ReplicasSeen {
  /** Regions that do not serve the version yet. */
  readonly waiting: readonly string[];
  /** Those of them whose replication failed, with AWS's reason. */
  readonly failed: readonly { readonly region: string; readonly message: string }[];
}

/**
 * Says which regions do not serve a version as AWSCURRENT yet. Reads labels alone, and no value.
 *
 * A region serves it when the replica there has the label on it and the primary's region calls that replica InSync. AWS
 * does not say whether labels and values arrive at one moment, so neither is taken alone. A region that does not answer,
 * or does not know the secret, does not serve it either.
 */
export const handler = task(
  'replicas',
  input,
  async ({ secretArn, versionId, regions }): Promise<ReplicasSeen> => {
    const [{ replicas = [] }, ...served] = await Promise.all([
      secrets.describe(secretArn),
      ...regions.map((region) => serves(region, secretArn, versionId)),
    ]);
    const statuses = new Map(replicas.map((replica) => [replica.region, replica]));
    // A region that the secret is no longer replicated to has nobody who would read there.
    const asked = regions.flatMap((region, index) => {
      const replica = statuses.get(region);
      return replica === undefined ? [] : [{ ...replica, hasLabel: served[index] === true }];
    });
    const waiting = asked.filter(({ status, hasLabel }) => status !== 'InSync' || !hasLabel);
    return {
      waiting: waiting.map(({ region }) => region),
      failed: waiting
        .filter(({ status }) => status === 'Failed')
        .map(({ region, message }) => ({ region, message: message.slice(0, longestMessage) })),
    };
  },
);

async function serves(region: string, secretArn: string, versionId: string): Promise<boolean> {
  const there = elsewhere.get(region) ?? secretsManager('rotor-waiting', region);
  elsewhere.set(region, there);
  try {
    // A replica has its primary's ARN but for the region (AWS: Secrets Manager, "Replicate secrets across Regions").
    const { labels } = await there.describe(secretArn.split(':').with(3, region).join(':'));
    return versionWith(labels, 'AWSCURRENT') === versionId;
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException') || isUnanswered(error)) return false;
    throw error;
  }
}

/** No answer, or one that says that the service is unwell; a refusal is an answer. */
function isUnanswered(error: unknown): boolean {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    // Node's own: ECONNREFUSED, ENOTFOUND and the like.
    return /^E[A-Z_]+$/.test(error.code);
  return isNamed(error, 'TimeoutError', 'InternalServiceError', 'ServiceUnavailable');
}
