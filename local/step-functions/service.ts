import type { Clock } from '../kernel/clock';
import type { Service, Surroundings } from '../kernel/service';
import { executionArn } from './arns';
import type { AssumeRole } from './cloud-task-port';
import { CloudTaskPort } from './cloud-task-port';
import { Execution } from './execution';
import type { Start } from './execution-operations';
import { executionOperations } from './execution-operations';
import { Expressions } from './expression';
import { History } from './history';
import { machineOperations } from './machine-operations';
import type { ExecutionRecord, Records } from './records';
import type { StatusEvent } from './status-event';
import { statusEvent } from './status-event';
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
  const { clock, region } = surroundings;
  const records: Records = { machines: new Map(), executions: new Map() };
  const tokens = new TaskTokens();
  const random = options.random ?? Math.random;
  const expressions = new Expressions(random, () => clock.now());
  const observer = options.observer ?? {};
  const port = options.port ?? new CloudTaskPort(surroundings, options.assumeRole);
  const publish = options.publishStatus ?? (() => undefined);

  const start: Start = (machine, name, inputText, input) => {
    const arn = executionArn(surroundings, machine.name, name);
    const startedAt = clock.now();
    const execution = new Execution(
      {
        execution: {
          arn,
          name,
          stateMachineArn: machine.arn,
          stateMachineName: machine.name,
          roleArn: machine.roleArn,
          input,
          startedAt,
        },
        region,
        clock,
        taskClock: options.taskClock ?? clock,
        history: new History(clock, (event) => observer.onHistoryEvent?.(arn, event)),
        expressions,
        port,
        tokens,
        random,
        observer,
      },
      machine.machine,
    );
    const shown = {
      arn,
      machineArn: machine.arn,
      name,
      inputText,
      startedAt: new Date(startedAt),
      execution,
    };
    publish(statusEvent(shown, shown.startedAt));
    const done = execution.run().then(() => publish(statusEvent(shown, new Date(clock.now()))));
    const record: ExecutionRecord = {
      ...shown,
      machineName: machine.name,
      definition: machine.definition,
      roleArn: machine.roleArn,
      done,
    };
    records.executions.set(arn, record);
    return record;
  };

  return {
    id: 'sfn',
    operations: {
      ...machineOperations(surroundings, records, options.assumeRole),
      ...executionOperations(surroundings, records, start),
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
