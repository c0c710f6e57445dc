import { ArnFormat, Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { rotorSource } from '../domain/events';
import { largeWaveLabel, stateMachineName } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import { accept, acceptPattern } from './accepted';
import type { AlertTopic } from './alert-topic';
import type { RotorFunction } from './rotor-function';
import { functionNames, pascalCase } from './rotor-functions';
import { readWorkflow } from './workflow';

/** What the workflow works with. */
export interface RotationWorkflowProps {
  readonly functions: Readonly<Record<FunctionName, RotorFunction>>;
  readonly bus: EventBus;
  readonly alerts: AlertTopic;
  readonly runbookUrl: string;
  readonly logRetention: RetentionDays;
}

/** The state machine of statemachines/, with a role that may do what its text names and nothing else. */
export class RotationWorkflow extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: RotationWorkflowProps) {
    super(scope, id);
    const { functions, bus, alerts } = props;
    const arns = new Map(
      functionNames.map((name) => [`${pascalCase(name)}FunctionArn`, functions[name].function.functionArn]),
    );
    const definition = readWorkflow({
      ...Object.fromEntries(arns),
      Partition: Aws.PARTITION,
      BusName: bus.eventBusName,
      AlertTopicArn: alerts.topic.topicArn,
      RunbookUrl: props.runbookUrl,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com'),
      description: `Role of the state machine ${stateMachineName}`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: [...arns].filter(([name]) => name in definition.substitutions).map(([, arn]) => arn),
      }),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['events:PutEvents'],
        resources: [bus.eventBusArn],
        conditions: { StringEquals: { 'events:source': rotorSource } },
      }),
    );
    alerts.grantPublish(role);
    this.runLargeWaves(role);
    accept(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'Log delivery for state machines and X-Ray know no resources (Service Authorization Reference).',
    );
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName,
      role,
      definitionBody: DefinitionBody.fromString(definition.text),
      definitionSubstitutions: { ...definition.substitutions },
      tracingEnabled: true,
      logs: {
        level: LogLevel.ALL,
        // Input and output of a state hold task tokens, and a token is a capability: whoever can read logs must not
        // be able to speak for an application. Ids and errors are in the history, which has its own permissions.
        includeExecutionData: false,
        destination: new LogGroup(this, 'Logs', {
          // Groups under this prefix do not each enlarge the account's resource policy for log delivery.
          logGroupName: `/aws/vendedlogs/states/${stateMachineName}`,
          retention: props.logRetention,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    });
  }

  /** A distributed Map starts executions of its own machine; by its name, since the machine needs the role first. */
  private runLargeWaves(role: Role): void {
    const stack = Stack.of(this);
    const arnOf = (resource: string, resourceName: string) =>
      stack.formatArn({
        service: 'states',
        resource,
        resourceName,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['states:StartExecution'],
        resources: [arnOf('stateMachine', stateMachineName)],
      }),
    );
    // AWS documents the first form (Step Functions, "IAM policies for using Distributed Map states"); the ARNs that it gives
    // to iterations of a Map with a label have the second.
    const iterations = [stateMachineName, `${stateMachineName}/${largeWaveLabel}`].map((name) =>
      arnOf('execution', `${name}:*`),
    );
    role.addToPolicy(
      new PolicyStatement({
        actions: ['states:DescribeExecution', 'states:StopExecution'],
        resources: iterations,
      }),
    );
    for (const arn of iterations)
      acceptPattern(role, arn, 'Step Functions names the iterations of a distributed Map itself.');
  }
}
