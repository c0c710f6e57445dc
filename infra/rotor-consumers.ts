import { type App, CfnOutput, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { engineOf } from '../rotators/bundling';
import { bundleOf } from './bundle';
import type { ExampleChoices } from './example-choices';
import { RotationConsumer, type RotationConsumerProps } from './rotation-consumer';
import { RotorFunction } from './rotor-function';
import { exampleSecret } from './rotor-stack';

/** Three applications that use the secret, enrolled from a stack that knows Rotor by names alone. */
export class RotorConsumers extends Stack {
  constructor(scope: App, id: string, choices: ExampleChoices, props: StackProps) {
    super(scope, id, { description: 'Three applications that use a secret that Rotor rotates', ...props });
    this.service('Orders', {
      consumer: 'orders',
      enrolment: { wave: 1, deadlineSeconds: 300, owner: 'team-orders' },
    });
    const reports = this.reports(choices);
    new RotationConsumer(this, 'Reports', {
      consumer: 'reports',
      secretName: exampleSecret,
      target: { kind: 'function', function: reports.function },
      enrolment: { wave: 1, deadlineSeconds: 300, owner: 'team-reports' },
    }).grantConsume(reports.role);
    this.service('Billing', {
      consumer: 'billing',
      // It takes its time, and goes when the others have shown that the new credential works.
      enrolment: { wave: 2, deadlineSeconds: 900, owner: 'team-billing' },
    });
  }

  /** An application that runs as a service with a role of its own and listens on a queue. */
  private service(
    id: string,
    { consumer, enrolment }: Pick<RotationConsumerProps, 'consumer' | 'enrolment'>,
  ): void {
    const application = new RotationConsumer(this, id, {
      consumer,
      secretName: exampleSecret,
      target: { kind: 'queue' },
      ...(enrolment === undefined ? {} : { enrolment }),
    });
    const role = new Role(this, `${id}Role`, {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
      description: `Role of the tasks of ${consumer}`,
    });
    application.grantConsume(role);
    if (application.queue !== undefined) {
      new CfnOutput(this, `${id}QueueUrl`, { value: application.queue.queueUrl });
    }
    new CfnOutput(this, `${id}RoleArn`, { value: role.roleArn });
  }

  private reports(choices: ExampleChoices): RotorFunction {
    const engine = engineOf(choices.rotator);
    const reports = new RotorFunction(this, 'ReportsFunction', {
      functionName: 'example-reports',
      description: 'Uses the credential; loads its credential again when Rotor asks',
      bundle: bundleOf(`reports-${engine}`, `examples/reports/${engine}.ts`),
      environment: { SECRET_ID: exampleSecret, CONSUMER: 'reports', MAX_AGE_SECONDS: choices.maxAgeSeconds },
      timeout: Duration.minutes(5),
      memorySize: 512,
      logRetention: RetentionDays.ONE_MONTH,
    });
    new CfnOutput(this, 'ReportsFunctionName', { value: reports.function.functionName });
    return reports;
  }
}
