import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { CfnArchive, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { busName } from '../domain/events';
import { largeWaveLabel, stateMachineName } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import type { RotatorName } from '../rotators/registry';
import { acceptPattern } from './accepted';
import { acknowledgementPattern, archivedPattern, decisionPattern } from './event-patterns';
import { AlertTopic } from './alert-topic';
import { checkRotators, checkRunbookUrl } from './checks';
import { deadLetterQueue } from './dead-letter-queue';
import { FailureWatch } from './failure-watch';
import { admitFollowRules } from './follow-rule';
import { type OtherAccounts, principalsOf } from './other-accounts';
import type { NetworkPlacement, RotorFunction } from './rotor-function';
import { rotorFunctions } from './rotor-functions';
import { mayAcknowledge } from './rotation-consumer';
import { RotationWorkflow } from './rotation-workflow';

/** How one account and region runs Rotor. Other accounts may put acknowledgements on its bus, and nothing else. */
export interface RotationOrchestratorProps extends OtherAccounts {
  /** Every rotator that its secrets need: the functions carry the drivers of these and of no others. */
  readonly rotators: readonly RotatorName[];
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
}

/**
 * Rotor itself: the bus, the workflow, its functions, and the topic that raises the alarm. One per account and region.
 *
 * The machine has a fixed name, so that the rotation function may start it by its ARN while it invokes that function:
 * neither resource refers to the other.
 */
export class RotationOrchestrator extends Construct {
  /** Rotators whose drivers the functions carry. */
  readonly rotators: readonly RotatorName[];
  readonly bus: EventBus;
  readonly alerts: AlertTopic;
  readonly functions: Readonly<Record<FunctionName, RotorFunction>>;
  readonly stateMachine: StateMachine;
  /** What EventBridge or Lambda could not deliver; an alarm watches it. */
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: RotationOrchestratorProps) {
    super(scope, id);
    checkRotators(this, props.rotators);
    checkRunbookUrl(this, props.runbookUrl);
    this.rotators = props.rotators;
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
      rotators: props.rotators,
      environment: {
        rotation: { STATE_MACHINE_ARN: stateMachineArn },
        plan: {},
        'set-secret': {},
        'test-secret': {},
        'finish-secret': {},
        usage: {},
        retire: {},
        replicas: {},
        acknowledge: {},
        'who-refused': {},
        decide: {},
        follow: { STATE_MACHINE_ARN: stateMachineArn },
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
    this.receiveAcknowledgements(props);
    new FailureWatch(this, 'FailureWatch', {
      stateMachineArn,
      executionsArn: Stack.of(this).formatArn({
        service: 'states',
        resource: 'execution',
        resourceName: stateMachineName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      }),
      alerts: this.alerts,
      deadLetters: this.deadLetters,
      runbookUrl: props.runbookUrl,
    });
    this.watchDeadLetters();
  }

  /** What the functions may do whichever secret is rotated; the rest comes with each RotatedSecret. */
  private grant(stateMachineArn: string): void {
    const { rotation, acknowledge, decide, follow, alert } = this.functions;
    const stack = Stack.of(this);
    const executions = stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${stateMachineName}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    for (const { role } of [rotation, follow]) {
      role.addToPolicy(
        new PolicyStatement({ actions: ['states:StartExecution'], resources: [stateMachineArn] }),
      );
      role.addToPolicy(
        new PolicyStatement({ actions: ['states:DescribeExecution'], resources: [executions] }),
      );
      acceptPattern(
        role,
        executions,
        'The executions of this one machine: their names are made from secret and token, so they cannot be listed here.',
      );
    }
    admitFollowRules(this);
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
        // The second is the machine as the iterations of a large wave know it.
        resources: [stateMachineArn, `${stateMachineArn}/${largeWaveLabel}`],
      }),
    );
    this.grantLookIntoLargeWaves(executions);
    decide.role.addToPolicy(
      new PolicyStatement({ actions: ['states:SendTaskSuccess'], resources: [stateMachineArn] }),
    );
    this.alerts.grantPublish(alert.role);
  }

  private grantLookIntoLargeWaves(executions: string): void {
    const { role } = this.functions['who-refused'];
    const arnOf = (resource: string) =>
      Stack.of(this).formatArn({
        service: 'states',
        resource,
        resourceName: `${stateMachineName}/${largeWaveLabel}:*`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    const grants = [
      ['states:ListMapRuns', executions],
      ['states:ListExecutions', arnOf('mapRun')],
      ['states:DescribeExecution', arnOf('execution')],
    ] as const;
    for (const [action, resource] of grants) {
      role.addToPolicy(new PolicyStatement({ actions: [action], resources: [resource] }));
      acceptPattern(
        role,
        resource,
        'Executions and Map Runs of this one machine; Step Functions names them.',
      );
    }
  }

  private archive(retention: Duration): void {
    new CfnArchive(this, 'Archive', {
      sourceArn: this.bus.eventBusArn,
      description: 'Rotations; not requests and acknowledgements, which hold task tokens',
      eventPattern: archivedPattern,
      retentionDays: retention.toDays(),
    });
  }

  private receiveAcknowledgements(others: OtherAccounts): void {
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
    new Rule(this, 'Decisions', {
      description: 'Decisions of operators to the function that completes the task of a held rotation',
      eventBus: this.bus,
      eventPattern: decisionPattern,
      targets: [
        new LambdaTarget(this.functions.decide.function, {
          deadLetterQueue: this.deadLetters,
          maxEventAge: Duration.hours(1),
          retryAttempts: 185,
        }),
      ],
    });
    for (const { name, principals } of principalsOf(others)) {
      const statement = mayAcknowledge(this.bus.eventBusArn);
      statement.sid = `Acknowledgements${name}`;
      statement.addPrincipals(...principals);
      this.bus.addToResourcePolicy(statement);
    }
  }

  private watchDeadLetters(): void {
    const alarm = new Alarm(this, 'DeadLettersAlarm', {
      alarmDescription:
        'An acknowledgement, a move of AWSCURRENT or an alert could not be delivered; it is in the dead-letter queue',
      metric: this.deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.alerts.topic));
  }
}
