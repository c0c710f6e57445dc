import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { CfnArchive, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { busName } from '../domain/events';
import { stateMachineName } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import { acceptPattern } from './accepted';
import { acknowledgementPattern, archivedPattern } from './event-patterns';
import { AlertTopic } from './alert-topic';
import { deadLetterQueue } from './dead-letter-queue';
import { FailureWatch } from './failure-watch';
import type { NetworkPlacement, RotorFunction } from './rotor-function';
import { rotorFunctions } from './rotor-functions';
import { mayAcknowledge } from './rotation-consumer';
import { RotationWorkflow } from './rotation-workflow';

/** How one account and region runs Rotor. */
export interface RotationOrchestratorProps {
  /** Page with one section per error; alerts link to it. */
  readonly runbookUrl: string;
  /** Name of the bus. Default: `rotor`. */
  readonly busName?: string;
  /** Name of the topic. Default: `rotor-alerts`. */
  readonly topicName?: string;
  /** Where the functions stand that reach targets. Default: outside of any VPC, for targets with a public endpoint. */
  readonly network?: NetworkPlacement;
  /**
   * Cap on the rotation function alone. Default: none, because createSecret's waiters can fill it and starve the
   * workflows that they wait for. If you must: 10, and 2 more for each secret that may rotate at the same time.
   */
  readonly reservedConcurrency?: number;
  /** Default: three months, as long as Step Functions keeps an execution's history. */
  readonly logRetention?: RetentionDays;
  /** How long the archive keeps events. Default: 90 days, as the histories. */
  readonly archiveRetention?: Duration;
  /** Other accounts whose applications acknowledge; each may put acknowledgements on the bus and nothing else. */
  readonly consumerAccounts?: readonly string[];
}

/**
 * Rotor itself: the bus, the workflow, its functions, and the topic that raises the alarm. One per account and region.
 *
 * The machine has a fixed name, so that the rotation function may start it by its ARN while it invokes that function:
 * neither resource refers to the other.
 */
export class RotationOrchestrator extends Construct {
  readonly bus: EventBus;
  readonly alerts: AlertTopic;
  readonly functions: Readonly<Record<FunctionName, RotorFunction>>;
  readonly stateMachine: StateMachine;
  /** What EventBridge or Lambda could not deliver; an alarm watches it. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: RotationOrchestratorProps) {
    super(scope, id);
    const logRetention = props.logRetention ?? RetentionDays.THREE_MONTHS;
    const stateMachineArn = Stack.of(this).formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: stateMachineName,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: props.busName ?? busName,
      description: 'Rotations as they happen, and the word of the applications that use the secrets',
    });
    this.alerts = new AlertTopic(this, 'Alerts', props.topicName ?? 'rotor-alerts');
    this.deadLetters = deadLetterQueue(this, 'DeadLetters');
    this.functions = rotorFunctions(this, {
      name: 'rotor',
      environment: {
        rotation: { STATE_MACHINE_ARN: stateMachineArn },
        plan: {},
        'set-secret': {},
        'test-secret': {},
        'finish-secret': {},
        usage: {},
        retire: {},
        acknowledge: {},
        alert: { ALERT_TOPIC_ARN: this.alerts.topic.topicArn, RUNBOOK_URL: props.runbookUrl },
      },
      logRetention,
      reservedConcurrency: props.reservedConcurrency,
      network: props.network,
      deadLetters: this.deadLetters,
    });
    this.stateMachine = new RotationWorkflow(this, 'Workflow', {
      functions: this.functions,
      bus: this.bus,
      alerts: this.alerts,
      runbookUrl: props.runbookUrl,
      logRetention,
    }).stateMachine;
    this.grant(stateMachineArn);
    this.archive(props.archiveRetention ?? Duration.days(90));
    this.receiveAcknowledgements(props.consumerAccounts ?? []);
    new FailureWatch(this, 'FailureWatch', {
      stateMachineArn,
      alerts: this.alerts,
      deadLetters: this.deadLetters,
      runbookUrl: props.runbookUrl,
    });
    this.watchDeadLetters();
  }

  /** What the functions may do whichever secret is rotated; the rest comes with each RotatedSecret. */
  private grant(stateMachineArn: string): void {
    const { rotation, acknowledge, alert } = this.functions;
    const stack = Stack.of(this);
    const executions = stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    rotation.role.addToPolicy(
      new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
    );
    rotation.role.addToPolicy(
      new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }),
    );
    acceptPattern(
      rotation.role,
      executions,
      'The executions of this one machine: their names are made from secret and token, so they cannot be listed here.',
    );
    // The CDK helper for rotation leaves the account out, and then any account's Secrets Manager may call.
    rotation.function.addPermission('SecretsManager', {
      principal: new ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: stack.account,
      sourceArn: stack.formatArn({
        service: 'secretsmanager',
        resource: 'secret',
        resourceName: '*',
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
    });
    acknowledge.role.addToPolicy(
      new PolicyStatement({
        actions: ['states:SendTaskSuccess', 'states:SendTaskFailure', 'states:SendTaskHeartbeat'],
        resources: [stateMachineArn],
      }),
    );
    this.alerts.grantPublish(alert.role);
  }

  private archive(retention: Duration): void {
    new CfnArchive(this, 'Archive', {
      sourceArn: this.bus.eventBusArn,
      description: 'Rotations; not requests and acknowledgements, which hold task tokens',
      eventPattern: archivedPattern,
      retentionDays: retention.toDays(),
    });
  }

  private receiveAcknowledgements(accounts: readonly string[]): void {
    new Rule(this, 'Acknowledgements', {
      description: 'Acknowledgements of applications to the function that completes their tasks',
      eventBus: this.bus,
      eventPattern: acknowledgementPattern,
      targets: [
        new LambdaTarget(this.functions.acknowledge.function, {
          deadLetterQueue: this.deadLetters,
          // Beyond an hour most deadlines have passed and a reminder has brought another token.
          maxEventAge: Duration.hours(1),
          retryAttempts: 185,
        }),
      ],
    });
    for (const account of accounts) {
      const statement = mayAcknowledge(this.bus.eventBusArn);
      statement.sid = `Acknowledgements${account}`;
      statement.addPrincipals(new AccountPrincipal(account));
      this.bus.addToResourcePolicy(statement);
    }
  }

  private watchDeadLetters(): void {
    const alarm = new Alarm(this, 'DeadLettersAlarm', {
      alarmDescription:
        'An acknowledgement or an alert could not be delivered; it is in the dead-letter queue',
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.alerts.topic));
  }
}
