/** A container as far as anybody here looks at it. */
export interface ContainerDefinition {
  readonly name: string;
  readonly image: string;
  /** Environment variables that the agent fills from secrets when the task starts. */
  readonly secrets: readonly { readonly name: string; readonly valueFrom: string }[];
}

/** One revision of a task definition. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly containers: readonly ContainerDefinition[];
}

/** PENDING → RUNNING → STOPPING → gone; PENDING → gone where its containers do not come up. */
export interface Task {
  readonly id: string;
  state: 'PENDING' | 'RUNNING' | 'STOPPING';
  /** Another one after Amazon ECS has rolled back: that deployment takes over the tasks of the one that it returns to. */
  deployment: Deployment;
}

/**
 * One deployment of a service: IN_PROGRESS → COMPLETED, or FAILED by the circuit breaker.
 *
 * The newest is PRIMARY, the others are ACTIVE until their last task is gone.
 */
export interface Deployment {
  readonly id: string;
  readonly taskDefinition: TaskDefinition;
  readonly createdAt: number;
  updatedAt: number;
  rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  rolloutStateReason: string;
  /** Tasks that failed one after the other; not counted any more once one has run. */
  failedTasks: number;
  hasRun: boolean;
  /** No task is started before: Amazon ECS waits longer and longer after failures. */
  startsAgainAt: number;
}

/** How a service replaces its tasks. */
export interface DeploymentConfiguration {
  readonly maximumPercent: number;
  readonly minimumHealthyPercent: number;
  readonly circuitBreaker: { readonly enable: boolean; readonly rollback: boolean };
}

/** A service with its deployments, the newest first, and all their tasks. */
export interface EcsService {
  readonly arn: string;
  readonly name: string;
  readonly clusterArn: string;
  readonly createdAt: number;
  status: 'ACTIVE' | 'INACTIVE';
  desiredCount: number;
  configuration: DeploymentConfiguration;
  deployments: readonly Deployment[];
  tasks: readonly Task[];
  /** What the circuit breaker goes back to. */
  lastCompleted: Deployment | undefined;
  readonly tags: Map<string, string>;
}

/** What is told of a task that starts. */
export interface StartingTask {
  readonly serviceArn: string;
  readonly taskId: string;
  readonly deploymentId: string;
  readonly containers: readonly ContainerDefinition[];
}

/** Runs a task's containers in place of an agent: whether they come up and are healthy. */
export type StartTask = (task: StartingTask) => boolean | Promise<boolean>;

/** How long tasks take, in milliseconds of the cloud's clock. */
export interface TaskTiming {
  readonly startMs: number;
  readonly stopMs: number;
}
