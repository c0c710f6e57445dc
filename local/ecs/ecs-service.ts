import type { Operation, Service, Surroundings } from '../kernel/service';
import { clusterOperations } from './cluster-operations';
import type { StartTask, TaskTiming } from './model';
import { Scheduler } from './scheduler';
import { serviceOperations } from './service-operations';
import { EcsStore } from './store';
import { tagOperations } from './tag-operations';

/** How the embedded Amazon ECS is started; everything has a default. */
export interface ContainersOptions {
  /** Default: every task comes up. */
  readonly startTask?: StartTask;
  readonly timing?: Partial<TaskTiming>;
}

/** The embedded Amazon ECS, which ends with `stop`. */
export interface ContainerService extends Service {
  stop(): void;
}

/** Amazon ECS of the embedded cloud: services that replace their tasks, on the cloud's clock. */
export function createContainerService(
  surroundings: Surroundings,
  { startTask = () => true, timing = {} }: ContainersOptions = {},
): ContainerService {
  const store = new EcsStore(surroundings);
  const scheduler = new Scheduler(surroundings.clock, startTask, {
    startMs: 30_000,
    stopMs: 30_000,
    ...timing,
  });
  const operations = {
    ...clusterOperations(surroundings, store),
    ...serviceOperations(surroundings, store, scheduler),
    ...tagOperations(surroundings, store),
  } satisfies Record<string, Operation>;
  return { id: 'ecs', operations, stop: () => scheduler.stop() };
}
