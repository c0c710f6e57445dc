import { RemovalPolicy } from 'aws-cdk-lib';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { rotorSource } from '../domain/events';
import { stateMachineName } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import { accept } from './accepted';
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
}
