import { App, Duration, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { RotatedSecret } from '../../infra/rotated-secret';
import { RotationOrchestrator } from '../../infra/rotation-orchestrator';

/** The admin that may change every user of the app. */
export const manyAdmin = 'many/admin';

/** Name of one of the app's secrets. */
export function manySecret(index: number): string {
  return `many/app-${String(index)}`;
}

/** Synthesises Rotor with many secrets on one database, and a cap on the rotation function, into a folder. */
export function synthesiseMany(outdir: string, secrets: number, reservedConcurrency: number): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Many');
  const orchestrator = new RotationOrchestrator(stack, 'Rotor', {
    rotators: ['postgres-alternating'],
    runbookUrl: 'https://example.com/errors.md',
    reservedConcurrency,
  });
  const admin = new Secret(stack, 'Admin', { secretName: manyAdmin });
  for (let index = 1; index <= secrets; index++) {
    const secretName = manySecret(index);
    const secret = new Secret(stack, `Secret${String(index)}`, { secretName });
    // The users are made when the admin's secret is there, and their values go in before their schedules.
    secret.node.addDependency(admin);
    new RotatedSecret(stack, `Rotated${String(index)}`, {
      orchestrator,
      secret,
      secretName,
      rotator: 'postgres-alternating',
      admin,
      schedule: { expression: 'rate(30 days)', duration: Duration.hours(4) },
      policy: { drain: { quietSeconds: 0 } },
    });
  }
  app.synth();
}
