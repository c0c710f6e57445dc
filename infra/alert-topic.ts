import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { type IRole, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

/** What publishing to an encrypted topic needs of its key. */
const keyActions = ['kms:GenerateDataKey', 'kms:Decrypt'];

/**
 * The topic that tells people when a rotation fails, and the key that it is encrypted with.
 *
 * A key of the customer's own, because AWS services cannot publish to a topic under the AWS managed one: its policy
 * lets nobody in but the account.
 */
export class AlertTopic extends Construct {
  readonly topic: Topic;
  readonly key: Key;

  constructor(scope: Construct, id: string, topicName: string) {
    super(scope, id);
    this.key = new Key(this, 'Key', {
      alias: `alias/${topicName}`,
      description: `Encrypts messages of the topic ${topicName}`,
      enableKeyRotation: true,
      // It encrypts messages on their way and nothing that is kept, so nothing is lost with it.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.topic = new Topic(this, 'Topic', { topicName, masterKey: this.key, enforceSSL: true });
    const account = Stack.of(this).account;
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EventBridgePublishesAlerts',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: keyActions,
        resources: ['*'],
        // AWS documents that EventBridge brings no source to SNS, and not whether it brings one to the key behind it.
        // An alert must not depend on that: where there is a source, it has to be this account.
        conditions: { StringEqualsIfExists: { 'aws:SourceAccount': account } },
      }),
    );
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublishAlerts',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: keyActions,
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'EventBridgePublishesAlerts',
        principals: [new ServicePrincipal('events.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        // AWS: "You can't use of Condition blocks in Amazon SNS topic policies for EventBridge."
      }),
    );
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsPublishAlerts',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  }

  /** Lets a role publish, and use the key for that and nothing else. */
  grantPublish(role: IRole): void {
    role.addToPrincipalPolicy(
      new PolicyStatement({ actions: ['sns:Publish'], resources: [this.topic.topicArn] }),
    );
    role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: keyActions,
        resources: [this.key.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': `sns.${Stack.of(this).region}.amazonaws.com` } },
      }),
    );
  }
}
