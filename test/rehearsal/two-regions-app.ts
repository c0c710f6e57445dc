import { App, CfnOutput, Duration, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { RemoteConsumer } from '../../infra/remote-consumer';
import { RequestBus } from '../../infra/request-bus';
import { RotatedSecret } from '../../infra/rotated-secret';
import { RotationConsumer } from '../../infra/rotation-consumer';
import { RotationOrchestrator } from '../../infra/rotation-orchestrator';

const account = '111122223333';
const rotorRegion = 'us-east-1';
/** Where the application runs, and reads a replica. */
export const farRegion = 'eu-west-1';

/** The secret that is rotated here and read there. */
export const replicatedSecret = 'replicated/key';

/** Rotor's bus as the other region knows it. */
export const rotorBusArn = `arn:aws:events:${rotorRegion}:${account}:event-bus/rotor`;

/** Synthesises Rotor's region: a secret with a replica, and its application's enrolment. */
export function synthesiseRotorRegion(outdir: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Rotor', { env: { account, region: rotorRegion } });
  const orchestrator = new RotationOrchestrator(stack, 'Rotor', {
    rotators: ['generated'],
    runbookUrl: 'https://example.com/errors.md',
  });
  const secret = new Secret(stack, 'Secret', {
    secretName: replicatedSecret,
    generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'value' },
    replicaRegions: [{ region: farRegion }],
  });
  new RotatedSecret(stack, 'Rotated', {
    orchestrator,
    secret,
    secretName: replicatedSecret,
    rotator: 'generated',
    schedule: { expression: 'rate(30 days)', duration: Duration.hours(4) },
  });
  new RotationConsumer(stack, 'Consumer', {
    consumer: 'orders',
    secretName: replicatedSecret,
    target: { kind: 'bus', busArn: `arn:aws:events:${farRegion}:${account}:event-bus/rotor-requests` },
  });
  new CfnOutput(stack, 'SecretArn', { value: secret.secretArn });
  new CfnOutput(stack, 'StateMachineArn', { value: orchestrator.stateMachine.stateMachineArn });
  app.synth();
}

/** Synthesises the other region: its bus, and the application with its queue and role. */
export function synthesiseFarRegion(outdir: string, secretArn: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, 'Orders', { env: { account, region: farRegion } });
  const { bus } = new RequestBus(stack, 'RequestBus', { rotorBusArn });
  const consumer = new RemoteConsumer(stack, 'Consumer', {
    consumer: 'orders',
    secretName: replicatedSecret,
    secretArn,
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
