import { heldLabel, secretPolicyParameter } from '../../domain/names';
import { ScaledClock } from '../../local/kernel/clock';
import type { PlannedFault } from '../../local/rehearsal/faults';
import { changeParameter } from '../../local/rehearsal/seeding';
import { silence } from '../../local/rehearsal/progress';
import {
  startRehearsal,
  type Probe,
  type Rehearsal,
  type RehearsalSettings,
} from '../../local/rehearsal/rehearsal';
import type { RotationReport } from '../../local/rehearsal/report';
import type { ExecutionObserver } from '../../local/step-functions/task-port';
import { rotators, type RotatorName } from '../../rotators/registry';
import { lastLook } from './drain-look';
import { eventually } from './eventually';
import { optionsOf } from './options-of';

const secretId = 'example/app';

/** Every way in which a task may fail. */
export const ways = (['before', 'after'] as const).flatMap((moment) =>
  (['crash', 'timeout', 'error'] as const).map((kind) => ({ moment, kind })),
);

/** A fault in its shortest form. */
export function fault(state: string, more: Partial<PlannedFault> = {}): PlannedFault {
  return { state, moment: 'before', kind: 'error', always: false, ...more };
}

/**
 * After how many rotations a day is left out. Not after each: the keys of all functions have ended by then, and every
 * one of them starts cold.
 */
const rotationsADay = 20;

/**
 * So long an application is waited for, in three askings: on a clock that is 25 times faster each of them waits for a
 * minute, and for four seconds where the example's own deadline holds.
 */
export const longDeadlineSeconds = 4_500;

/**
 * A clock that can leave time out, as a day: AWS keeps every version of a secret for 24 hours, and 100 at most. What waits
 * goes on waiting; only what looks at the time sees that it is later.
 */
class LeapingClock extends ScaledClock {
  private leaptMs = 0;

  override now(): number {
    return super.now() + this.leaptMs;
  }

  leap(hours: number): void {
    this.leaptMs += hours * 3_600_000;
  }
}

/** A rehearsal that is kept over many rotations, on a clock that makes the workflow's pauses short. */
export class FailingRehearsal {
  private rotations = 0;

  private constructor(
    readonly rehearsal: Rehearsal,
    private readonly probe: Probe,
    private readonly overlaps: boolean,
    private readonly clock: LeapingClock,
  ) {}

  /** `restMs`: how long each application rests between two uses of the credential. */
  static async start(
    rotator: RotatorName,
    { restMs = 150, observers = [] }: Pick<RehearsalSettings, 'observers' | 'restMs'> = {},
  ): Promise<FailingRehearsal> {
    const { overlap } = rotators[rotator].traits(rotators[rotator].example.settings);
    const clock = new LeapingClock(25);
    // The policy's patience is over as soon as people were told that a target does not answer, and not before.
    const hurry: ExecutionObserver = {
      beforeTask: async (state) => {
        if (state === 'WarnUnreachable') clock.leap(1);
      },
    };
    const rehearsal = await startRehearsal(optionsOf('--rotator', rotator), silence, {
      clock,
      quietSeconds: 0,
      slowMs: 0,
      restMs,
      settleMs: 0,
      deadlineSeconds: longDeadlineSeconds,
      observers: [hurry, ...observers],
    });
    return new FailingRehearsal(rehearsal, rehearsal.startProbe(), overlap !== 'none', clock);
  }

  /** Rotates with faults planned, and checks what must be true whatever fails. */
  async rotateWith(...faults: readonly PlannedFault[]): Promise<RotationReport> {
    const { rehearsal } = this;
    const mailsBefore = rehearsal.cloud.mails.length;
    const refusedBefore = this.probe.refused();
    this.rotations += 1;
    if (this.rotations % rotationsADay === 0) this.clock.leap(25);
    rehearsal.faults.plan(faults);
    const rotation = await rehearsal.rotate();
    await rehearsal.cloud.idle();
    // Each planned fault has struck: a test whose fault misses its state would prove nothing.
    expect(
      faults.filter((planned) => rehearsal.faults.strikes(planned) === 0).map(({ state }) => state),
    ).toEqual([]);
    rehearsal.faults.plan([]);
    await this.expectCurrentWorks();
    // A label that nobody could move is taken up by Secrets Manager's own repeat, with the same token.
    if (rotation.outcome === 'failed') await this.untilRepeated();
    expect(await this.strayLabels()).toEqual([]);
    if (this.overlaps) expect(this.probe.refused() - refusedBefore).toBe(0);
    const alerts = rehearsal.cloud.mails.slice(mailsBefore).map(({ text }) => text);
    const failures = alerts.filter((text) => !text.startsWith('A rotation waits'));
    if (rotation.outcome === 'rotated') expect(failures).toEqual([]);
    else if (rotation.outcome === 'held') await this.accept(failures);
    else
      await this.obey(
        failures,
        faults.some(({ state }) => state === 'AlertOperators'),
      );
    return rotation;
  }

