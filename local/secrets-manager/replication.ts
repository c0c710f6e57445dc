import type { Clock, Timer } from '../kernel/clock';
import type { Replica, Secret } from './secret';
import type { ReplicaRegion } from './replica-region';

/** How fast replicas follow, and which are held back. */
export interface ReplicationTiming {
  /** Milliseconds of the cloud's clock from a change to its replicas. AWS gives no figure. */
  readonly delayMs: number;
  /** Whether a region is reached now; where it is not, its replicas stay InProgress and are tried again. */
  readonly reaches: (region: string) => boolean;
}

export const replicationTiming: ReplicationTiming = { delayMs: 300, reaches: () => true };

/** What replication needs of its surroundings. */
export interface ReplicationOptions extends ReplicationTiming {
  readonly clock: Clock;
  readonly region: string;
  /** The Secrets Manager of another region of the account; undefined where nobody started one. */
  readonly regionAt: (region: string) => ReplicaRegion | undefined;
}

/**
 * Brings changes of primary secrets to their replicas, some time after the call that made them was answered.
 *
 * A replica: InProgress (asked for, or the primary has changed) → InSync, or Failed with a message. A Failed one is tried
 * again with the next change of its primary.
 */
export class Replication {
  private readonly timers = new Map<Replica, Timer>();

  constructor(private readonly options: ReplicationOptions) {}

  /** Whether replicas can be made in a region. */
  has(region: string): boolean {
    return region !== this.options.region && this.options.regionAt(region) !== undefined;
  }

  /** Starts to bring a primary's present state to its replicas. */
  changed(secret: Secret): void {
    for (const replica of secret.replicas.values()) {
      replica.status = 'InProgress';
      replica.message = undefined;
      this.schedule(secret, replica);
    }
  }

  /** Takes a region's replica away. */
  remove(secret: Secret, region: string): void {
    const replica = secret.replicas.get(region);
    if (replica === undefined) return;
    this.timers.get(replica)?.cancel();
    this.timers.delete(replica);
    secret.replicas.delete(region);
    this.options.regionAt(region)?.remove(arnIn(secret.arn, region), this.options.region);
  }

  stop(): void {
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
  }

  private schedule(secret: Secret, replica: Replica): void {
    if (this.timers.has(replica)) return;
    const { clock, delayMs } = this.options;
    this.timers.set(
      replica,
      clock.after(delayMs, () => {
        this.timers.delete(replica);
        this.bring(secret, replica);
      }),
    );
  }

  private bring(secret: Secret, replica: Replica): void {
    const { regionAt, reaches, region } = this.options;
    const there = reaches(replica.region) ? regionAt(replica.region) : undefined;
    if (there === undefined) {
      this.schedule(secret, replica);
      return;
    }
    replica.message = there.accept(copyFor(secret, replica, region), replica.overwrite, replica.call);
    replica.status = replica.message === undefined ? 'InSync' : 'Failed';
  }
}

/** A replica has its primary's ARN but for the region. */
function arnIn(arn: string, region: string): string {
  return arn.split(':').with(3, region).join(':');
}

function copyFor(secret: Secret, replica: Replica, primaryRegion: string): Secret {
  return {
    ...secret,
    arn: arnIn(secret.arn, replica.region),
    kmsKeyId: replica.kmsKeyId,
    accessedAt: undefined,
    tags: secret.tags === undefined ? undefined : new Map(secret.tags),
    versions: new Map(
      [...secret.versions].flatMap(([id, version]) =>
        // A version that a rotation has named and not written has nothing to be encrypted in another region.
        version.value === undefined ? [] : [[id, { ...version, accessedAt: undefined }]],
      ),
    ),
    labels: new Map([...secret.labels].filter(([id]) => secret.versions.get(id)?.value !== undefined)),
    rotation: undefined,
    replicas: new Map(),
    primaryRegion,
  };
}
