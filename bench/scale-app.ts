import { App, Duration, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { RotatedSecret } from '../infra/rotated-secret';
import { RotationOrchestrator } from '../infra/rotation-orchestrator';

/** The secret that the app rotates: one that consumers share, so that nothing is measured but their coordination. */
export const scaleSecret = 'scale/shared';

/** Synthesises Rotor with one secret into a folder; its consumers enrol themselves. */
export function synthesiseScale(outdir: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Scale');
  const orchestrator = new RotationOrchestrator(stack, 'Rotor', {
    rotators: ['generated'],
    runbookUrl: 'https://example.com/errors.md',
  });
  new RotatedSecret(stack, 'Rotated', {
    orchestrator,
    secret: new Secret(stack, 'Secret', {
      secretName: scaleSecret,
      generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'value' },
    }),
    secretName: scaleSecret,
    rotator: 'generated',
    schedule: { expression: 'rate(30 days)', duration: Duration.hours(4) },
  });
  app.synth();
}

if (require.main === module) synthesiseScale(process.argv[2] ?? 'cdk.out');