  /** Like `rotateWith`, in a rotation that `reports` refuses. */
  async rotateRefused(...faults: readonly PlannedFault[]): Promise<RotationReport> {
    this.rehearsal.understudy.plays = 'refusal';
    try {
      return await this.rotateWith(...faults);
    } finally {
      this.rehearsal.understudy.plays = 'itself';
    }
  }

  /** Lets the deadline of a drain pass once nobody but a job of this name holds a session with the old credential. */
  async endDrainOnceAlone(job: string): Promise<void> {
    await eventually(`nobody but ${job} holds a session`, async () => {
      const look = await lastLook(this.rehearsal);
      const isAlone = look?.open.every(({ application }) => application === job) === true;
      return isAlone && look.begun.length === 0 && look.open.length > 0;
    });
    this.clock.leap(1);
  }

  /** Overwrites members of the secret's policy. */
  async changePolicy(members: object): Promise<void> {
    await changeParameter(this.rehearsal.cloud, secretPolicyParameter(secretId), members);
  }

  /** The next rotation, with nothing that fails, must succeed. */
  async expectNextSucceeds(): Promise<void> {
    const next = await this.rotateWith();
    expect(next.outcome).toBe('rotated');
  }

  async stop(): Promise<void> {
    await this.probe.stop();
    const leaks = await this.rehearsal.leaks();
    await this.rehearsal.stop();
    expect(leaks).toEqual([]);
  }

  /** One alert asks for a decision; both credentials are kept until there is one. */
  private async accept(alerts: readonly string[]): Promise<void> {
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatch(/^State: {6}\w+$/m);
    if (this.overlaps) expect(await this.versionWith(heldLabel)).not.toBe(undefined);
    expect((await this.rehearsal.decide('accept')).outcome).toBe('rotated');
    await this.expectCurrentWorks();
    expect(await this.versionWith(heldLabel)).toBe(undefined);
  }

  /** One alert says which state, which error, what is true; the command that it names is then run, as an operator does. */
  private async obey(alerts: readonly string[], mayRepeat: boolean): Promise<void> {
    // Delivery is at least once: an alert whose answer got lost is published again, plainly perhaps, and says the same.
    const [alert = '', ...others] = alerts;
    if (!mayRepeat) expect(others).toEqual([]);
    // The rule on the machine's failures knows the execution and its error, and no more.
    if (/ended FAILED without a report of its own \(error: AlertFailed\)/.test(alert)) return;
    expect(alert).toMatch(/^State: {6}\w+$/m);
    expect(alert).toMatch(/^Error: {6}\S+$/m);
    expect(alert).toMatch(/What is true now:\n- (AWSCURRENT is|Nobody could read)/);
    const held = await this.versionWith(heldLabel);
    const command = /--version-stage rotor-held --remove-from-version-id (\S+)/.exec(alert)?.[1];
    if (held !== undefined && held !== (await this.versionWith('AWSCURRENT'))) expect(command).toBe(held);
    if (command === undefined) return;
    await this.rehearsal.cloud.call('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: secretId,
      VersionStage: heldLabel,
      RemoveFromVersionId: command,
    });
  }

  /**
   * What Secrets Manager does by itself when finishSecret has waited its 15 minutes: it asks again from createSecret on, and the
   * rotation function starts the next attempt.
   */
  private async untilRepeated(): Promise<void> {
    const { cloud, faults } = this.rehearsal;
    faults.plan([]);
    const [token] = await this.strayLabels();
    if (token === undefined) return;
    const { ARN } = await cloud.call<{ ARN: string }>('secretsmanager', 'DescribeSecret', {
      SecretId: secretId,
    });
    const Payload = JSON.stringify({
      Step: 'createSecret',
      SecretId: ARN,
      ClientRequestToken: token,
      RotationToken: crypto.randomUUID(),
    });
    const answer = await cloud.call<{ FunctionError?: string }>('lambda', 'Invoke', {
      FunctionName: 'rotor-rotation',
      Payload,
    });
    expect(answer.FunctionError).toBeUndefined();
    await eventually(
      'the repeat ends',
      async () =>
        (await this.strayLabels()).length === 0 && (await this.versionWith(heldLabel)) === undefined,
    );
    await cloud.idle();
  }

  private async expectCurrentWorks(): Promise<void> {
    const { cloud, target } = this.rehearsal;
    const { SecretString: text } = await cloud.call<{ SecretString: string }>(
      'secretsmanager',
      'GetSecretValue',
      { SecretId: secretId },
    );
    const session = await target.login(text, 'check');
    await session.work();
    await session.close();
  }

  private async strayLabels(): Promise<readonly string[]> {
    const pending = await this.versionWith('AWSPENDING');
    return pending === undefined || pending === (await this.versionWith('AWSCURRENT')) ? [] : [pending];
  }

  private async versionWith(label: string): Promise<string | undefined> {
    const { VersionIdsToStages: stages } = await this.rehearsal.cloud.call<{
      VersionIdsToStages: Record<string, string[]>;
    }>('secretsmanager', 'DescribeSecret', { SecretId: secretId });
    return Object.keys(stages).find((version) => stages[version]?.includes(label));
  }
}
