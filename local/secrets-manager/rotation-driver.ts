import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../kernel/clock';
import { ServiceError } from '../kernel/service';
import { afterWrite, holderOf } from './labels';
import { nextWindow, parseSchedule } from './schedule';
import type { Secret } from './secret';
import type { SecretStore } from './secret-store';

/** The steps of one rotation, in order. */
export const rotationSteps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** What the rotation function receives. */
export interface RotationInvocation {
  readonly Step: RotationStep;
  readonly SecretId: string;
  readonly ClientRequestToken: string;
  readonly RotationToken: string;
}

/** What went wrong in a step: the function's own error, or the service's. */
export interface StepError {
  readonly type: string;
  readonly message: string;
}

/** How Secrets Manager reaches rotation functions. */
export interface RotationFunctions {
  /** Whether secretsmanager.amazonaws.com may invoke the function for this secret; nothing runs. */
  mayInvoke(functionArn: string, secretArn: string): Promise<boolean>;
  /** ARN of the function's role, to tell who wrote the pending value; undefined where the function does not exist. */
  roleOf(functionArn: string): Promise<string | undefined>;
  /** Runs one step; the error that the function ended with, or undefined. Rejects when it could not be invoked. */
  invoke(functionArn: string, secretArn: string, event: RotationInvocation): Promise<StepError | undefined>;
}

/** How often a failed rotation is repeated. AWS documents neither number; it repeats while the window is open. */
export interface RepeatPolicy {
  readonly attempts: number;
  /** Wait before the second, third, … attempt; the last one serves for all that follow. */
  readonly delaysMs: readonly number[];
  /**
   * Longest time of one step on the clock; undefined leaves it to Lambda, which ends every function after 15 minutes of
   * its own time. A scaled clock must not cut a function short that runs in real time.
   */
  readonly stepLimitMs: number | undefined;
  /** Whether AWSPENDING is taken off AWSCURRENT's version after success. AWS does so some time later. */
  readonly removePendingAfterSuccess: boolean;
}

/** The repeats that are used unless a test or rehearsal says otherwise. */
export const defaultRepeatPolicy: RepeatPolicy = {
  attempts: 5,
  delaysMs: [15_000, 60_000, 5 * 60_000, 15 * 60_000],
  stepLimitMs: undefined,
  removePendingAfterSuccess: true,
};

/** Progress of a rotation, for live display, the journal and tests. Holds no value and no RotationToken. */
export type RotationEvent = {
  readonly secretArn: string;
  readonly secretName: string;
  readonly versionId: string;
  readonly lambdaArn: string;
  readonly attempt: number;
  /** True for RotateImmediately=false, which runs testSecret alone. */
  readonly test: boolean;
  readonly at: number;
} & (
  | { readonly kind: 'started' | 'succeeded' | 'abandoned' }
  | { readonly kind: 'step-began' | 'step-ended'; readonly step: RotationStep }
  | { readonly kind: 'step-failed'; readonly step: RotationStep; readonly error: StepError }
  /** One attempt failed; without `repeatsAt` it was the last. */
  | { readonly kind: 'failed'; readonly error: StepError; readonly repeatsAt: number | undefined }
);

type Progress = RotationEvent extends infer Event
  ? Event extends RotationEvent
    ? Omit<Event, 'secretArn' | 'secretName' | 'versionId' | 'lambdaArn' | 'attempt' | 'test' | 'at'>
    : never
  : never;

interface Run {
  readonly secret: Secret;
  readonly versionId: string;
  readonly lambdaArn: string;
  readonly test: boolean;
  readonly tokens: Set<string>;
  attempt: number;
  state: 'waiting' | 'running' | 'ended';
  timer: Timer | undefined;
}

/** What the driver is built with. */
export interface RotationDriverOptions {
  readonly clock: Clock;
  /** Late, because the store tells the driver about labels. */
  readonly store: () => SecretStore;
  readonly functions: RotationFunctions;
  readonly policy: RepeatPolicy;
  readonly onRotation: (event: RotationEvent) => void;
}

/**
 * Runs rotations the way Secrets Manager does, beside the calls that ask for them.
 *
 * A run is `waiting` (for its first turn, or for a repeat), then `running` (its steps are invoked one after another),
 * then `waiting` again after a failed step, and `ended` after success, the last failure, or because it was abandoned:
 * AWSCURRENT was set by another hand, rotation was cancelled, the secret was deleted, or a new rotation began. A step
 * that is under way when its run ends is left to finish; its outcome no longer counts.
 *
 * A rotation has succeeded when AWSPENDING is on AWSCURRENT's version or nowhere after the last step.
 */
export class RotationDriver {
  private readonly runs = new Map<string, Run>();
  private readonly schedules = new Map<string, Timer>();

  constructor(private readonly options: RotationDriverOptions) {}

