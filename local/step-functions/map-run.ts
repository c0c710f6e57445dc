import type { Clock } from '../kernel/clock';
import type { Processor } from './definition';
import type { Json } from './json';
import type { ExecutionRecord } from './records';
import type { Machinery } from './visit';

/** What a distributed Map state has settled before its Map Run starts. */
export interface MapRunOrder {
  readonly parent: Machinery['execution'];
  readonly processor: Processor;
  readonly label: string | undefined;
  /** How many items there are. */
  readonly total: number;
  /** As the definition says; 0 is no limit of its own. */
  readonly maxConcurrency: number;
  readonly toleratedFailureCount: number | undefined;
  readonly toleratedFailurePercentage: number | undefined;
}

/** Starts a Map Run; throws StateFailure where the machine's role may not. */
export type StartMapRun = (order: MapRunOrder) => MapRun;

type Status = 'ABORTED' | 'FAILED' | 'RUNNING' | 'SUCCEEDED';

/**
 * One run of a distributed Map: its child executions, one an item, and how many of them may fail.
 *
 * RUNNING until it has SUCCEEDED, FAILED (more failures than it tolerates) or been ABORTED (with its parent).
 */
export class MapRun {
  readonly children: ExecutionRecord[] = [];
  readonly startedAt: Date;
  private ended: { readonly status: Status; readonly at: Date } | undefined;

  constructor(
    readonly arn: string,
    /** The state machine that its children run: the parent's ARN with the label. */
    readonly machineArn: string,
    readonly label: string,
    readonly order: MapRunOrder,
    private readonly clock: Clock,
    private readonly launch: (run: MapRun, input: Json) => ExecutionRecord,
  ) {
    this.startedAt = new Date(clock.now());
  }

  get status(): Status {
    return this.ended?.status ?? 'RUNNING';
  }

  /** Undefined while it runs. */
  get stoppedAt(): Date | undefined {
    return this.ended?.at;
  }

  /** Starts the child execution of one item. */
  start(input: Json): ExecutionRecord {
    const child = this.launch(this, input);
    this.children.push(child);
    return child;
  }

  /**
   * Whether more children have failed than are tolerated.
   *
   * AWS counts what failed or timed out; with both thresholds either one decides, with none no failure is tolerated.
   */
  exceedsTolerance(): boolean {
    const failed = this.count('FAILED') + this.count('TIMED_OUT');
    const { total, toleratedFailureCount: count, toleratedFailurePercentage: percentage } = this.order;
    if (count === undefined && percentage === undefined) return failed > 0;
    const byCount = count !== undefined && failed > count;
    return byCount || (percentage !== undefined && (100 * failed) / total > percentage);
  }

  end(status: Exclude<Status, 'RUNNING'>): void {
    this.ended ??= { status, at: new Date(this.clock.now()) };
  }

  /** How many children are in which state; each has one item, so that it counts items too. */
  counts(): Readonly<Record<string, number>> {
    return {
      pending: this.order.total - this.children.length,
      running: this.count('RUNNING'),
      succeeded: this.count('SUCCEEDED'),
      failed: this.count('FAILED'),
      timedOut: this.count('TIMED_OUT'),
      aborted: this.count('ABORTED'),
      total: this.order.total,
      // Recorded: the number of results, also where nothing is exported.
      resultsWritten: this.status === 'SUCCEEDED' ? this.children.length : 0,
    };
  }

  private count(status: ExecutionRecord['execution']['status']): number {
    return this.children.filter(({ execution }) => execution.status === status).length;
  }
}
