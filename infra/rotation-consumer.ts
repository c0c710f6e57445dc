import { Stack, Token } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { busName, consumerSource, detailTypes } from '../domain/events';
import { consumerParameter } from '../domain/names';
import { type EnrolmentInput, parseEnrolment } from '../domain/policy';
import { checkConsumer, checkSecretName } from './checks';
import { deadLetterQueue } from './dead-letter-queue';
import { requestPattern } from './event-patterns';
import { mayListen, receiveRequests, type RequestTarget } from './request-target';
import { secretArnOf } from './secret-arns';

/** One application that uses a secret. */
export interface RotationConsumerProps {
  /** Name of the application, as its acknowledgements say it. */
  readonly consumer: string;
  readonly secretName: string;
  /** Default: the secret of that name in this account and region. */
  readonly secretArn?: string;
  readonly target: RequestTarget;
  /**
   * Default: those of domain/policy.ts: required, wave 1, 15 minutes, two reminders; and, where requests go to a bus of
   * another account, that account as the one that answers come from.
   */
  readonly enrolment?: EnrolmentInput;
  /** Name of Rotor's bus in this account and region. Default: `rotor`. */
  readonly busName?: string;
}

/**
 * Enrols an application as a consumer of a secret and brings it the requests to refresh.
 *
 * It knows the orchestrator by names alone, so it can stand in the application's own stack, deployed by its own team.
 * Only the bus has to exist before. It stands in Rotor's account and region: for an application elsewhere its target is a bus
 * there, and a `RemoteConsumer` in that account or region does the rest.
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
    checkSecretName(this, secretName, props.secretArn);
    checkConsumer(this, consumer);
    const stack = Stack.of(this);
    const name = props.busName ?? busName;
    this.busArn = stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: name });
    this.secretArn = props.secretArn ?? secretArnOf(this, secretName);
    const text = JSON.stringify({ ...answeringAccount(props.target, stack), ...props.enrolment });
    const enrolment = parseEnrolment(text, `enrolment of ${consumer}`);
    const parameter = new StringParameter(this, 'Enrolment', {
      parameterName: consumerParameter(secretName, consumer),
      description: `${consumer} uses the secret ${secretName}`,
      stringValue: text,
    });
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    const { queue, ruleTarget } = receiveRequests(
      this,
      props.target,
      this.deadLetters,
      enrolment.deadlineSeconds,
    );
    this.queue = queue;
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
    if (this.queue !== undefined) grantee.grantPrincipal.addToPrincipalPolicy(mayListen(this.queue));
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

/** The account that the answers come from, where requests leave Rotor's own by a bus. */
function answeringAccount(target: RequestTarget, { account: own }: Stack): EnrolmentInput {
  if (target.kind !== 'bus' || Token.isUnresolved(target.busArn)) return {};
  const account = target.busArn.split(':')[4];
  return account === undefined || account === own ? {} : { account };
}
