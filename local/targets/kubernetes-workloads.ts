import { type Json, type KubernetesObject, numberIn, objectIn, type ObjectStore } from './kubernetes-objects';

/** One pod. */
export interface Pod {
  readonly owner: string;
  /** Its place in a StatefulSet, or its node; in a Deployment nothing. */
  readonly ordinal: number;
  /** The template it was made from. */
  readonly revision: string;
  /** What the cluster's copy of the secret held when it started. */
  readonly secret: string;
  ready: boolean;
}

/** What the controllers work with. */
export interface WorkloadWorld {
  readonly store: ObjectStore;
  /** What the cluster's copy of the secret holds now. */
  secret(): string;
  /** Whether a pod that was started becomes ready. */
  comesUp(pod: Pod): boolean;
  /** What admission says to a new pod of an owner in place of letting it in; undefined: it comes in. */
  keepsOut(owner: string): string | undefined;
  /** How long a pod takes to shut down, in seconds; it is killed when its grace period is over. */
  shutsDownIn(): number;
  /** Whether Deployments count pods that shut down, as a feature gate of Kubernetes says. */
  countsTerminating(): boolean;
}

interface ShutDown {
  readonly pod: Pod;
  /** In seconds. */
  readonly endsAt: number;
}

/** A pod's grace period where its template has none, in seconds. */
const usualGrace = 30;

/** In how many nodes a DaemonSet's pods are. */
const nodes = 3;

/**
 * Plays the controllers of `apps/v1` and the kubelet, a move at a time: pods that were started become ready, then each
 * controller looks at its objects, replaces pods within its strategy, and writes the status. So generation runs ahead of
 * observedGeneration until the next move, and a roll-out takes several.
 *
 * Pods that were deleted shut down for a while, and count as pods no more; their successors in a StatefulSet or on a node
 * wait for that, those in a Deployment do not. A Deployment's ReplicaSets are kept by their template alone; minReadySeconds,
 * recreating and a DaemonSet's surge are not played.
 */
export class WorkloadControllers {
  private pods: Pod[] = [];
  private shutDowns: ShutDown[] = [];
  private now = 0;
  /** When a Deployment last made progress, and for which template. */
  private readonly progress = new Map<string, { readonly revision: string; readonly at: number }>();
  private readonly currentRevisions = new Map<string, string>();

  constructor(private readonly world: WorkloadWorld) {}

  /** Every pod of a workload. */
  podsOf(name: string): readonly Pod[] {
    return this.pods.filter(({ owner }) => owner === name);
  }

  /** Pods of a workload that were deleted and still shut down. */
  terminatingOf(name: string): readonly Pod[] {
    return this.shutDowns.flatMap(({ pod }) => (pod.owner === name ? [pod] : []));
  }

  /** One move, at a time in seconds. */
  move(now: number): void {
    this.now = now;
    this.shutDowns = this.shutDowns.filter(({ endsAt }) => endsAt > now);
    const started = this.pods.filter((pod) => !pod.ready && this.world.comesUp(pod));
    for (const pod of started) pod.ready = true;
    for (const object of this.world.store.all()) {
      if (object.kind === 'Deployment')
        this.deployment(
          object,
          now,
          started.some(({ owner }) => owner === object.metadata.name),
        );
      if (object.kind === 'StatefulSet') this.statefulSet(object);
      if (object.kind === 'DaemonSet') this.daemonSet(object);
    }
  }

  private deployment(object: KubernetesObject, now: number, hasStarted: boolean): void {
    const { name } = object.metadata;
    const replicas = numberIn(object.spec, 'replicas', 1);
    const revision = revisionOf(object);
    if (object.spec['paused'] === true) {
      this.status(object, { ...object.status });
      return;
    }
    const moved = this.rollDeployment(object, replicas, revision);
    const updated = this.podsOf(name).filter((pod) => pod.revision === revision);
    const available = this.podsOf(name).filter(({ ready }) => ready);
    const isComplete =
      updated.length === replicas && this.podsOf(name).length === replicas && available.length === replicas;
    const before = this.progress.get(name);
    const progressed = before?.revision !== revision || moved || hasStarted || isComplete;
    const at = progressed ? now : before.at;
    this.progress.set(name, { revision, at });
    const isLate = now - at > numberIn(object.spec, 'progressDeadlineSeconds', 600);
    this.status(object, {
      replicas: this.podsOf(name).length,
      updatedReplicas: updated.length,
      readyReplicas: available.length,
      availableReplicas: available.length,
      unavailableReplicas: Math.max(0, replicas - available.length),
      ...(this.world.countsTerminating() ? { terminatingReplicas: this.terminatingOf(name).length } : {}),
      conditions: [progressing(name, isComplete, isLate), ...this.replicaFailures(name)],
    });
  }

  /** Old pods that nobody needs go, new ones come, both within maxSurge and maxUnavailable. */
  private rollDeployment(object: KubernetesObject, replicas: number, revision: string): boolean {
    const { name } = object.metadata;
    const rolling = objectIn(objectIn(object.spec, 'strategy'), 'rollingUpdate');
    const surge = share(rolling['maxSurge'] ?? '25%', replicas, Math.ceil);
    // Both at zero would stand still; the API refuses that, and with percentages the controller lets one go.
    const unavailable = Math.max(
      share(rolling['maxUnavailable'] ?? '25%', replicas, Math.floor),
      surge === 0 ? 1 : 0,
    );
    const old = this.podsOf(name).filter((pod) => pod.revision !== revision);
    const spare = this.podsOf(name).filter(({ ready }) => ready).length - (replicas - unavailable);
    const going = [
      ...old.filter(({ ready }) => !ready),
      ...old.filter(({ ready }) => ready).slice(0, Math.max(0, spare)),
    ];
    this.remove(object, going);
    const updated = this.podsOf(name).filter((pod) => pod.revision === revision).length;
    const room = Math.min(replicas - updated, replicas + surge - this.podsOf(name).length);
    const before = this.pods.length;
    for (let made = 0; made < room; made++) this.start(name, 0, revision);
    return going.length > 0 || this.pods.length > before;
  }

