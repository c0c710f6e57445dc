import { isNamed } from '../aws/named';
import type { Executions } from '../aws/executions';
import type { Secrets } from '../aws/secrets';
import { mostAttempts, nextMove } from '../domain/attempts';
import {
  AttemptsExhausted,
  RotationAbandoned,
  RotationInProgress,
  RotationReverted,
  TestFailed,
} from '../domain/errors';
import { heldVersion, standing, versionWith, type Labels } from '../domain/labels';
import { executionName } from '../domain/names';
import type { PermissionToBegin } from './permission-to-begin';
import { readVersion } from './target';

/** One step of one rotation, as Secrets Manager names it. */
export interface Step {
  readonly secretArn: string;
  readonly token: string;
}

/** What the steps are built on; waiting looks are made through a client of their own, so that they can be told apart. */
export interface StepPorts {
  readonly secrets: Pick<Secrets, 'describe'>;
  readonly waiting: Pick<Secrets, 'describe' | 'read'>;
  readonly executions: Executions;
  readonly permission: Pick<PermissionToBegin, 'of'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How long createSecret waits for the workflow to store the pending value. */
const createPatienceMs = 30_000;
/** What must be left of the function's time to answer in an orderly way. */
const reserveMs = 20_000;
/** Looks begin fast, since most rotations are, and end at the pace that 15-minute waits deserve. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;
const pauseGrowth = 1.5;

/**
 * The contract with Secrets Manager: four steps, each of which may come twice or more, late, or after the end.
 *
 * Every step first looks at the labels (`standing`):
 * - `current`: the rotation is finished; success, and nothing is started, whatever became of the workflow since.
 * - `gone`: it went back or was abandoned; RotationReverted, naming the execution and its state.
 * - `pending`: createSecret starts the workflow, if it may begin now, or finds the running one, and waits for the pending
 *   value; setSecret and testSecret have nothing to add; finishSecret waits until AWSCURRENT is on the token.
 *
 * Where time runs short the answer is RotationInProgress, and Secrets Manager asks again.
 */
export class SecretsManagerSteps {
  /** Tokens whose createSecret this environment has seen: their testSecret is no test of its own. */
  private readonly rotating = new Set<string>();

  constructor(private readonly ports: StepPorts) {}

  async createSecret(step: Step, remainingMs: () => number): Promise<void> {
    const { secrets, waiting, now, sleep } = this.ports;
    const { labels, replicas = [] } = await secrets.describe(step.secretArn);
    if (!(await this.judge(step, labels))) return;
    await this.startWorkflow(
      step,
      labels,
      replicas.map(({ region }) => region),
    );
    const until = now() + Math.min(createPatienceMs, remainingMs() - reserveMs);
    for (let pause = firstPauseMs; now() < until; pause = longer(pause)) {
      await sleep(Math.min(pause, Math.max(0, until - now())));
      if (await hasValue(waiting, step)) return;
      if (!(await this.isPending(step, waiting))) return;
    }
    throw new RotationInProgress(`the workflow has not stored the pending value of ${step.secretArn} yet`);
  }

  async setSecret(step: Step): Promise<void> {
    await this.isPending(step, this.ports.waiting);
  }

  async testSecret(step: Step, remainingMs: () => number): Promise<void> {
    const { labels } = await this.ports.waiting.describe(step.secretArn);
    if (!(await this.judge(step, labels)) || this.rotating.has(step.token)) return;
    if (await this.isCopyOfCurrent(step, labels)) await this.testAlone(step, labels, remainingMs);
  }

  async finishSecret(step: Step, remainingMs: () => number): Promise<void> {
    for (let pause = firstPauseMs; ; pause = longer(pause)) {
      if (!(await this.isPending(step, this.ports.waiting))) {
        this.rotating.delete(step.token);
        return;
      }
      if (remainingMs() - pause < reserveMs)
        throw new RotationInProgress(`the workflow has not moved AWSCURRENT of ${step.secretArn} yet`);
      await this.ports.sleep(pause);
    }
  }

  private async isPending(step: Step, through: Pick<Secrets, 'describe'>): Promise<boolean> {
    return await this.judge(step, (await through.describe(step.secretArn)).labels);
  }

  /** True while the rotation is under way, false when it is finished. RotationReverted. */
  private async judge(step: Step, labels: Labels): Promise<boolean> {
    switch (standing(labels, step.token)) {
      case 'pending':
        return true;
      case 'current':
        return false;
      case 'gone':
        throw new RotationReverted(
          `AWSPENDING of ${step.secretArn} is no longer on version ${step.token}${await this.howItEnded(step)}`,
        );
    }
  }

