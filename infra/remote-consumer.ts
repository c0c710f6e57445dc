import { ArnFormat, Stack, Token } from 'aws-cdk-lib';
import { type IEventBusRef, Rule } from 'aws-cdk-lib/aws-events';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { checkConsumer, checkSecretName } from './checks';
import { deadLetterQueue } from './dead-letter-queue';
import { requestPattern } from './event-patterns';
import { type ApplicationTarget, mayListen, receiveRequests } from './request-target';
import { mayAcknowledge } from './rotation-consumer';

/** An application in another account or region than Rotor. */
export interface RemoteConsumerProps {
  /** Name under which a `RotationConsumer` in Rotor's account has enrolled it. */
  readonly consumer: string;
  readonly secretName: string;
  /** The complete ARN of what the application reads: Rotor's secret, or its replica in the application's region. */
  readonly secretArn: string;
  /** ARN of the key of that secret. A secret of another account cannot be read without one of your own making. */
  readonly encryptionKeyArn?: string;
  /** ARN of Rotor's bus, where acknowledgements go. */
  readonly rotorBusArn: string;
  /** The bus on which requests arrive: that of this account's and region's `RequestBus`. */
  readonly requestBus: IEventBusRef;
  readonly target: ApplicationTarget;
  /** As in the enrolment: beyond it an undelivered request is given up. Default: 900. */
  readonly deadlineSeconds?: number;
}

/**
 * Brings one application its requests from the bus on which its account or region hears a Rotor that runs elsewhere.
 *
 * The other half is a `RotationConsumer` in Rotor's account and region whose target is that bus. This half is deployed
 * first: whoever is enrolled is waited for.
 */
export class RemoteConsumer extends Construct {
  /** The queue that the application listens on, where there is one. */
  readonly queue: IQueue | undefined;
  /** Requests that could not be delivered, or that the application failed on. */
  readonly deadLetters: Queue;
  private readonly props: RemoteConsumerProps;

  constructor(scope: Construct, id: string, props: RemoteConsumerProps) {
    super(scope, id);
    this.props = props;
    const { consumer, secretName, secretArn, rotorBusArn } = props;
    checkSecretName(this, secretName);
    checkConsumer(this, consumer);
    if (
      !Token.isUnresolved(secretArn) &&
      /:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secretArn)?.[1] !== secretName
    ) {
      throw new Error(
        `${this.node.path}: secretArn must be the complete ARN of ${secretName}, with the six characters at its end`,
      );
    }
    this.refuseForeignSecretWithoutKey();
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    const { queue, ruleTarget } = receiveRequests(
      this,
      props.target,
      this.deadLetters,
      props.deadlineSeconds ?? 900,
    );
    this.queue = queue;
    new Rule(this, 'Requests', {
      description: `Requests to ${consumer} to load ${secretName} again`,
      eventBus: props.requestBus,
      eventPattern: {
        ...requestPattern(secretName, consumer),
        // The policy of the bus is for other accounts; whoever may put events in this one could imitate a request.
        account: [accountOf(rotorBusArn)],
      },
      targets: [ruleTarget],
    });
  }

  /**
   * Lets the application do what a consumer does: read the secret, acknowledge to Rotor's bus, and listen on its queue.
   *
   * Another account's secret, key and bus must allow it as well; `consumerAccounts` of `RotatedSecret` and of
   * `RotationOrchestrator` see to that.
   */
  grantConsume(grantee: IGrantable): void {
    const { secretArn, encryptionKeyArn, rotorBusArn } = this.props;
    const { grantPrincipal } = grantee;
    grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secretArn] }),
    );
    if (encryptionKeyArn !== undefined) {
      const region = Stack.of(this).splitArn(secretArn, ArnFormat.COLON_RESOURCE_NAME).region ?? '';
      grantPrincipal.addToPrincipalPolicy(
        new PolicyStatement({
          actions: ['kms:Decrypt'],
          resources: [encryptionKeyArn],
          conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
        }),
      );
    }
    grantPrincipal.addToPrincipalPolicy(mayAcknowledge(rotorBusArn));
    if (this.queue !== undefined) grantPrincipal.addToPrincipalPolicy(mayListen(this.queue));
  }

  private refuseForeignSecretWithoutKey(): void {
    const { secretArn, encryptionKeyArn } = this.props;
    const { account } = Stack.of(this);
    if (encryptionKeyArn !== undefined || Token.isUnresolved(secretArn) || Token.isUnresolved(account))
      return;
    if (accountOf(secretArn) === account) return;
    throw new Error(
      `${this.node.path}: a secret of another account can be read under a customer-managed key alone; name it as encryptionKeyArn`,
    );
  }
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}
