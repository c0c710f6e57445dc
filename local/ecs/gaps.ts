/** What the embedded Amazon ECS does otherwise than AWS, for docs/aws-fidelity.md. */
export const ecsGaps: readonly string[] = [
  'No container runs: whoever starts the cloud says by a function whether a task comes up, and without one each does. Execution roles, secrets of containers and networks are not looked at.',
  'Services of the deployment controller ECS with the strategy ROLLING and scheduling strategy REPLICA only; load balancers, capacity providers, alarms, task sets, deployment hooks, thresholds of the circuit breaker and Service Connect are refused.',
  'A task takes 30 s to start and 30 s to stop, unless told otherwise. After tasks that failed the next one waits 10 s, doubling to 15 minutes; AWS does not say how it grows.',
  'A deployment that Amazon ECS rolls back to takes over the tasks of the one that it returns to, as observed; AWS does not document it.',
  'DescribeServices shows no events, no service revisions and no service deployments; tasks themselves cannot be listed.',
  'Deleted services stay as INACTIVE; AWS forgets them after a while. What was written is seen at once; on AWS it may take a moment.',
  'The condition keys ecs:cluster and ecs:CreateAction are not filled; tags of services are. TagResource and ListTagsForResource take services alone.',
  'No event of a deployment is sent to EventBridge. Rate limits are not enforced.',
];