  /** Starts the first attempt that has not been made, if it may begin now, or finds the one that runs. */
  private async startWorkflow(step: Step, labels: Labels, replicaRegions: readonly string[]): Promise<void> {
    const ask = await this.ports.permission.of(step.secretArn);
    for (let attempt = 1; attempt <= mostAttempts; attempt++) {
      const name = executionName(step.secretArn, step.token, attempt, 'rotate');
      const input = {
        ...inputOf(step, labels, 'rotate', attempt),
        // Where the secret is not replicated, nothing is to be waited for.
        ...(replicaRegions.length === 0 ? {} : { replicaRegions }),
      };
      const until = await ask({ ...step, execution: name, number: attempt, labels });
      const started = await this.ports.executions.start(name, input, until);
      this.rotating.add(step.token);
      if (started === 'started') return;
      const execution = await this.ports.executions.describe(name);
      const ended = { status: execution?.status ?? 'RUNNING', error: failureIn(execution?.cause)?.error };
      const move = nextMove(ended);
      if (move === 'wait') return;
      if (move === 'stop')
        throw new RotationReverted(`execution ${name} ended as ${ended.status}${because(execution?.cause)}`);
    }
    throw new AttemptsExhausted(
      `${mostAttempts} executions for version ${step.token} of ${step.secretArn} ended without going back`,
    );
  }

  private async howItEnded(step: Step): Promise<string> {
    for (let attempt = mostAttempts; attempt >= 1; attempt--) {
      const name = executionName(step.secretArn, step.token, attempt, 'rotate');
      const execution = await this.ports.executions.describe(name);
      if (execution !== undefined)
        return `: execution ${name} is ${execution.status}${because(execution.cause)}`;
    }
    return ': no execution is known for it';
  }

  /**
   * Whether the pending version holds a copy of the current value under another id: so Secrets Manager asks for a test
   * alone (RotateImmediately=false). A rotation's own value always differs. PendingValueMissing.
   */
  private async isCopyOfCurrent({ secretArn, token }: Step, labels: Labels): Promise<boolean> {
    const current = versionWith(labels, 'AWSCURRENT');
    if (current === undefined || current === token) return false;
    const { waiting } = this.ports;
    const [pending, inUse] = await Promise.all([
      readVersion(waiting, secretArn, token),
      readVersion(waiting, secretArn, current),
    ]);
    return pending.text === inUse.text;
  }

  /** Runs TestSecret alone, as an execution of its own, and answers with its outcome. TestFailed. */
  private async testAlone(step: Step, labels: Labels, remainingMs: () => number): Promise<void> {
    const { executions, sleep } = this.ports;
    let attempt = 1;
    const nameOf = () => executionName(step.secretArn, step.token, attempt, 'test');
    while ((await executions.start(nameOf(), inputOf(step, labels, 'test', attempt))) === 'exists') attempt++;
    // A test is asked for by a person who waits, one at a time: DescribeExecution's 15 a second are enough.
    for (let pause = 500; ; pause = longer(pause)) {
      await sleep(pause);
      const execution = await executions.describe(nameOf());
      if (execution?.status === 'SUCCEEDED') return;
      if (execution !== undefined && execution.status !== 'RUNNING')
        throw new TestFailed(`execution ${nameOf()} is ${execution.status}${because(execution.cause)}`);
      if (remainingMs() - pause < reserveMs)
        throw new RotationInProgress(`execution ${nameOf()} has not ended yet`);
    }
  }
}

/**
 * What the workflow is started with: ids only. A repeat that finds other labels gives other input, and Step Functions
 * answers that the execution exists; the running one is then waited for all the same.
 */
function inputOf(
  { secretArn, token }: Step,
  labels: Labels,
  mode: 'rotate' | 'test',
  attempt: number,
): object {
  const previousVersionId = versionWith(labels, 'AWSCURRENT');
  if (previousVersionId === undefined)
    throw new RotationAbandoned(`no version of ${secretArn} carries AWSCURRENT`);
  const held = heldVersion(labels);
  return {
    secretArn,
    versionId: token,
    previousVersionId,
    // An attempt that died in FinishSecret leaves its own hold on the version that is still in use.
    heldVersionId: attempt > 1 && held === previousVersionId ? null : (held ?? null),
    mode,
    attempt,
  };
}

async function hasValue(waiting: Pick<Secrets, 'read'>, { secretArn, token }: Step): Promise<boolean> {
  try {
    await waiting.read(secretArn, token);
    return true;
  } catch (error) {
    if (isNamed(error, 'ResourceNotFoundException')) return false;
    throw error;
  }
}

function longer(pause: number): number {
  return Math.min(longestPauseMs, pause * pauseGrowth);
}

/** State and error that the workflow's Fail state wrote into the execution's cause, where it got that far. */
function failureIn(
  cause: string | undefined,
): { readonly state: string; readonly error: string } | undefined {
  if (cause === undefined) return undefined;
  try {
    const value = JSON.parse(cause) as unknown;
    if (typeof value !== 'object' || value === null || !('state' in value) || !('error' in value))
      return undefined;
    return { state: String(value.state), error: String(value.error) };
  } catch {
    return undefined;
  }
}

function because(cause: string | undefined): string {
  const failure = failureIn(cause);
  return failure === undefined ? '' : `, after ${failure.error} in state ${failure.state}`;
}