  /** Names the version, labels it AWSPENDING, without a value, and lets the four steps begin. */
  begin(secret: Secret, versionId: string): void {
    const store = this.options.store();
    this.supersede(secret);
    const labels = afterWrite(secret.labels, versionId, ['AWSPENDING']);
    if (!secret.versions.has(versionId)) store.addVersion(secret, versionId);
    store.setLabels(secret, labels);
    this.start(secret, versionId, false);
  }

  /**
   * RotateImmediately=false: runs testSecret alone, on a temporary AWSPENDING version with a copy of the current value.
   *
   * A secret without a current value has nothing to test: nothing happens.
   */
  test(secret: Secret, versionId: string): void {
    const store = this.options.store();
    const current = secret.versions.get(holderOf(secret.labels, 'AWSCURRENT') ?? '')?.value;
    if (current === undefined) return;
    this.supersede(secret);
    const version = store.addVersion(secret, versionId);
    version.writtenBy = 'secretsmanager.amazonaws.com';
    store.setValue(secret, version, current);
    store.setLabels(secret, afterWrite(secret.labels, versionId, ['AWSPENDING']));
    this.start(secret, versionId, true);
  }

  /** Repeats the rotation that AWSPENDING belongs to: now if it waits, not at all while it runs. */
  reattempt(secret: Secret, versionId: string): void {
    const run = this.runs.get(secret.arn);
    if (run?.state === 'running') return;
    if (run === undefined || run.versionId !== versionId) this.start(secret, versionId, false);
    else this.wait(run, 0);
  }

  /** Whether a RotationToken was given to the rotation function for this version. */
  accepts(secret: Secret, versionId: string, token: string): boolean {
    const run = this.runs.get(secret.arn);
    return run?.versionId === versionId && run.tokens.has(token);
  }

  /** The version that is being rotated to; undefined when nothing is under way. */
  versionUnderWay(secret: Secret): string | undefined {
    return this.runs.get(secret.arn)?.versionId;
  }

  /** AWSCURRENT has moved: by another hand than the rotation's, the rotation is abandoned; the schedule counts anew. */
  currentChanged(secret: Secret, versionId: string): void {
    const run = this.runs.get(secret.arn);
    if (run !== undefined && run.versionId !== versionId) this.abandon(run);
    this.schedule(secret);
  }

  /** Stops what is under way and what is due, for a secret that is deleted or no longer rotated; AWSPENDING stays where it is. */
  cancel(secret: Secret): void {
    const run = this.runs.get(secret.arn);
    if (run !== undefined) this.abandon(run);
    this.unschedule(secret);
  }

  /** Computes the next window from now on, and lets the rotation begin when it opens. */
  schedule(secret: Secret): void {
    this.unschedule(secret);
    const { rotation } = secret;
    if (rotation === undefined) return;
    rotation.nextAt = rotation.nextBy = undefined;
    if (!rotation.enabled || rotation.rules === undefined) return;
    const schedule = parseSchedule(rotation.rules);
    const now = this.options.clock.now();
    const window = schedule === undefined ? undefined : nextWindow(schedule, now);
    if (window === undefined) return;
    rotation.nextAt = window.startsAt;
    rotation.nextBy = window.endsAt;
    const due = () => {
      const pending = incompleteVersion(secret);
      if (pending === undefined) this.begin(secret, randomUUID());
      else this.reattempt(secret, pending);
      this.schedule(secret);
    };
    this.schedules.set(secret.arn, this.options.clock.after(window.startsAt - now, due));
  }

  /** Cancels every timer; nothing begins any more. */
  stop(): void {
    for (const run of this.runs.values()) this.end(run);
    for (const timer of this.schedules.values()) timer.cancel();
    this.schedules.clear();
  }

  private start(secret: Secret, versionId: string, test: boolean): void {
    const lambdaArn = secret.rotation?.lambdaArn;
    if (lambdaArn === undefined) return;
    const run: Run = {
      secret,
      versionId,
      lambdaArn,
      test,
      tokens: new Set(),
      attempt: 0,
      state: 'waiting',
      timer: undefined,
    };
    this.runs.set(secret.arn, run);
    this.wait(run, 0);
  }

  private wait(run: Run, delayMs: number): void {
    run.timer?.cancel();
    run.state = 'waiting';
    run.timer = this.options.clock.after(delayMs, () => void this.attempt(run));
  }

  private async attempt(run: Run): Promise<void> {
    if (run.state !== 'waiting') return;
    run.state = 'running';
    run.attempt++;
    if (run.attempt === 1) this.tell(run, { kind: 'started' });
    for (const step of run.test ? (['testSecret'] as const) : rotationSteps) {
      this.tell(run, { kind: 'step-began', step });
      const error = await this.step(run, step).catch(toStepError);
      if (this.hasEnded(run)) return;
      if (error !== undefined) {
        this.tell(run, { kind: 'step-failed', step, error });
        this.fail(run, error);
        return;
      }
      this.tell(run, { kind: 'step-ended', step });
    }
    this.conclude(run);
  }

