import { heldLabel } from '../../domain/names';
import { ScaledClock } from '../../local/kernel/clock';
import type { PlannedFault } from '../../local/rehearsal/faults';
import { silence } from '../../local/rehearsal/progress';
import { startRehearsal, type Probe, type Rehearsal } from '../../local/rehearsal/rehearsal';
import type { RotationReport } from '../../local/rehearsal/report';
import type { RotatorName } from '../../rotators/registry';

const secretId = 'example/app';

/** Every way in which a task may fail. */
export const ways = (['before', 'after'] as const).flatMap((moment) =>
  (['crash', 'timeout', 'error'] as const).map((kind) => ({ moment, kind })),
);

/** A fault in its shortest form. */
export function fault(state: string, more: Partial<PlannedFault> = {}): PlannedFault {
  return { state, moment: 'before', kind: 'error', always: false, ...more };
}

/** A rehearsal that is kept over many rotations, on a clock that makes the workflow's pauses short. */
export class FailingRehearsal {
  private constructor(
    readonly rehearsal: Rehearsal,
    private readonly probe: Probe,
    private readonly rotator: RotatorName,
  ) {}

  static async start(rotator: RotatorName): Promise<FailingRehearsal> {
    const options = { rotator, fault: undefined, refuse: undefined, silent: undefined, rotations: 1, json: true, port: 0, keep: false };
    const settings = { clock: new ScaledClock(25), quietSeconds: 0, slowMs: 0 };
    const rehearsal = await startRehearsal(options, silence, settings);
    return new FailingRehearsal(rehearsal, rehearsal.startProbe(), rotator);
  }

  /** Rotates with faults planned, and checks what must be true whatever fails. */
  async rotateWith(...faults: readonly PlannedFault[]): Promise<RotationReport> {
    const { rehearsal } = this;
    const mailsBefore = rehearsal.cloud.mails.length;
    const refusedBefore = this.probe.refused();
    rehearsal.faults.plan(faults);
    const rotation = await rehearsal.rotate();
    await rehearsal.cloud.idle();
    // Each planned fault has struck: a test whose fault misses its state would prove nothing.
    expect(faults.filter((planned) => rehearsal.faults.strikes(planned) === 0).map(({ state }) => state)).toEqual([]);
    rehearsal.faults.plan([]);
    await this.expectCurrentWorks();
    expect(await this.strayLabels()).toEqual([]);
    if (this.rotator === 'postgres-alternating') expect(this.probe.refused() - refusedBefore).toBe(0);
    const alerts = rehearsal.cloud.mails.slice(mailsBefore).map(({ text }) => text);
    const failures = alerts.filter((text) => !text.startsWith('A rotation waits'));
    if (rotation.outcome === 'rotated') expect(failures).toEqual([]);
    else await this.obey(failures);
    return rotation;
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

  /** One alert says which state, which error, what is true; the command that it names is then run, as an operator does. */
  private async obey(alerts: readonly string[]): Promise<void> {
    expect(alerts).toHaveLength(1);
    const [alert = ''] = alerts;
    expect(alert).toMatch(/^State: {6}\w+$/m);
    expect(alert).toMatch(/^Error: {6}\S+$/m);
    expect(alert).toContain('What is true now:\n- AWSCURRENT is');
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

  private async expectCurrentWorks(): Promise<void> {
    const { cloud, target } = this.rehearsal;
    const { SecretString: text } = await cloud.call<{ SecretString: string }>('secretsmanager', 'GetSecretValue', { SecretId: secretId });
    const session = await target.login(text, 'check');
    await session.work();
    await session.close();
  }

  private async strayLabels(): Promise<readonly string[]> {
    const pending = await this.versionWith('AWSPENDING');
    return pending === undefined || pending === (await this.versionWith('AWSCURRENT')) ? [] : [pending];
  }

  private async versionWith(label: string): Promise<string | undefined> {
    const { VersionIdsToStages: stages } = await this.rehearsal.cloud.call<{ VersionIdsToStages: Record<string, string[]> }>(
      'secretsmanager',
      'DescribeSecret',
      { SecretId: secretId },
    );
    return Object.keys(stages).find((version) => stages[version]?.includes(label));
  }
}
