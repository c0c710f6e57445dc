import * as z from 'zod';
import { detailTypes, eventSchemas } from '../../domain/events';
import type { RotationEvent } from '../secrets-manager/rotation-driver';
import type { ExecutionObserver } from '../step-functions/task-port';
import type { Progress } from './progress';

const historyShape = z.looseObject({
  type: z.string(),
  stateEnteredEventDetails: z.looseObject({ name: z.string() }).optional(),
  stateExitedEventDetails: z.looseObject({ name: z.string() }).optional(),
  taskFailedEventDetails: z.looseObject({ error: z.string().optional() }).optional(),
  taskSubmitFailedEventDetails: z.looseObject({ error: z.string().optional() }).optional(),
  executionFailedEventDetails: z.looseObject({ error: z.string().optional() }).optional(),
});

/** An event on a bus, as far as it is told. */
export interface HeardEvent {
  readonly 'detail-type': string;
  readonly detail: unknown;
}

/** States whose passing nobody needs to read: they decide or wait, and what follows says how. */
const quietStates = new Set([
  'Mode',
  'NextWave',
  'Drained',
  'GoBack',
  'Reverted',
  'Rotated',
  'AskAgain',
  'Patience',
  'NotRestored',
  'Refusal',
  'Decide',
  'VerifyWithConsumers',
]);

/** Tells a rotation as it happens: state by state, consumer by consumer. */
export class Narrator implements ExecutionObserver {
  private startedAt = Date.now();
  private begun = false;
  private readonly enteredAt = new Map<string, number>();
  private readonly ended = new Map<string, () => void>();
  private readonly done = new Set<string>();

  constructor(private readonly progress: Progress) {}

  begin(heading: string): void {
    this.startedAt = Date.now();
    this.begun = true;
    this.progress.heading(heading);
  }

  /** Resolves when Secrets Manager's own side of a rotation has come to its end, or when patience ends. */
  async settled(token: string, patienceMs: number): Promise<void> {
    if (this.done.has(token)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patienceMs);
      this.ended.set(token, () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  onHistoryEvent(executionArn: string, event: object): void {
    const read = historyShape.safeParse(event);
    if (!read.success) return;
    const entered = read.data.stateEnteredEventDetails?.name;
    const exited = read.data.stateExitedEventDetails?.name;
    if (entered !== undefined) {
      this.enteredAt.set(entered, Date.now());
      if (entered === 'WhatIsTrue') this.tell('Step Functions', 'what is true?', 'bad');
    }
    if (exited !== undefined && exited !== 'Ask' && !quietStates.has(exited)) {
      const ms = Date.now() - (this.enteredAt.get(exited) ?? Date.now());
      this.tell('Step Functions', `${exited} (${ms} ms)`);
    }
    if (read.data.type === 'TaskFailed' || read.data.type === 'TaskSubmitFailed') {
      const { taskFailedEventDetails: failed, taskSubmitFailedEventDetails: notSubmitted } = read.data;
      const error = failed?.error ?? notSubmitted?.error ?? 'it does not say why';
      this.tell('Step Functions', `a task failed: ${error}`, 'bad');
    }
    if (read.data.type === 'TaskTimedOut') this.tell('Step Functions', 'a task timed out', 'bad');
    // Child executions of a distributed Map end by the hundred; the Map is told when it is left.
    if (isChild(executionArn)) return;
    if (read.data.type === 'ExecutionSucceeded') this.tell('Step Functions', 'succeeded', 'good');
    if (read.data.type === 'ExecutionFailed')
      this.tell(
        'Step Functions',
        `ended as ${read.data.executionFailedEventDetails?.error ?? 'failed'}`,
        'bad',
      );
  }

  onRotation(event: RotationEvent): void {
    if (event.kind === 'step-ended') this.tell('Secrets Manager', `${event.step} answered`, 'quiet');
    if (event.kind === 'step-failed')
      this.tell('Secrets Manager', `${event.step} answered ${event.error.type}`, 'bad');
    if (event.kind === 'succeeded') this.tell('Secrets Manager', 'rotation succeeded', 'good');
    if (event.kind !== 'succeeded' && event.kind !== 'failed' && event.kind !== 'abandoned') return;
    this.done.add(event.versionId);
    this.ended.get(event.versionId)?.();
  }

  onEvent(event: HeardEvent): void {
    const kind = event['detail-type'];
    if (kind === detailTypes.refreshRequested) {
      const asked = eventSchemas[kind].safeParse(event.detail);
      if (asked.success)
        this.tell(asked.data.consumer, `asked to load version ${short(asked.data.versionId)}`);
    }
    if (kind === detailTypes.refreshAcknowledged) {
      const answered = eventSchemas[kind].safeParse(event.detail);
      if (!answered.success) return;
      const { consumer, outcome, versionId, reason } = answered.data;
      this.tell(
        consumer,
        `${outcome} ${short(versionId)}${reason === undefined ? '' : `: ${reason}`}`,
        outcome === 'refused' ? 'bad' : 'good',
      );
    }
  }

  private tell(who: string, what: string, tone?: 'good' | 'bad' | 'quiet'): void {
    // Deploying a schedule makes Secrets Manager test the credential in use: that is no rotation to be told.
    if (this.begun) this.progress.happened(Date.now() - this.startedAt, who, what, tone);
  }
}

/** The ARN of a child has the Map's label behind the machine's name; names have no slash. */
function isChild(executionArn: string): boolean {
  return executionArn.includes('/');
}

function short(versionId: string): string {
  return versionId.slice(0, 8);
}
