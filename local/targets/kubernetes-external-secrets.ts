import { createHash } from 'node:crypto';
import { type KubernetesObject, objectIn, type ObjectStore } from './kubernetes-objects';

/** What the operator works with. */
export interface OperatorWorld {
  readonly store: ObjectStore;
  /** The value that the provider hands out; undefined where it hands out none. */
  fetch(): string | undefined;
  /** Copies a value into the cluster. */
  copy(value: string): void;
}

interface Fetch {
  readonly mark: string;
  readonly value: string | undefined;
  readonly beganAt: number;
}

/**
 * Plays the External Secrets Operator, a move at a time: one move fetches, the next one copies and writes the status, so that
 * an object can change in between.
 *
 * It fetches where generation, labels or annotations have changed since the last success, unless the policy is CreatedOnce or
 * the interval zero. It does not fetch by the clock, so that a test sees only what it asked for.
 */
export class ExternalSecretsOperator {
  private readonly underWay = new Map<string, Fetch>();
  /** Attempts that failed in a row, and when the next one may begin. */
  private readonly failures = new Map<string, { readonly count: number; readonly notBefore: number }>();

  constructor(private readonly world: OperatorWorld) {}

  /** One move, at a time in seconds. */
  move(now: number): void {
    for (const object of this.world.store.all()) {
      if (object.kind !== 'ExternalSecret') continue;
      const { name } = object.metadata;
      const fetch = this.underWay.get(name);
      if (fetch !== undefined) {
        this.underWay.delete(name);
        this.finish(object, fetch, now);
      } else if (wantsFetch(object) && now >= (this.failures.get(name)?.notBefore ?? 0)) {
        this.underWay.set(name, { mark: markOf(object), value: this.world.fetch(), beganAt: now });
      }
    }
  }

  private finish(object: KubernetesObject, { mark, value, beganAt }: Fetch, now: number): void {
    const { name } = object.metadata;
    if (value === undefined) {
      const count = (this.failures.get(name)?.count ?? 0) + 1;
      this.failures.set(name, { count, notBefore: now + 2 ** Math.min(count - 1, 8) });
      const message = 'could not get secret data from provider';
      this.setReady(object, object.status, 'False', 'SecretSyncedError', message, now);
      return;
    }
    this.failures.delete(name);
    this.world.copy(value);
    const status = { ...object.status, syncedResourceVersion: mark, refreshTime: instant(beganAt) };
    this.setReady(object, status, 'True', 'SecretSynced', 'secret synced', now);
  }

  private setReady(
    object: KubernetesObject,
    status: KubernetesObject['status'],
    is: 'True' | 'False',
    reason: string,
    message: string,
    now: number,
  ): void {
    const [before] = conditionsOf(object);
    const lastTransitionTime = before?.status === is ? before.lastTransitionTime : instant(now);
    const ready = { type: 'Ready', status: is, reason, message, lastTransitionTime };
    this.world.store.setStatus(object, { ...status, conditions: [ready] });
  }
}

function conditionsOf({ status }: KubernetesObject) {
  const { conditions } = status;
  return Array.isArray(conditions)
    ? (conditions as readonly { readonly status: string; readonly lastTransitionTime: string }[])
    : [];
}

function wantsFetch(object: KubernetesObject): boolean {
  const { spec, status } = object;
  const synced = status['syncedResourceVersion'];
  if (synced === undefined) return true;
  const { refreshPolicy = 'Periodic' } = spec;
  const interval = typeof spec['refreshInterval'] === 'string' ? spec['refreshInterval'] : '1h';
  if (refreshPolicy === 'CreatedOnce') return false;
  if (refreshPolicy === 'Periodic' && !/[1-9]/.test(interval)) return false;
  return synced !== markOf(object) && objectIn(spec, 'target')['immutable'] !== true;
}

/** Of which state of the object a success is: its generation, and a digest of its annotations. */
function markOf({ metadata }: KubernetesObject): string {
  const digest = createHash('sha256').update(JSON.stringify(metadata.annotations)).digest('hex');
  return `${metadata.generation}-${digest.slice(0, 56)}`;
}

function instant(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace('.000Z', 'Z');
}
