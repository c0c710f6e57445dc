import type { Clock } from '../kernel/clock';
import { StateFailure } from './failure';

/** The state types that can be broken off, and so have an event that says so. */
export type AbortableType = 'Map' | 'Parallel' | 'Task' | 'Wait';

/** The event types of AWS that this implementation records. */
export type HistoryEventType =
  | `Execution${'Aborted' | 'Failed' | 'Started' | 'Succeeded' | 'TimedOut'}`
  | `${'Choice' | 'Fail' | 'Map' | 'Parallel' | 'Pass' | 'Succeed' | 'Task' | 'Wait'}State${'Entered' | 'Exited'}`
  | `${AbortableType}StateAborted`
  | `${'Map' | 'Parallel'}State${'Failed' | 'Started' | 'Succeeded'}`
  | `MapRun${'Aborted' | 'Failed' | 'Started' | 'Succeeded'}`
  | `MapIteration${'Aborted' | 'Failed' | 'Started' | 'Succeeded'}`
  | `Task${'Failed' | 'Scheduled' | 'Started' | 'Submitted' | 'SubmitFailed' | 'Succeeded' | 'TimedOut'}`
  | `LambdaFunction${'Failed' | 'Scheduled' | 'Started' | 'Succeeded' | 'TimedOut'}`
  | 'EvaluationFailed';

/** Details of one event, under the key that AWS gives them. */
export interface EventDetails {
  readonly [key: `${string}EventDetails`]: Readonly<Record<string, unknown>>;
}

/** One event of an execution's history, as GetExecutionHistory answers it. */
export interface HistoryEvent extends EventDetails {
  readonly timestamp: Date;
  readonly type: HistoryEventType;
  readonly id: number;
  readonly previousEventId: number;
}

/** The thread of events that one branch leaves: it knows which event comes before the next. */
export class Trail {
  constructor(public last = 0) {}

  /** A thread that starts where this one is. */
  fork(): Trail {
    return new Trail(this.last);
  }
}

/** An execution ends when its history is full. */
export const historyLimit = 25_000;

/** Numbers and keeps the events of one execution. */
export class History {
  private readonly recorded: HistoryEvent[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly listen: (event: HistoryEvent) => void,
  ) {}

  get events(): readonly HistoryEvent[] {
    return this.recorded;
  }

  /** Adds an event without moving a trail; the last place is kept for the event that ends the execution. */
  note(type: HistoryEventType, previousEventId: number, details: EventDetails = {}): number {
    if (this.recorded.length >= historyLimit - 1 && !type.startsWith('Execution'))
      throw new StateFailure(
        'States.Runtime',
        `The execution reached the maximum number of history events (${historyLimit}).`,
      );
    const event: HistoryEvent = {
      timestamp: new Date(this.clock.now()),
      type,
      id: this.recorded.length + 1,
      previousEventId,
      ...details,
    };
    this.recorded.push(event);
    this.listen(event);
    return event.id;
  }

  /** Adds an event at the end of a trail. */
  record(trail: Trail, type: HistoryEventType, details: EventDetails = {}): number {
    // The first state's entry names no predecessor, although ExecutionStarted comes before it.
    const id = this.note(type, trail.last, details);
    trail.last = id;
    return id;
  }
}
