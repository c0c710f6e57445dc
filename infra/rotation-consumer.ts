import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import {
  EventBus as BusTarget,
  LambdaFunction,
  SqsQueue,
  type TargetBaseProps,
} from 'aws-cdk-lib/aws-events-targets';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { busName, consumerSource, detailTypes } from '../domain/events';
import { consumerParameter } from '../domain/names';
import { type EnrolmentInput, parseEnrolment } from '../domain/policy';
import { accept } from './accepted';
import { deadLetterQueue } from './dead-letter-queue';
import { requestPattern } from './event-patterns';

/** Where requests to refresh go. */
export type RequestTarget =
  /** A queue that the application listens on; absent: one is made, with a dead-letter queue of its own. */
  | { readonly kind: 'queue'; readonly queue?: IQueue }
  | { readonly kind: 'function'; readonly function: IFunction }
  /** A bus of the consumer's own, in another account if need be; that account's rule takes over. */
  | { readonly kind: 'bus'; readonly busArn: string };

/** One application that uses a secret. */
export interface RotationConsumerProps {
  /** Name of the application, as its acknowledgements say it. */
  readonly consumer: string;
  readonly secretName: string;
  /** Default: the secret of that name in this account and region. */
  readonly secretArn?: string;
  readonly target: RequestTarget;
  /** Default: those of domain/policy.ts: required, wave 1, 15 minutes, two reminders. */
  readonly enrolment?: EnrolmentInput;
  /** Name of Rotor's bus in this account and region. Default: `rotor`. */
  readonly busName?: string;
}

/**
 * Enrols an application as a consumer of a secret and brings it the requests to refresh.
 *
 * It knows the orchestrator by names alone, so it can stand in the application's own stack, deployed by its own team.
 * Only the bus has to exist before.
 */
export class RotationConsumer extends Construct {
  /** The queue that the application listens on, where there is one. */
  readonly queue: IQueue | undefined;
  /** Requests that could not be delivered, or that the application failed on. */
  readonly deadLetters: Queue;
  private readonly busArn: string;
  private readonly secretArn: string;

  constructor(scope: Construct, id: string, props: RotationConsumerProps) {
    super(scope, id);
    const { consumer, secretName } = props;
    const stack = Stack.of(this);
    const name = props.busName ?? busName;
    this.busArn = stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: name });
    this.secretArn =
      props.secretArn ??
      stack.formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        // AWS appends six characters to the name.
        resourceName: `${secretName}-??????`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const text = JSON.stringify(props.enrolment ?? {});
    const enrolment = parseEnrolment(text, `enrolment of ${consumer}`);
    const parameter = new StringParameter(this, 'Enrolment', {
      parameterName: consumerParameter(secretName, consumer),
      description: `${consumer} uses the secret ${secretName}`,
      stringValue: text,
    });
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    const { queue, ruleTarget } = this.receive(props.target, {
      deadLetterQueue: this.deadLetters,
      // After its deadline nobody waits for the answer to a request. EventBridge takes a minute to a day.
      maxEventAge: Duration.seconds(Math.min(Math.max(enrolment.deadlineSeconds, 60), 86_400)),
      retryAttempts: 185,
    });
    this.queue = queue;
    if (queue === undefined) {
      accept(
        this.deadLetters,
        'AwsSolutions-SQS3',
        'This is the dead-letter queue of an EventBridge rule, and the check looks at queues and functions alone.',
      );
    }
    const rule = new Rule(this, 'Requests', {
      description: `Requests to ${consumer} to load ${secretName} again`,
      eventBus: EventBus.fromEventBusName(this, 'Bus', name),
      eventPattern: requestPattern(secretName, consumer),
      targets: [ruleTarget],
    });
    // Whoever is enrolled is waited for; so the way to it comes first.
    parameter.node.addDependency(rule);
  }

  /**
   * Lets the application do what a consumer does: read the secret, acknowledge, and listen on its queue.
   *
   * A secret under a customer-managed key needs `kms:Decrypt` beside it.
   */
  grantConsume(grantee: IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.secretArn] }),
    );
    grantee.grantPrincipal.addToPrincipalPolicy(mayAcknowledge(this.busArn));
    if (this.queue !== undefined) {
      grantee.grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({
          actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
          resources: [this.queue.queueArn],
        }),
      );
    }
  }

  private receive(
    target: RequestTarget,
    delivery: TargetBaseProps & { readonly deadLetterQueue: Queue },
  ): { readonly queue: IQueue | undefined; readonly ruleTarget: IRuleTarget } {
    switch (target.kind) {
      case 'queue': {
        const queue = target.queue ?? this.requestQueue();
        return { queue, ruleTarget: new SqsQueue(queue, delivery) };
      }
      case 'function':
        return { queue: undefined, ruleTarget: new LambdaFunction(target.function, delivery) };
      case 'bus': {
        const bus = EventBus.fromEventBusArn(this, 'Target', target.busArn);
        // How long EventBridge tries to reach a bus cannot be said in CDK; its own 24 hours hold.
        return {
          queue: undefined,
          ruleTarget: new BusTarget(bus, { deadLetterQueue: delivery.deadLetterQueue }),
        };
      }
    }
  }

  private requestQueue(): Queue {
    return new Queue(this, 'Queue', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // The client deletes a message after it has acknowledged, which takes its settle time; beyond that another
      // instance may try.
      visibilityTimeout: Duration.minutes(5),
      retentionPeriod: Duration.days(1),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 3 },
    });
  }
}

/** Leave to put acknowledgements on a bus, and nothing else: for a consumer's role, here or in another account. */
export function mayAcknowledge(busArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['events:PutEvents'],
    resources: [busArn],
    conditions: {
      StringEquals: {
        'events:source': consumerSource,
        'events:detail-type': detailTypes.refreshAcknowledged,
      },
    },
  });
}
