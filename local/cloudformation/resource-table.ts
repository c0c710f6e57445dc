import type { ResourceHandler } from './resource-handler';
import { alarm } from './resources/alarm';
import { cdkMetadata } from './resources/cdk-metadata';
import { eventArchive } from './resources/event-archive';
import { eventBus } from './resources/event-bus';
import { eventBusPolicy } from './resources/event-bus-policy';
import { eventRule } from './resources/event-rule';
import { kmsAlias } from './resources/kms-alias';
import { kmsKey } from './resources/kms-key';
import { lambdaEventInvokeConfig } from './resources/lambda-event-invoke-config';
import { lambdaFunction } from './resources/lambda-function';
import { lambdaPermission } from './resources/lambda-permission';
import { logGroup } from './resources/log-group';
import { managedPolicy } from './resources/managed-policy';
import { parameter } from './resources/parameter';
import { policy } from './resources/policy';
import { queue } from './resources/queue';
import { queuePolicy } from './resources/queue-policy';
import { role } from './resources/role';
import { rotationSchedule } from './resources/rotation-schedule';
import { secret } from './resources/secret';
import { secretPolicy } from './resources/secret-policy';
import { stateMachine } from './resources/state-machine';
import { subscription } from './resources/subscription';
import { topic } from './resources/topic';
import { topicPolicy } from './resources/topic-policy';

/** Every resource type that can be deployed; any other is refused by name. */
export const resourceTable = {
  'AWS::CDK::Metadata': cdkMetadata,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::Events::Archive': eventArchive,
  'AWS::Events::EventBus': eventBus,
  'AWS::Events::EventBusPolicy': eventBusPolicy,
  'AWS::Events::Rule': eventRule,
  'AWS::IAM::ManagedPolicy': managedPolicy,
  'AWS::IAM::Policy': policy,
  'AWS::IAM::Role': role,
  'AWS::KMS::Alias': kmsAlias,
  'AWS::KMS::Key': kmsKey,
  'AWS::Lambda::EventInvokeConfig': lambdaEventInvokeConfig,
  'AWS::Lambda::Function': lambdaFunction,
  'AWS::Lambda::Permission': lambdaPermission,
  'AWS::Logs::LogGroup': logGroup,
  'AWS::SNS::Subscription': subscription,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': topicPolicy,
  'AWS::SQS::Queue': queue,
  'AWS::SQS::QueuePolicy': queuePolicy,
  'AWS::SSM::Parameter': parameter,
  'AWS::SecretsManager::ResourcePolicy': secretPolicy,
  'AWS::SecretsManager::RotationSchedule': rotationSchedule,
  'AWS::SecretsManager::Secret': secret,
  'AWS::StepFunctions::StateMachine': stateMachine,
} as const satisfies Readonly<Record<string, ResourceHandler>>;

/** The handler of a resource type; undefined when it cannot be deployed. */
export function handlerOf(type: string): ResourceHandler | undefined {
  return Object.hasOwn(resourceTable, type)
    ? (resourceTable as Readonly<Record<string, ResourceHandler>>)[type]
    : undefined;
}
