import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../kernel/clock';
import type { Deployment, EcsService, StartTask, Task, TaskDefinition, TaskTiming } from './model';

/** First and longest pause after a task that failed; each failure doubles it (AWS: "Amazon ECS service throttle logic"). */
const firstPauseMs = 10_000;
const longestPauseMs = 900_000;

/**
 * Amazon ECS's scheduler: keeps as many tasks as a service shall have, and replaces those of older deployments.
 *
 * New tasks are started up to maximumPercent, old ones are stopped down to minimumHealthyPercent. A deployment is
 * COMPLETED when it has all its tasks and those of the others are stopped or being stopped. Everything happens on the
 * cloud's clock, nothing at once.
 */
export class Scheduler {
  private readonly timers = new Set<Timer>();
  private stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly startTask: StartTask,
    private readonly timing: TaskTiming,
  ) {}

  /** Begins a deployment, which is PRIMARY from now on, and returns before any task has started. */
  deploy(service: EcsService, taskDefinition: TaskDefinition, reason?: string): Deployment {
    const now = this.clock.now();
    const id = deploymentId();
    const deployment: Deployment = {
      id,
      taskDefinition,
      createdAt: now,
      updatedAt: now,
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: reason ?? `ECS deployment ${id} in progress.`,
      failedTasks: 0,
      hasRun: false,
      startsAgainAt: now,
    };
    service.deployments = [deployment, ...service.deployments];
    this.later(0, service);
    return deployment;
  }

  /** Takes up a change of the service, such as another desired count. */
  later(delayMs: number, service: EcsService): void {
    this.after(delayMs, () => this.reconcile(service));
  }

  /** Ends every wait. */
  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) timer.cancel();
    this.timers.clear();
  }

  private after(delayMs: number, run: () => void): void {
    if (this.stopped) return;
    const timer = this.clock.after(delayMs, () => {
      this.timers.delete(timer);
      run();
    });
    this.timers.add(timer);
  }

  private reconcile(service: EcsService): void {
    const [primary] = service.deployments;
    if (primary === undefined) return;
    this.startMissing(service, primary);
    this.stopSurplus(service, primary);
    const staying = service.tasks.filter(({ state }) => state !== 'STOPPING');
    service.deployments = service.deployments.filter(
      (deployment) =>
        deployment === primary ||
        staying.some((task) => task.deployment === deployment) ||
        // What was rolled back is shown until that is over.
        (deployment.rolloutState === 'FAILED' && primary.rolloutState === 'IN_PROGRESS'),
    );
    const own = staying.filter(({ deployment }) => deployment === primary);
    const isSteady =
      own.length === service.desiredCount &&
      own.length === staying.length &&
      // Also where a deployment has taken its tasks over, and none has to be started.
      this.clock.now() - primary.createdAt >= this.timing.startMs &&
      own.every(({ state }) => state === 'RUNNING');
    if (isSteady && primary.rolloutState === 'IN_PROGRESS') {
      this.enter(primary, 'COMPLETED', `ECS deployment ${primary.id} completed.`);
      service.lastCompleted = primary;
      this.later(0, service);
    }
  }

  private startMissing(service: EcsService, primary: Deployment): void {
    if (primary.rolloutState === 'FAILED') return;
    const upper = Math.floor((service.desiredCount * service.configuration.maximumPercent) / 100);
    const waitMs = primary.startsAgainAt - this.clock.now();
    const counted = () => service.tasks.filter(({ state }) => state !== 'STOPPING');
    const isMissing = () =>
      counted().filter(({ deployment }) => deployment === primary).length < service.desiredCount &&
      counted().length < upper;
    if (!isMissing()) return;
    if (waitMs > 0) {
      this.later(waitMs, service);
      return;
    }
    while (isMissing()) this.start(service, primary);
  }

  private start(service: EcsService, deployment: Deployment): void {
    const task: Task = { id: randomUUID().replaceAll('-', ''), state: 'PENDING', deployment };
    service.tasks = [...service.tasks, task];
    this.after(this.timing.startMs, () => {
      const starting = {
        serviceArn: service.arn,
        taskId: task.id,
        deploymentId: deployment.id,
        containers: deployment.taskDefinition.containers,
      };
      void Promise.resolve(starting)
        .then(this.startTask)
        .catch(() => false)
        .then((isUp) => (this.stopped ? undefined : this.started(service, task, isUp)));
    });
  }

  private started(service: EcsService, task: Task, isUp: boolean): void {
    const { deployment } = task;
    // Stopped while it was starting.
    if (!service.tasks.includes(task)) return;
    if (isUp) {
      task.state = 'RUNNING';
      deployment.hasRun = true;
      deployment.failedTasks = 0;
    } else {
      service.tasks = service.tasks.filter((other) => other !== task);
      this.failed(service, deployment);
    }
    this.reconcile(service);
  }

  private failed(service: EcsService, deployment: Deployment): void {
    if (deployment.hasRun) return;
    deployment.failedTasks++;
    deployment.updatedAt = this.clock.now();
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (deployment.failedTasks - 1));
    deployment.startsAgainAt = this.clock.now() + pauseMs;
    const { enable, rollback } = service.configuration.circuitBreaker;
    if (!enable || deployment.rolloutState !== 'IN_PROGRESS') return;
    // AWS: "How the Amazon ECS deployment circuit breaker detects failures": half of the desired count, from 3 to 200.
    const threshold = Math.max(3, Math.min(200, Math.ceil(service.desiredCount * 0.5)));
    if (deployment.failedTasks < threshold) return;
    this.enter(deployment, 'FAILED', 'ECS deployment circuit breaker: tasks failed to start.');
    const last = service.lastCompleted;
    if (!rollback || last === undefined || deployment !== service.deployments[0]) return;
    const back = this.deploy(
      service,
      last.taskDefinition,
      `ECS deployment circuit breaker: rolling back to deploymentId ${last.id}.`,
    );
    for (const task of service.tasks) if (task.deployment === last) task.deployment = back;
    this.later(this.timing.startMs, service);
  }

  private stopSurplus(service: EcsService, primary: Deployment): void {
    const lower = Math.ceil((service.desiredCount * service.configuration.minimumHealthyPercent) / 100);
    const running = () => service.tasks.filter(({ state }) => state === 'RUNNING').length;
    const own = service.tasks.filter(
      ({ deployment, state }) => deployment === primary && state !== 'STOPPING',
    );
    const surplus = own.slice(service.desiredCount);
    for (const task of service.tasks) {
      if (task.state === 'STOPPING' || (task.deployment === primary && !surplus.includes(task))) continue;
      if (task.state === 'RUNNING' && running() <= lower) continue;
      task.state = 'STOPPING';
      this.after(this.timing.stopMs, () => {
        service.tasks = service.tasks.filter((other) => other !== task);
        this.reconcile(service);
      });
    }
  }

  private enter(deployment: Deployment, state: Deployment['rolloutState'], reason: string): void {
    deployment.rolloutState = state;
    deployment.rolloutStateReason = reason;
    deployment.updatedAt = this.clock.now();
  }
}

/** Ids of deployments are `ecs-svc/` and 19 digits. */
function deploymentId(): string {
  const digits = BigInt(`0x${randomUUID().replaceAll('-', '').slice(0, 16)}`).toString();
  return `ecs-svc/${digits.padStart(19, '0').slice(0, 19)}`;
}
