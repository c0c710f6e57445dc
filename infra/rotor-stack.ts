import { type App, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { rotators } from '../rotators/registry';
import { accept } from './accepted';
import type { ExampleChoices } from './example-choices';
import { RotatedSecret } from './rotated-secret';
import { RotationOrchestrator } from './rotation-orchestrator';

/** Name of the secret that the example rotates. */
export const exampleSecret = 'example/app';

/** Name of the secret of the user that may change the example's users. */
export const exampleAdminSecret = 'example/app-admin';

/** Rotor with one secret: what an account needs to try it. */
export class RotorStack extends Stack {
  constructor(scope: App, id: string, choices: ExampleChoices, props: StackProps) {
    super(scope, id, { description: 'Rotor, and a credential that it rotates', ...props });
    const orchestrator = new RotationOrchestrator(this, 'Rotor', {
      rotators: [choices.rotator],
      runbookUrl: choices.runbookUrl,
    });
    if (choices.alertEmail !== undefined) {
      orchestrator.alerts.topic.addSubscription(new EmailSubscription(choices.alertEmail));
    }
    const rotator = rotators[choices.rotator];
    const { example } = rotator;
    const { settings = example.settings } = choices;
    const admin =
      rotator.traits(settings).admin === 'none' || example.admin === undefined
        ? undefined
        : this.credential('Admin', exampleAdminSecret, example.admin, choices);
    if (admin !== undefined) {
      accept(
        admin,
        'AwsSolutions-SMG4',
        'The admin of the example is the operator’s; it can be enrolled as well, with a rotator that needs no admin.',
      );
      new CfnOutput(this, 'AdminSecretArn', { value: admin.secretArn });
    }
    const secret = this.credential(
      'Secret',
      exampleSecret,
      {
        ...example.secret,
        // AWS's own templates take this as the sign of alternating users, and so do rotators.
        ...(example.adminMember === undefined || admin === undefined
          ? {}
          : { [example.adminMember]: admin.secretArn }),
      },
      choices,
    );
    new RotatedSecret(this, 'RotatedSecret', {
      orchestrator,
      secret,
      secretName: exampleSecret,
      rotator: choices.rotator,
      ...(admin === undefined ? {} : { admin }),
      schedule: { expression: 'cron(0 3 ? * SUN *)', duration: Duration.hours(4) },
      policy: { settings },
    });
    new CfnOutput(this, 'SecretArn', { value: secret.secretArn });
    new CfnOutput(this, 'StateMachineArn', { value: orchestrator.stateMachine.stateMachineArn });
    new CfnOutput(this, 'AlertTopicArn', { value: orchestrator.alerts.topic.topicArn });
    new CfnOutput(this, 'DeadLettersUrl', { value: orchestrator.deadLetters.queueUrl });
  }

  /** A secret in its rotator's shape; the operator puts in the true values once the credential exists. */
  private credential(
    id: string,
    secretName: string,
    members: Readonly<Record<string, unknown>>,
    { rotator, host }: ExampleChoices,
  ): Secret {
    return new Secret(this, id, {
      secretName,
      description: `Credential of the example, for rotator ${rotator}`,
      generateSecretString: {
        secretStringTemplate: this.toJsonString({
          ...members,
          ...(host !== undefined && 'host' in members ? { host } : {}),
        }),
        generateStringKey: rotators[rotator].example.generated,
        passwordLength: 32,
        excludePunctuation: true,
      },
    });
  }
}
