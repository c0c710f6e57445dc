import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { RemoteConsumer } from '../../infra/remote-consumer';
import { RequestBus } from '../../infra/request-bus';
import { RotatedSecret } from '../../infra/rotated-secret';
import { RotationConsumer } from '../../infra/rotation-consumer';
import { RotationOrchestrator } from '../../infra/rotation-orchestrator';

/** Where Rotor runs, and where the application does. */
export const rotorAccount = '111122223333';
export const teamAccount = '444455556666';
const region = 'us-east-1';

/** The secret of the application, and that of the admin. */
export const sharedSecret = 'shared/app';
export const sharedAdmin = 'shared/admin';

/** Rotor's bus as the other account knows it. */
export const rotorBusArn = `arn:aws:events:${region}:${rotorAccount}:event-bus/rotor`;
const teamBusArn = `arn:aws:events:${region}:${teamAccount}:event-bus/rotor-requests`;

/** Synthesises Rotor's side: the secret that the other account reads, and who answers from there. */
export function synthesiseRotorSide(outdir: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Rotor', { env: { account: rotorAccount, region } });
  const orchestrator = new RotationOrchestrator(stack, 'Rotor', {
    rotators: ['postgres-alternating'],
    runbookUrl: 'https://example.com/errors.md',
    consumerAccounts: [teamAccount],
  });
  const encryptionKey = new Key(stack, 'Key', { enableKeyRotation: true });
  const admin = new Secret(stack, 'Admin', { secretName: sharedAdmin });
  const secret = new Secret(stack, 'Secret', { secretName: sharedSecret, encryptionKey });
  secret.node.addDependency(admin);
  new RotatedSecret(stack, 'Rotated', {
    orchestrator,
    secret,
    secretName: sharedSecret,
    rotator: 'postgres-alternating',
    admin,
    consumerAccounts: [teamAccount],
    schedule: { expression: 'rate(30 days)', duration: Duration.hours(4) },
    policy: { drain: { quietSeconds: 0 } },
  });
  new CfnOutput(stack, 'SecretArn', { value: secret.secretArn });
  new CfnOutput(stack, 'KeyArn', { value: encryptionKey.keyArn });
  new CfnOutput(stack, 'StateMachineArn', { value: orchestrator.stateMachine.stateMachineArn });
  const consumers = new Stack(app, 'Consumers', { env: { account: rotorAccount, region } });
  consumers.addStackDependency(stack);
  for (const [consumer, enrolment] of Object.entries({
    orders: {},
    // Nobody of its account answers for it; it is not waited for as long as `orders` is, which has fifteen minutes.
    payments: { acknowledge: 'optional', deadlineSeconds: 60, reminders: 0 },
  } as const)) {
    new RotationConsumer(consumers, consumer, {
      consumer,
      secretName: sharedSecret,
      target: { kind: 'bus', busArn: teamBusArn },
      enrolment,
    });
  }
  app.synth();
}

/** Synthesises the other account's side: its bus, and the application with its queue and role. */
export function synthesiseTeamSide(
  outdir: string,
  { secretArn, encryptionKeyArn }: { readonly secretArn: string; readonly encryptionKeyArn: string },
): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Orders', { env: { account: teamAccount, region } });
  const { bus } = new RequestBus(stack, 'RequestBus', { rotorBusArn });
  const consumer = new RemoteConsumer(stack, 'Consumer', {
    consumer: 'orders',
    secretName: sharedSecret,
    secretArn,
    encryptionKeyArn,
    rotorBusArn,
    requestBus: bus,
    target: { kind: 'queue' },
  });
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
  consumer.grantConsume(role);
  new CfnOutput(stack, 'QueueUrl', { value: consumer.queue?.queueUrl ?? '' });
  new CfnOutput(stack, 'RoleArn', { value: role.roleArn });
  app.synth();
}
