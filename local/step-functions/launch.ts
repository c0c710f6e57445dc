import { randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { executionArn, mapRunArn, withoutLabel } from './arns';
import type { Machine } from './definition';
import { Execution } from './execution';
import { History } from './history';
import type { Json } from './json';
import type { MapRunOrder, StartMapRun } from './map-run';
import { MapRun } from './map-run';
import type { ExecutionRecord, MachineRecord, Records } from './records';
import { integrationFailure } from './service-failures';
import type { AssumeRole } from './service-role';
import { sessionOf } from './service-role';
import type { StatusEvent } from './status-event';
import { statusEvent } from './status-event';
import type { Machinery } from './visit';

/** What all executions of a service have in common. */
export interface Common extends Pick<
  Machinery,
  'expressions' | 'observer' | 'port' | 'random' | 'taskClock' | 'tokens'
> {
  readonly publish: (event: StatusEvent) => void;
  readonly assumeRole: AssumeRole | undefined;
}

/** What an execution begins with. */
interface Beginning {
  readonly name: string;
  readonly machineArn: string;
  /** The machine's name in the ARN of the execution, with the label where a Map Run started it. */
  readonly machineName: string;
  readonly machine: Machine;
  readonly definition: string;
  readonly roleArn: string;
  readonly inputText: string;
  readonly input: Json;
  readonly mapRun?: MapRun;
}

/** Begins executions, those that are asked for and the children of Map Runs, and keeps them in the records. */
export class Launcher {
  private readonly clock: Clock;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly records: Records,
    private readonly common: Common,
  ) {
    this.clock = surroundings.clock;
  }

  /** Begins an execution of a machine as it stands now. */
  begin(machine: MachineRecord, name: string, inputText: string, input: Json): ExecutionRecord {
    const { arn: machineArn, name: machineName, definition, roleArn } = machine;
    return this.launch({
      name,
      machineArn,
      machineName,
      machine: machine.machine,
      definition,
      roleArn,
      inputText,
      input,
    });
  }

  private launch({ machine, input, ...shown }: Beginning): ExecutionRecord {
    const { region } = this.surroundings;
    const { publish, assumeRole: _, ...common } = this.common;
    const { name, machineArn, machineName, roleArn, mapRun } = shown;
    const arn = executionArn(this.surroundings, machineName, name);
    const startedAt = this.clock.now();
    const execution = new Execution(
      {
        ...common,
        execution: {
          arn,
          name,
          stateMachineArn: machineArn,
          stateMachineName: machineName,
          roleArn,
          input,
          startedAt,
        },
        region,
        clock: this.clock,
        history: new History(this.clock, (event) => common.observer.onHistoryEvent?.(arn, event)),
        startMapRun: this.startMapRun,
      },
      machine,
    );
    const begun = { ...shown, mapRun, arn, startedAt: new Date(startedAt), execution };
    publish(statusEvent(begun, begun.startedAt));
    const done = execution.run().then(() => publish(statusEvent(begun, new Date(this.clock.now()))));
    const record: ExecutionRecord = { ...begun, done };
    this.records.executions.set(arn, record);
    return record;
  }

  private readonly startMapRun: StartMapRun = (order) => {
    const { stateMachineArn, stateMachineName } = order.parent;
    const machineArn = withoutLabel(stateMachineArn);
    this.admit(order.parent.roleArn, machineArn);
    const label = order.label ?? randomUUID();
    const name = withoutLabel(stateMachineName);
    const run = new MapRun(
      mapRunArn(this.surroundings, name, label, randomUUID()),
      `${machineArn}/${label}`,
      label,
      order,
      this.clock,
      (mapRun, input) => this.launch(childOf(mapRun, `${name}/${label}`, order, input)),
    );
    this.records.mapRuns.set(run.arn, run);
    return run;
  };

  /** A Map Run starts its children by the machine's own role, which must be allowed to start that machine. */
  private admit(roleArn: string, machineArn: string): void {
    const requestId = randomUUID();
    const principal = sessionOf(roleArn, this.surroundings, this.common.assumeRole);
    try {
      this.surroundings.authorize(
        { principal, requestId, userAgent: 'states.amazonaws.com', conditions: {} },
        { action: 'states:StartExecution', resource: machineArn },
      );
    } catch (error) {
      if (error instanceof ServiceError) throw integrationFailure('states', error, requestId);
      throw error;
    }
  }
}

function childOf(mapRun: MapRun, machineName: string, order: MapRunOrder, input: Json): Beginning {
  return {
    name: randomUUID(),
    machineArn: mapRun.machineArn,
    machineName,
    machine: order.processor,
    definition: JSON.stringify(order.processor),
    roleArn: order.parent.roleArn,
    inputText: JSON.stringify(input),
    input,
    mapRun,
  };
}
