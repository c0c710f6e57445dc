import { type App, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
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
    super(scope, id, { description: 'Rotor, and a PostgreSQL credential that it rotates', ...props });
    const orchestrator = new RotationOrchestrator(this, 'Rotor', { runbookUrl: choices.runbookUrl });
    if (choices.alertEmail !== undefined) {
      orchestrator.alerts.topic.addSubscription(new EmailSubscription(choices.alertEmail));
    }
    const admin = this.credential('Admin', exampleAdminSecret, 'rotor_admin', choices, {});
    accept(
      admin,
      'AwsSolutions-SMG4',
      'The admin of the example is the operator’s; it can be enrolled as well, with the rotator postgres-single.',
    );
    const secret = this.credential('Secret', exampleSecret, 'app', choices, {
      // AWS's own templates take this as the sign of alternating users, and so does Rotor.
      ...(choices.rotator === 'postgres-alternating' ? { masterarn: admin.secretArn } : {}),
    });
    new RotatedSecret(this, 'RotatedSecret', {
      orchestrator,
      secret,
      secretName: exampleSecret,
      rotator: choices.rotator,
      admin,
      schedule: { expression: 'cron(0 3 ? * SUN *)', duration: Duration.hours(4) },
    });
    new CfnOutput(this, 'SecretArn', { value: secret.secretArn });
    new CfnOutput(this, 'AdminSecretArn', { value: admin.secretArn });
    new CfnOutput(this, 'StateMachineArn', { value: orchestrator.stateMachine.stateMachineArn });
    new CfnOutput(this, 'AlertTopicArn', { value: orchestrator.alerts.topic.topicArn });
    new CfnOutput(this, 'DeadLettersUrl', { value: orchestrator.deadLetters.queueUrl });
  }

  /** A secret in the shape that AWS documents; the operator puts in the true values once the user exists. */
  private credential(
    id: string,
    secretName: string,
    username: string,
    choices: ExampleChoices,
    members: Readonly<Record<string, string>>,
  ): Secret {
    return new Secret(this, id, {
      secretName,
      description: `The user ${username} of the example`,
      generateSecretString: {
        secretStringTemplate: this.toJsonString({
          engine: 'postgres',
          host: choices.databaseHost,
          port: 5432,
          dbname: 'app',
          username,
          ...members,
        }),
        generateStringKey: 'password',
        passwordLength: 32,
        excludePunctuation: true,
      },
    });
  }
}
