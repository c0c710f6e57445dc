import * as z from 'zod/mini';
import type { AdapterDefinition } from '../adapter';

const settings = z.strictObject({
  /** ARN of the service, with its cluster in it: `arn:aws:ecs:<region>:<account>:service/<cluster>/<service>`. */
  service: z.string().check(z.minLength(1)),
  /**
   * How many tasks of the roll-out may fail to start before the application refuses. For services whose deployment circuit
   * breaker does not decide it before.
   */
  failedTasks: z._default(z.int().check(z.gte(1), z.lte(1_000)), 5),
  /**
   * How long after the deployment was completed the last task from before is gone: the deregistration delay of the target
   * group, if there is one, and the stop timeout of the task. Absent: 60, or 360 behind a load balancer.
   */
  settleSeconds: z.optional(z.int().check(z.gte(0), z.lte(3_600))),
});

/** What the adapter for ECS services is told. */
export type EcsSettings = z.output<typeof settings>;

/** Replaces every task of an Amazon ECS service. */
export const ecsDefinition = {
  settings,
  grants: ({ service }) => [
    { actions: ['ecs:DescribeServices', 'ecs:UpdateService', 'ecs:TagResource'], resources: [service] },
  ],
  // A task takes a minute or so to start and to drain.
  lookEverySeconds: 10,
} as const satisfies AdapterDefinition<EcsSettings>;
