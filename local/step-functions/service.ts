import type { Clock } from '../kernel/clock';
import type { Service, Surroundings } from '../kernel/service';
import { CloudTaskPort } from './cloud-task-port';
import { executionOperations } from './execution-operations';
import { Expressions } from './expression';
import { Launcher } from './launch';
import { machineOperations } from './machine-operations';
import { mapRunOperations } from './map-run-operations';
import type { Records } from './records';
import type { AssumeRole } from './service-role';
import type { StatusEvent } from './status-event';
import type { ExecutionObserver, TaskPort } from './task-port';
import { TaskTokens } from './task-tokens';
import { tokenOperations } from './token-operations';

/** What may be injected into Step Functions. */
export interface StepFunctionsOptions {
  /** Puts a status event on the default bus; must not throw. */
  readonly publishStatus?: (event: StatusEvent) => void;
  readonly observer?: ExecutionObserver;
  /** How the machines' roles are assumed; without it, every role is taken to trust Step Functions. */
  readonly assumeRole?: AssumeRole;
  /** Instead of the other services of the embedded cloud. */
  readonly port?: TaskPort;
  /**
   * For TimeoutSeconds of tasks without a token; the cloud's clock unless given. Functions and databases do not get
   * faster where the clock is scaled, so that a task of a second would run out of an hour.
   */
  readonly taskClock?: Clock;
  /** For jitter and $random: a number of [0, 1). */
  readonly random?: () => number;
}

/** Step Functions, and a way to end it. */
export interface StepFunctions extends Service {
  /** Aborts what still runs, and resolves when it has come to rest. */
  close(): Promise<void>;
}

/** Builds the `sfn` service. */
export function createStepFunctions(
  surroundings: Surroundings,
  options: StepFunctionsOptions = {},
): StepFunctions {
  const { clock } = surroundings;
  const records: Records = { machines: new Map(), executions: new Map(), mapRuns: new Map() };
  const tokens = new TaskTokens();
  const random = options.random ?? Math.random;
  const launcher = new Launcher(surroundings, records, {
    expressions: new Expressions(random, () => clock.now()),
    observer: options.observer ?? {},
    port: options.port ?? new CloudTaskPort(surroundings, options.assumeRole),
    random,
    taskClock: options.taskClock ?? clock,
    tokens,
    publish: options.publishStatus ?? (() => undefined),
    assumeRole: options.assumeRole,
  });

  return {
    id: 'sfn',
    operations: {
      ...machineOperations(surroundings, records, options.assumeRole),
      ...executionOperations(surroundings, records, launcher.begin.bind(launcher)),
      ...mapRunOperations(surroundings, records),
      ...tokenOperations(surroundings, tokens),
    },
    close: async () => {
      const executions = [...records.executions.values()];
      for (const { execution } of executions)
        execution.stop('EmbeddedCloudClosed', 'the embedded cloud was closed');
      await Promise.all(executions.map(({ done }) => done));
    },
  };
}