  private statefulSet(object: KubernetesObject): void {
    const { name } = object.metadata;
    const replicas = numberIn(object.spec, 'replicas', 1);
    const strategy = objectIn(object.spec, 'updateStrategy');
    const revision = revisionOf(object);
    const current = this.currentRevisions.get(name) ?? revision;
    const partition = numberIn(objectIn(strategy, 'rollingUpdate'), 'partition', 0);
    for (let ordinal = 0; ordinal < replicas; ordinal++) {
      if (this.isFree(name, ordinal)) this.start(name, ordinal, ordinal >= partition ? revision : current);
    }
    // From the highest ordinal down, one at a time, and only while all others are ready.
    const next = this.podsOf(name)
      .filter((pod) => pod.revision !== revision && pod.ordinal >= partition)
      .sort((a, b) => b.ordinal - a.ordinal)[0];
    const mayReplace = strategy['type'] !== 'OnDelete' && this.areAllReady(name, replicas);
    if (next !== undefined && mayReplace) this.remove(object, [next]);
    const pods = this.podsOf(name);
    const updated = pods.filter((pod) => pod.revision === revision);
    const ready = pods.filter((pod) => pod.ready).length;
    const isComplete = updated.length === replicas && ready === replicas;
    this.currentRevisions.set(name, isComplete ? revision : current);
    this.status(object, {
      replicas: pods.length,
      updatedReplicas: updated.length,
      readyReplicas: ready,
      availableReplicas: ready,
      currentRevision: `${name}-${isComplete ? revision : current}`,
      updateRevision: `${name}-${revision}`,
    });
  }

  private daemonSet(object: KubernetesObject): void {
    const { name } = object.metadata;
    const revision = revisionOf(object);
    for (let node = 0; node < nodes; node++) {
      if (this.isFree(name, node)) this.start(name, node, revision);
    }
    const old = this.podsOf(name).find((pod) => pod.revision !== revision);
    const mayReplace =
      objectIn(object.spec, 'updateStrategy')['type'] !== 'OnDelete' && this.areAllReady(name, nodes);
    if (old !== undefined && mayReplace) this.remove(object, [old]);
    const pods = this.podsOf(name);
    this.status(object, {
      desiredNumberScheduled: nodes,
      currentNumberScheduled: pods.length,
      updatedNumberScheduled: pods.filter((pod) => pod.revision === revision).length,
      numberReady: pods.filter(({ ready }) => ready).length,
      numberAvailable: pods.filter(({ ready }) => ready).length,
      numberMisscheduled: 0,
    });
  }

  /** Whether a place of a workload has no pod, not even one that shuts down. */
  private isFree(name: string, place: number): boolean {
    return ![...this.podsOf(name), ...this.terminatingOf(name)].some(({ ordinal }) => ordinal === place);
  }

  private areAllReady(name: string, wanted: number): boolean {
    return this.podsOf(name).filter(({ ready }) => ready).length >= wanted;
  }

  /** Deletes pods: from now on they shut down, for their grace period at the most. */
  private remove({ spec }: KubernetesObject, going: readonly Pod[]): void {
    const grace = numberIn(
      objectIn(objectIn(spec, 'template'), 'spec'),
      'terminationGracePeriodSeconds',
      usualGrace,
    );
    const endsAt = this.now + Math.min(grace, this.world.shutsDownIn());
    this.pods = this.pods.filter((pod) => !going.includes(pod));
    this.shutDowns.push(...going.map((pod) => ({ pod, endsAt })));
  }

  private replicaFailures(name: string): readonly Json[] {
    const message = this.world.keepsOut(name);
    return message === undefined
      ? []
      : [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
  }

  private start(owner: string, ordinal: number, revision: string): void {
    if (this.world.keepsOut(owner) !== undefined) return;
    this.pods.push({ owner, ordinal, revision, secret: this.world.secret(), ready: false });
  }

  private status(object: KubernetesObject, status: Readonly<Record<string, Json | undefined>>): void {
    const { generation } = object.metadata;
    this.world.store.setStatus(object, { ...status, observedGeneration: generation });
  }
}

function progressing(name: string, isComplete: boolean, isLate: boolean): Json {
  const replicaSet = `ReplicaSet "${name}-7d9c4b"`;
  if (isComplete)
    return {
      type: 'Progressing',
      status: 'True',
      reason: 'NewReplicaSetAvailable',
      message: `${replicaSet} has successfully progressed.`,
    };
  if (isLate)
    return {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `${replicaSet} has timed out progressing.`,
    };
  return {
    type: 'Progressing',
    status: 'True',
    reason: 'ReplicaSetUpdated',
    message: `${replicaSet} is progressing.`,
  };
}

/** What a template is told from another by. */
function revisionOf({ spec }: KubernetesObject): string {
  return JSON.stringify(spec['template']);
}

/** A number of pods, or a percentage of those that there are to be. */
function share(value: Json, of: number, round: (exact: number) => number): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? round((parseFloat(value) / 100) * of) : 0;
}
