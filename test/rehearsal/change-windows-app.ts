import { App, Duration, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { PolicyInput } from '../../domain/policy';
import { RotatedSecret } from '../../infra/rotated-secret';
import { RotationOrchestrator } from '../../infra/rotation-orchestrator';

/** Name of the change calendar that one secret waits for. */
export const calendar = 'freeze';

/** Time between the rotations of the group's members. */
export const distanceSeconds = 2;

/** A secret that waits for a calendar. */
export const waiting = 'windows/waiting';

/** Two secrets of one group. */
export const members = ['windows/one', 'windows/two'] as const;

/** A database user without overlap. */
export const single = 'windows/single';

/** Synthesises Rotor with these secrets into a folder. */
export function synthesiseWindows(outdir: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Windows');
  const orchestrator = new RotationOrchestrator(stack, 'Rotor', {
    rotators: ['generated', 'postgres-single'],
    runbookUrl: 'https://example.com/errors.md',
  });
  const enrol = (
    secretName: string,
    rotator: 'generated' | 'postgres-single',
    policy: Omit<PolicyInput, 'rotator' | 'admin'>,
  ) =>
    new RotatedSecret(stack, `Rotated-${secretName}`, {
      orchestrator,
      secret: new Secret(stack, `Secret-${secretName}`, {
        secretName,
        generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'value' },
      }),
      secretName,
      rotator,
      schedule: { expression: 'rate(30 days)', duration: Duration.hours(4) },
      policy,
    });
  enrol(waiting, 'generated', { changeCalendars: [calendar] });
  for (const member of members)
    enrol(member, 'generated', {
      group: { name: 'windows', minimumDistanceSeconds: distanceSeconds },
    });
  enrol(single, 'postgres-single', {});
  app.synth();
}
