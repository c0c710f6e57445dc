import type { Machine } from './definition';
import { Aborted, StateFailure } from './failure';
import type { HistoryEvent } from './history';
import { Trail } from './history';
import { runMachine } from './interpreter';
import type { Json } from './json';
import { openController, startDeadline } from './limited-time';
import { Variables } from './variables';
import type { Machinery } from './visit';

type Outcome =
  | { readonly status: 'SUCCEEDED'; readonly output: Json }
  | {
      readonly status: 'FAILED' | 'TIMED_OUT' | 'ABORTED';
      readonly error: string | undefined;
      readonly cause: string | undefined;
    };

/** How an execution ended, and when. */
export type ExecutionEnd = Outcome & { readonly at: Date };

/**
 * One run of a state machine: RUNNING until it has SUCCEEDED, FAILED, TIMED_OUT (the machine's own TimeoutSeconds) or
 * been ABORTED (`stop`).
 */
export class Execution {
  private readonly abort = openController();
  private ended: ExecutionEnd | undefined;

  constructor(
    private readonly machinery: Machinery,
    private readonly machine: Machine,
  ) {}

  get status(): ExecutionEnd['status'] | 'RUNNING' {
    return this.ended?.status ?? 'RUNNING';
  }

  /** Undefined while it runs. */
  get end(): ExecutionEnd | undefined {
    return this.ended;
  }

  get events(): readonly HistoryEvent[] {
    return this.machinery.history.events;
  }

  /** Runs to the end; never rejects for anything that the machine or its tasks do. */
  async run(): Promise<void> {
    const { history, execution, clock } = this.machinery;
    const trail = new Trail();
    history.note('ExecutionStarted', 0, {
      executionStartedEventDetails: {
        input: JSON.stringify(execution.input),
        inputDetails: { truncated: false },
        roleArn: execution.roleArn,
      },
    });
    const deadline = startDeadline(clock, this.machine.TimeoutSeconds, () =>
      this.breakOff({ status: 'TIMED_OUT', error: 'States.Timeout', cause: undefined }),
    );
    try {
      const output = await runMachine(this.machinery, this.machine, execution.input, {
        trail,
        signal: this.abort.signal,
        variables: new Variables(),
      });
      this.finish({ status: 'SUCCEEDED', output });
    } catch (thrown) {
      this.finish(failed(thrown));
    } finally {
      deadline.cancel();
    }
    if (this.ended !== undefined) this.recordEnd(trail, this.ended);
  }

  /** Breaks the execution off; does nothing when it has ended. */
  stop(error: string | undefined, cause: string | undefined): void {
    this.breakOff({ status: 'ABORTED', error, cause });
  }

  // The first outcome counts.
  private finish(outcome: Outcome): void {
    this.ended ??= { ...outcome, at: new Date(this.machinery.clock.now()) };
  }

  private breakOff(outcome: Outcome): void {
    if (this.ended !== undefined) return;
    this.finish(outcome);
    this.abort.abort(new Aborted('the execution was broken off'));
  }

  private recordEnd(trail: Trail, end: ExecutionEnd): void {
    const { history } = this.machinery;
    if (end.status === 'SUCCEEDED') {
      history.record(trail, 'ExecutionSucceeded', {
        executionSucceededEventDetails: {
          output: JSON.stringify(end.output),
          outputDetails: { truncated: false },
        },
      });
      return;
    }
    const details = {
      ...(end.error === undefined ? {} : { error: end.error }),
      ...(end.cause === undefined ? {} : { cause: end.cause }),
    };
    if (end.status === 'FAILED')
      history.record(trail, 'ExecutionFailed', { executionFailedEventDetails: details });
    else if (end.status === 'ABORTED')
      history.record(trail, 'ExecutionAborted', { executionAbortedEventDetails: details });
    else history.record(trail, 'ExecutionTimedOut', { executionTimedOutEventDetails: details });
  }
}

function failed(thrown: unknown): Outcome {
  if (thrown instanceof StateFailure) return { status: 'FAILED', error: thrown.error, cause: thrown.reason };
  // A fault of this program ends the execution in the open, as AWS's own faults do.
  return {
    status: 'FAILED',
    error: 'States.Runtime',
    cause: `Internal error: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`,
  };
}
