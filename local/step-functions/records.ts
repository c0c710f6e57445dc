import type { Machine } from './definition';
import type { Execution } from './execution';
import type { MapRun } from './map-run';

/** A state machine as it stands. */
export interface MachineRecord {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: Date;
  definition: string;
  machine: Machine;
  roleArn: string;
  revisionId: string;
  loggingConfiguration: object;
  tracingConfiguration: object;
  tags: Map<string, string>;
}

/** An execution, running or ended, and the machine that it runs as it was at its start. */
export interface ExecutionRecord {
  readonly arn: string;
  readonly name: string;
  readonly machineArn: string;
  readonly machineName: string;
  readonly definition: string;
  readonly roleArn: string;
  readonly inputText: string;
  readonly startedAt: Date;
  readonly execution: Execution;
  /** Of a child execution: the Map Run that started it. */
  readonly mapRun?: MapRun | undefined;
  /** Resolves when the execution has ended and its status is published. */
  readonly done: Promise<void>;
}

/** What the operations keep; nothing is ever dropped, since AWS keeps executions for 90 days. */
export interface Records {
  readonly machines: Map<string, MachineRecord>;
  readonly executions: Map<string, ExecutionRecord>;
  readonly mapRuns: Map<string, MapRun>;
}
