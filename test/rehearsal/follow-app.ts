import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { FollowedSecret } from '../../infra/followed-secret';
import { RotatedSecret } from '../../infra/rotated-secret';
import { RotationConsumer } from '../../infra/rotation-consumer';
import { RotationOrchestrator } from '../../infra/rotation-orchestrator';
import { operatorAddress } from '../../local/rehearsal/synthesise';

/** A secret that a partner writes. */
export const followed = 'partner/key';

/** A secret that Rotor rotates, and that a person may write too. */
export const rotated = 'shop/signing';

/** Which application uses which secret, in the order of their waves. */
export const uses = [
  { consumer: 'orders', secretName: followed, wave: 1 },
  { consumer: 'billing', secretName: followed, wave: 2 },
  { consumer: 'hooks', secretName: rotated, wave: 1 },
] as const;

export type Consumer = (typeof uses)[number]['consumer'];

/** Synthesises Rotor in one stack, and the two secrets with their applications in another, into a folder. */
export function synthesiseFollow(outdir: string): void {
  const app = new App({ outdir, analyticsReporting: false });
  const rotor = new Stack(app, 'Rotor');
  const orchestrator = new RotationOrchestrator(rotor, 'Rotor', {
    rotators: ['generated'],
    runbookUrl: 'https://example.com/errors.md',
  });
  orchestrator.alerts.topic.addSubscription(new EmailSubscription(operatorAddress));
  const stack = new Stack(app, 'Secrets');
  const secretNamed = (id: string, secretName: string) =>
    new Secret(stack, id, {
      secretName,
      generateSecretString: { secretStringTemplate: '{}', generateStringKey: 'value' },
    });
  new FollowedSecret(stack, 'Followed', {
    orchestrator,
    secret: secretNamed('Key', followed),
    secretName: followed,
  });
  new RotatedSecret(stack, 'Rotated', {
    orchestrator,
    secret: secretNamed('Signing', rotated),
    secretName: rotated,
    rotator: 'generated',
    schedule: { expression: 'rate(30 days)' },
    follow: true,
  });
  for (const { consumer, secretName, wave } of uses) {
    const enrolled = new RotationConsumer(stack, consumer, {
      consumer,
      secretName,
      target: { kind: 'queue' },
      enrolment: { wave },
    });
    const role = new Role(stack, `${consumer}Role`, {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    enrolled.grantConsume(role);
    new CfnOutput(stack, `${consumer}QueueUrl`, { value: enrolled.queue?.queueUrl ?? '' });
    new CfnOutput(stack, `${consumer}RoleArn`, { value: role.roleArn });
  }
  app.synth();
}
