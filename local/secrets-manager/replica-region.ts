import { ServiceError, type Call } from '../kernel/service';
import { useKey, type Context } from './context';
import type { Secret } from './secret';

/** The Secrets Manager of another region of the account, as replication reaches it. */
export interface ReplicaRegion {
  /** Takes a copy of a primary in place of the one before; answers why it cannot, in a status's words. */
  accept(copy: Secret, overwrite: boolean, call: Call): string | undefined;
  /** Removes a replica; one that was promoted or is not there stays as it is. */
  remove(arn: string, primaryRegion: string): void;
}

/** Lets secrets of other regions be replicated into this one. */
export function replicaRegion(context: Context): ReplicaRegion {
  const { store, surroundings } = context;
  return {
    accept(copy, overwrite, call) {
      const existing = store.find(copy.name);
      const isReplica = existing?.arn === copy.arn && existing.primaryRegion === copy.primaryRegion;
      if (existing !== undefined && !isReplica) {
        if (!overwrite)
          return `Replication failed: Secret name ${copy.name} already exists in region ${surroundings.region}.`;
        store.remove(existing);
      }
      if (!isReplica) {
        try {
          useKey(context, call, copy, 'kms:GenerateDataKey');
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          return `Replication failed: ${error.message}`;
        }
      }
      store.putReplica(copy, isReplica ? existing.accessedAt : undefined);
      return undefined;
    },
    remove(arn, primaryRegion) {
      const existing = store.find(arn);
      if (existing?.primaryRegion === primaryRegion) store.remove(existing);
    },
  };
}
