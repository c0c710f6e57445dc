import * as z from 'zod/mini';
import type { Progress } from '../adapter';
import type { KubernetesSettings } from './definition';
import { RolloutPartitioned, UpdatesOnDelete, WorkloadPaused } from './errors';
import { annotationsOf, isMarked, isOfVersion, type Marks } from './marks';

const count = z.nullish(z.int());
const annotations = z.nullish(z.record(z.string(), z.string()));

const condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: z.nullish(z.string()),
  message: z.nullish(z.string()),
});

/** A Deployment, a StatefulSet or a DaemonSet of `apps/v1`, as far as a roll-out shows in it. */
export const workloadShape = z.object({
  metadata: z.object({ generation: z.int(), annotations }),
  spec: z.object({
    replicas: count,
    paused: z.nullish(z.boolean()),
    updateStrategy: z.nullish(
      z.object({
        type: z.nullish(z.string()),
        rollingUpdate: z.nullish(z.object({ partition: count })),
      }),
    ),
    template: z.object({
      metadata: z.nullish(z.object({ annotations })),
      spec: z.nullish(z.object({ terminationGracePeriodSeconds: count })),
    }),
  }),
  status: z.nullish(
    z.object({
      observedGeneration: count,
      replicas: count,
      updatedReplicas: count,
      readyReplicas: count,
      availableReplicas: count,
      terminatingReplicas: count,
      currentRevision: z.nullish(z.string()),
      updateRevision: z.nullish(z.string()),
      desiredNumberScheduled: count,
      updatedNumberScheduled: count,
      numberAvailable: count,
      conditions: z.nullish(z.array(condition)),
    }),
  ),
});

/** What is read of a workload. */
export type Workload = z.output<typeof workloadShape>;

type Kind = KubernetesSettings['kind'];

/** Whether a workload's pods are, or become, those of a version, brought by this rotation. */
export function isRolledOut({ spec }: Workload, marks: Marks): boolean {
  return isMarked(spec.template.metadata?.annotations, marks);
}

/** The change that makes a workload replace its pods, as `kubectl rollout restart` does it; the same for every repeat. */
export function restartPatch(marks: Marks): object {
  return { spec: { template: { metadata: { annotations: annotationsOf(marks) } } } };
}

/** Refuses a workload whose pods a change of its template does not replace, or not all of them. */
export function checkReplaces(workload: Workload, what: string): void {
  const { paused, updateStrategy } = workload.spec;
  if (paused === true) throw new WorkloadPaused(`${what} is paused`);
  if (updateStrategy?.type === 'OnDelete')
    throw new UpdatesOnDelete(`${what} has the update strategy OnDelete`);
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) throw new RolloutPartitioned(`${what} has a partition of ${partition}`);
}

/**
 * How far a workload is with a version, by the rules of `kubectl rollout status`: `done` says nothing about old pods that
 * still shut down. Refused where the template has another version of the same secret: somebody has taken the roll-out back.
 */
export function progressOf(kind: Kind, workload: Workload, marks: Marks, what: string): Progress {
  if (!isOfVersion(workload.spec.template.metadata?.annotations, marks))
    return {
      state: 'refused',
      reason: `RolloutReplaced: the template of ${what} is not of version ${marks.versionId}`,
    };
  checkReplaces(workload, what);
  // The controller has not looked yet, so what the status says is of before.
  if ((workload.status?.observedGeneration ?? 0) < workload.metadata.generation) return { state: 'working' };
  switch (kind) {
    case 'Deployment':
      return deploymentProgress(workload, what);
    case 'StatefulSet':
      return statefulSetProgress(workload);
    case 'DaemonSet':
      return daemonSetProgress(workload);
  }
}

function deploymentProgress({ spec, status }: Workload, what: string): Progress {
  const conditions = status?.conditions ?? [];
  const late = conditions.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  if (late !== undefined) {
    // Says that no pod could be made, because of a quota for instance. Its message is what an admission webhook or a policy
    // has said, which may quote the pod with its environment; the reason is one word.
    const failure = conditions.find(
      ({ type, status: state }) => type === 'ReplicaFailure' && state === 'True',
    );
    const word = /^[A-Za-z]+$/.exec(failure?.reason ?? '')?.[0];
    const told = failure === undefined ? '' : ` ReplicaFailure: ${word ?? 'without a reason'}`;
    return { state: 'refused', reason: `ProgressDeadlineExceeded: ${late.message || what}${told}` };
  }
  const wanted = spec.replicas ?? 1;
  const updated = status?.updatedReplicas ?? 0;
  return ended(
    updated >= wanted && (status?.replicas ?? 0) <= updated && (status?.availableReplicas ?? 0) >= updated,
  );
}

function statefulSetProgress({ spec, status }: Workload): Progress {
  const wanted = spec.replicas ?? 1;
  return ended(
    (status?.readyReplicas ?? 0) >= wanted &&
      (status?.updatedReplicas ?? 0) >= wanted &&
      // Ready for minReadySeconds; clusters before 1.22 do not count them.
      (status?.availableReplicas ?? wanted) >= wanted &&
      status?.updateRevision === status?.currentRevision,
  );
}

function daemonSetProgress({ status }: Workload): Progress {
  const wanted = status?.desiredNumberScheduled ?? 0;
  return ended((status?.updatedNumberScheduled ?? 0) >= wanted && (status?.numberAvailable ?? 0) >= wanted);
}

function ended(isSteady: boolean): Progress {
  return { state: isSteady ? 'done' : 'working' };
}
