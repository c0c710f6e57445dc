import type { Fault, Moment } from '../lambda/ports';
import type { ExecutionObserver } from '../step-functions/task-port';
import { workflowTasks } from './workflow-tasks';

/** A failure that is to strike the rotation, as the command line names it. */
export interface PlannedFault {
  readonly state: string;
  readonly moment: Moment;
  readonly kind: 'crash' | 'timeout' | 'error';
  /** Strikes at every attempt, not at the first alone. */
  readonly always: boolean;
  /** Name of the error that `error` raises, where it is not the rehearsal's own. */
  readonly errorName?: string;
}

/** Name of the error that a rehearsed `error` raises. No retrier knows it, so it goes straight to the state's Catch. */
export const rehearsedError = 'RehearsedFault';

/** Reads `STATE[:before|:after][:crash|:timeout|:error][:always]`; answers what is wrong as text. */
export function parseFault(text: string): PlannedFault | string {
  const [state = '', ...words] = text.split(':');
  if (!workflowTasks.some((task) => task.state === state))
    return `there is no task ${state}; there are ${workflowTasks.map((task) => task.state).join(', ')}`;
  let fault: PlannedFault = { state, moment: 'before', kind: 'error', always: false };
  for (const word of words) {
    if (word === 'before' || word === 'after') fault = { ...fault, moment: word };
    else if (word === 'crash' || word === 'timeout' || word === 'error') fault = { ...fault, kind: word };
    else if (word === 'always') fault = { ...fault, always: true };
    else return `${word} is none of before, after, crash, timeout, error, always`;
  }
  return fault;
}

/**
 * Makes planned faults strike where they are meant to.
 *
 * Tasks that invoke a function are struck inside Lambda, so that a crash and a timeout really end the worker. Tasks that
 * call another service are struck at the service: before the call is made, or after it, when its answer gets lost.
 */
export class FaultPlan implements ExecutionObserver {
  private faults: readonly PlannedFault[] = [];
  private readonly struck = new Map<PlannedFault, number>();
  private armed: PlannedFault | undefined;

  constructor(...faults: readonly PlannedFault[]) {
    this.plan(faults);
  }

  /** Replaces what is planned, for the next rotation. */
  plan(faults: readonly PlannedFault[]): void {
    this.faults = faults;
    this.struck.clear();
    this.armed = undefined;
  }

  /** How often a planned fault has struck. */
  strikes(fault: PlannedFault): number {
    return this.struck.get(fault) ?? 0;
  }

  async beforeTask(stateName: string): Promise<void> {
    this.armed = this.faults.find(
      (fault) => fault.state === stateName && (fault.always || this.strikes(fault) === 0),
    );
    if (this.armed?.moment === 'before') this.strikeService(this.armed);
  }

  async afterTask(): Promise<void> {
    if (this.armed?.moment === 'after') this.strikeService(this.armed);
  }

  /** Asked by Lambda around every invocation. */
  interfere(functionName: string, event: unknown, moment: Moment): Fault | undefined {
    const fault = this.armed;
    if (fault?.moment !== moment) return undefined;
    // Secrets Manager invokes the rotation function too; only the workflow's own request carries a task.
    const wanted = functionOf(fault.state);
    const isStep = typeof event === 'object' && event !== null && 'Step' in event;
    if (wanted === undefined || !functionName.endsWith(wanted) || isStep) return undefined;
    this.count(fault);
    return fault.kind === 'error'
      ? { kind: 'error', errorType: fault.errorName ?? rehearsedError, errorMessage: causeOf(fault) }
      : { kind: fault.kind };
  }

  private strikeService(fault: PlannedFault): void {
    if (functionOf(fault.state) !== undefined) return;
    this.count(fault);
    const error = {
      crash: 'EventBridge.InternalException',
      timeout: 'States.Timeout',
      error: fault.errorName ?? rehearsedError,
    }[fault.kind];
    throw Object.assign(new Error(error), { error, cause: causeOf(fault) });
  }

  private count(fault: PlannedFault): void {
    this.struck.set(fault, this.strikes(fault) + 1);
    this.armed = undefined;
  }
}

function functionOf(stateName: string): string | undefined {
  return workflowTasks.find((task) => task.state === stateName)?.functionName;
}

function causeOf({ state, moment }: PlannedFault): string {
  return `rehearsed at ${state}, ${moment} its effect`;
}