  private async step(run: Run, step: RotationStep): Promise<StepError | undefined> {
    return (await this.invoke(run, step)) ?? (await this.wronglyWritten(run));
  }

  private async invoke(run: Run, step: RotationStep): Promise<StepError | undefined> {
    const { clock, functions, policy } = this.options;
    const token = randomBytes(32).toString('hex');
    run.tokens.add(token);
    const invocation = functions.invoke(run.lambdaArn, run.secret.arn, {
      Step: step,
      SecretId: run.secret.arn,
      ClientRequestToken: run.versionId,
      RotationToken: token,
    });
    const { stepLimitMs } = policy;
    if (stepLimitMs === undefined) return invocation;
    let timer: Timer | undefined;
    const limit = new Promise<StepError>((resolve) => {
      timer = clock.after(stepLimitMs, () =>
        resolve({ type: 'Timeout', message: `${step} did not end within ${stepLimitMs} ms` }),
      );
    });
    return Promise.race([limit, invocation]).finally(() => timer?.cancel());
  }

  /** Secrets Manager trusts a pending value only from the function's role, or with a token that it gave out. */
  private async wronglyWritten(run: Run): Promise<StepError | undefined> {
    const version = run.secret.versions.get(run.versionId);
    if (run.test || version?.value === undefined || version.carriedToken) return undefined;
    if (version.writtenBy === (await this.options.functions.roleOf(run.lambdaArn))) return undefined;
    return {
      type: 'PendingVersionNotCreatedByLambda',
      message: `Pending secret version ${run.versionId} for secret ${run.secret.arn} was not created by Lambda ${run.lambdaArn}. Remove the AWSPENDING staging label and restart rotation.`,
    };
  }

  private conclude(run: Run): void {
    const { secret } = run;
    const { clock, policy } = this.options;
    const pending = incompleteVersion(secret);
    if (!run.test && pending !== undefined) {
      this.fail(run, {
        type: 'RotationIncomplete',
        message: `AWSPENDING is still on version ${pending} after finishSecret`,
      });
      return;
    }
    this.end(run);
    if (!run.test) {
      if (secret.rotation !== undefined) secret.rotation.lastRotatedAt = clock.now();
      if (policy.removePendingAfterSuccess) this.removePending(secret);
      this.schedule(secret);
    }
    this.tell(run, { kind: 'succeeded' });
  }

  private removePending(secret: Secret): void {
    const without = [...secret.labels].map(
      ([id, held]) => [id, new Set([...held].filter((label) => label !== 'AWSPENDING'))] as const,
    );
    this.options.store().setLabels(secret, new Map(without));
  }

  private fail(run: Run, error: StepError): void {
    const { clock, policy } = this.options;
    if (run.test || run.attempt >= policy.attempts) {
      this.end(run);
      this.tell(run, { kind: 'failed', error, repeatsAt: undefined });
      return;
    }
    const delay = policy.delaysMs[run.attempt - 1] ?? policy.delaysMs.at(-1) ?? 0;
    this.wait(run, delay);
    this.tell(run, { kind: 'failed', error, repeatsAt: clock.now() + delay });
  }

  private supersede(secret: Secret): void {
    const run = this.runs.get(secret.arn);
    if (run === undefined) return;
    // The function has set AWSCURRENT and only has not returned yet: that rotation did what it was for.
    if (!run.test && holderOf(secret.labels, 'AWSCURRENT') === run.versionId) this.conclude(run);
    else this.abandon(run);
  }

  private abandon(run: Run): void {
    this.end(run);
    this.tell(run, { kind: 'abandoned' });
  }

  private end(run: Run): void {
    run.timer?.cancel();
    run.state = 'ended';
    if (this.runs.get(run.secret.arn) === run) this.runs.delete(run.secret.arn);
    if (run.test) this.options.store().removeVersion(run.secret, run.versionId);
  }

  private hasEnded(run: Run): boolean {
    return run.state === 'ended';
  }

  private unschedule(secret: Secret): void {
    this.schedules.get(secret.arn)?.cancel();
    this.schedules.delete(secret.arn);
  }

  private tell(run: Run, progress: Progress): void {
    this.options.onRotation({
      secretArn: run.secret.arn,
      secretName: run.secret.name,
      versionId: run.versionId,
      lambdaArn: run.lambdaArn,
      attempt: run.attempt,
      test: run.test,
      at: this.options.clock.now(),
      ...progress,
    });
  }
}

/** The version that a rotation has left with AWSPENDING and without AWSCURRENT: the next rotation must repeat it. */
export function incompleteVersion(secret: Secret): string | undefined {
  const pending = holderOf(secret.labels, 'AWSPENDING');
  return pending === holderOf(secret.labels, 'AWSCURRENT') ? undefined : pending;
}

function toStepError(error: unknown): StepError {
  if (error instanceof ServiceError) return { type: error.code, message: error.message };
  if (error instanceof Error) return { type: error.name, message: error.message };
  return { type: 'Error', message: String(error) };
}
