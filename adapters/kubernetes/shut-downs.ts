import type { Clock } from '../../client/clock';
import type { Marks } from './marks';
import type { Workload } from './workload';

/** How long Kubernetes gives a pod to shut down whose template says nothing, in seconds. */
const usualGraceSeconds = 30;

/**
 * Waits for the pods that were replaced to be gone. A workload counts those of its pods alone that nobody has deleted, and a
 * pod that shuts down may still work with the old value.
 *
 * A Deployment counts the others too (`terminatingReplicas`, KEP-3973, by default from Kubernetes 1.35 on). Where nothing
 * counts them, they are killed when their grace period is over, which began before the workload was seen steady.
 */
export class ShutDowns {
  private steady: { readonly roll: string; readonly since: number } | undefined;

  constructor(private readonly clock: Clock) {}

  /** Makes the next steady state a new one. */
  forget(): void {
    this.steady = undefined;
  }

  /** Whether a steady workload's old pods are gone, as far as anybody can tell. */
  haveEnded({ metadata, spec, status }: Workload, { versionId, rotationId }: Marks): boolean {
    const terminating = status?.terminatingReplicas;
    if (typeof terminating === 'number') return terminating === 0;
    const now = this.clock.now();
    const roll = JSON.stringify([versionId, rotationId, metadata.generation]);
    if (this.steady?.roll !== roll) this.steady = { roll, since: now };
    const graceSeconds = spec.template.spec?.terminationGracePeriodSeconds ?? usualGraceSeconds;
    return now - this.steady.since >= graceSeconds * 1_000;
  }
}
