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
 * Makes one planned fault strike where it is meant to.
 *
 * Tasks that invoke a function are struck inside Lambda, so that a crash and a timeout really end the worker. Tasks that
 * call another service are struck at the service: before the call is made, or after it, when its answer gets lost.
 */
export class FaultPlan implements ExecutionObserver {
  private struck = 0;
  private armed = false;

  constructor(private readonly fault: PlannedFault | undefined) {}

  /** How often it has struck. */
  get strikes(): number {
    return this.struck;
  }

  async beforeTask(stateName: string): Promise<void> {
    this.armed = this.isDue(stateName);
    if (this.armed && this.functionOf(stateName) === undefined && this.fault?.moment === 'before') this.strikeService();
  }

  async afterTask(stateName: string): Promise<void> {
    if (this.armed && this.functionOf(stateName) === undefined && this.fault?.moment === 'after') this.strikeService();
  }

  /** Asked by Lambda around every invocation. */
  interfere(functionName: string, event: unknown, moment: Moment): Fault | undefined {
    const { fault } = this;
    if (!this.armed || fault === undefined || moment !== fault.moment) return undefined;
    // Secrets Manager invokes the rotation function too; only the workflow's own request carries a task.
    const wanted = this.functionOf(fault.state);
    const isStep = typeof event === 'object' && event !== null && 'Step' in event;
    if (wanted === undefined || !functionName.endsWith(wanted) || isStep) return undefined;
    this.armed = fault.always;
    this.struck += 1;
    return fault.kind === 'error'
      ? { kind: 'error', errorType: rehearsedError, errorMessage: `rehearsed at ${fault.state}, ${fault.moment} its effect` }
      : { kind: fault.kind };
  }

  private isDue(stateName: string): boolean {
    return stateName === this.fault?.state && (this.fault.always || this.struck === 0);
  }

  private functionOf(stateName: string): string | undefined {
    return workflowTasks.find((task) => task.state === stateName)?.functionName;
  }

  private strikeService(): void {
    const { fault } = this;
    if (fault === undefined) return;
    this.struck += 1;
    const error = { crash: 'EventBridge.InternalException', timeout: 'States.Timeout', error: rehearsedError }[fault.kind];
    throw Object.assign(new Error(error), { error, cause: `rehearsed at ${fault.state}, ${fault.moment} its effect` });
  }
}
