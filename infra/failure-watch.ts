import { Duration, Stack } from 'aws-cdk-lib';
import { EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { AlertTopic } from './alert-topic';

/** The error with which the workflow ends after it has raised its own alert. */
export const announcedFailure = 'RotationFailed';

/** What a watch needs to know. */
export interface FailureWatchProps {
  readonly stateMachineArn: string;
  /** ARN of an execution of it, without the name. */
  readonly executionsArn: string;
  readonly alerts: AlertTopic;
  readonly deadLetters: IQueue;
  readonly runbookUrl: string;
}

/**
 * Raises an alert for a workflow that could not raise one itself: timed out, aborted, or dead of an error that is
 * nobody's plan.
 *
 * It listens to Step Functions' own events and goes straight to the topic, so that nothing of Rotor has to work for
 * it. The event holds the execution's input and output; only names and ids are taken from it.
 */
export class FailureWatch extends Construct {
  constructor(scope: Construct, id: string, props: FailureWatchProps) {
    super(scope, id);
    const execution = EventField.fromPath('$.detail.executionArn');
    // By its ARN, so that the target adds no permissions of its own: it would open the key without a condition.
    const topic = Topic.fromTopicArn(this, 'Topic', props.alerts.topic.topicArn);
    new Rule(this, 'Rule', {
      description: 'Rotations that ended without an alert of their own',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [props.stateMachineArn],
          // Not the iterations of a large wave, whichever ARN of a machine their events carry.
          executionArn: [{ prefix: `${props.executionsArn}:` }],
          $or: [
            { status: ['TIMED_OUT', 'ABORTED'] },
            // An execution can fail without a name for its error; that is one more that nobody announced.
            { status: ['FAILED'], error: [{ 'anything-but': [announcedFailure] }, { exists: false }] },
          ],
        },
      },
      targets: [
        new SnsTopic(topic, {
          message: RuleTargetInput.fromText(
            [
              `Rotor: the rotation ${EventField.fromPath('$.detail.name')} ended`,
              `${EventField.fromPath('$.detail.status')} without a report of its own (error: ${EventField.fromPath('$.detail.error')}).`,
              'It was not turned back. Before AWSCURRENT has moved, Secrets Manager asks again by itself.',
              "True now: the secret's labels tell which credential is in use; the execution tells what was done last.",
              `What to do: ${props.runbookUrl}#workflowdied`,
              `Execution: https://${Stack.of(this).region}.console.aws.amazon.com/states/home#/v2/executions/details/${execution}`,
            ].join(' '),
          ),
          deadLetterQueue: props.deadLetters,
          // The longest that EventBridge tries; an alert is worth it.
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
  }
}
