import { ScaledClock } from '../../../local/kernel/clock';
import { ServiceError, type Principal, type Surroundings } from '../../../local/kernel/service';
import { RoleStore } from '../../../local/iam/role-store';
import { AssetStore } from '../../../local/cloudformation/assets';
import type { DeploymentPorts } from '../../../local/cloudformation/deploy-stack';

const account = '111122223333';
const region = 'us-east-1';

type Input = Readonly<Record<string, unknown>>;
type Answer = (input: Input, cloud: RecordedCloud) => object;

const arn = (service: string, resource: string) => `arn:aws:${service}:${region}:${account}:${resource}`;
const named = (input: Input, member: string) => String(input[member]);
const nothing: Answer = () => ({});

/** The operations that a deployment calls, with answers in AWS's shape; any other call is an error. */
const answers: Readonly<Record<string, Answer>> = {
  'lambda:CreateFunction': (input) => ({
    FunctionArn: arn('lambda', `function:${named(input, 'FunctionName')}`),
  }),
  'lambda:AddPermission': nothing,
  'lambda:PutFunctionConcurrency': nothing,
  'lambda:PutFunctionEventInvokeConfig': nothing,
  'logs:CreateLogGroup': nothing,
  'logs:PutRetentionPolicy': nothing,
  'sfn:CreateStateMachine': (input) => ({
    stateMachineArn: arn('states', `stateMachine:${named(input, 'name')}`),
  }),
  'eventbridge:CreateEventBus': (input) => ({
    EventBusArn: arn('events', `event-bus/${named(input, 'Name')}`),
  }),
  'eventbridge:DescribeEventBus': (input, cloud) => ({
    Name: input['Name'],
    Policy: cloud.busPolicies.get(named(input, 'Name')),
  }),
  'eventbridge:PutPermission': (input, cloud) => {
    cloud.busPolicies.set(named(input, 'EventBusName'), named(input, 'Policy'));
    return {};
  },
  'eventbridge:PutRule': (input) => ({ RuleArn: arn('events', `rule/${named(input, 'Name')}`) }),
  'eventbridge:PutTargets': () => ({ FailedEntryCount: 0, FailedEntries: [] }),
  'eventbridge:CreateArchive': (input) => ({
    ArchiveArn: arn('events', `archive/${named(input, 'ArchiveName')}`),
  }),
  'sns:CreateTopic': (input) => ({ TopicArn: arn('sns', named(input, 'Name')) }),
  'sns:SetTopicAttributes': nothing,
  'sns:Subscribe': (input) => ({ SubscriptionArn: `${named(input, 'TopicArn')}:one` }),
  'kms:CreateKey': () => ({
    KeyMetadata: { KeyId: '0f0e0d0c-0000-4000-8000-000000000000', Arn: arn('kms', 'key/0f0e0d0c') },
  }),
  'kms:EnableKeyRotation': nothing,
  'kms:CreateAlias': nothing,
  'sqs:CreateQueue': (input) => ({ QueueUrl: `http://127.0.0.1/${account}/${named(input, 'QueueName')}` }),
  'sqs:SetQueueAttributes': nothing,
  'ssm:PutParameter': (input, cloud) => {
    cloud.parameters.set(named(input, 'Name'), named(input, 'Value'));
    return { Version: 1 };
  },
  'ssm:GetParameter': (input, cloud) => {
    const value = cloud.parameters.get(named(input, 'Name'));
    if (value === undefined) throw new ServiceError('ParameterNotFound', 'no such parameter');
    return { Parameter: { Name: input['Name'], Value: value } };
  },
  'secretsmanager:CreateSecret': (input, cloud) => {
    const secret = arn('secretsmanager', `secret:${named(input, 'Name')}-AbCdEf`);
    cloud.secrets.set(secret, named(input, 'SecretString'));
    return { ARN: secret };
  },
  'secretsmanager:GetSecretValue': (input, cloud) => {
    const value = cloud.secrets.get(named(input, 'SecretId'));
    if (value === undefined)
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    return { SecretString: value };
  },
  'secretsmanager:GetRandomPassword': (input) => ({
    RandomPassword: 'p'.repeat(Number(input['PasswordLength'] ?? 32)),
  }),
  'secretsmanager:PutResourcePolicy': nothing,
  'secretsmanager:RotateSecret': nothing,
};

/** Stand-ins for the services that keep what they are asked, next to the real store of roles. */
export class RecordedCloud {
  readonly calls: { readonly name: string; readonly input: Input; readonly principal: Principal }[] = [];
  readonly busPolicies = new Map<string, string>();
  readonly parameters = new Map<string, string>();
  readonly secrets = new Map<string, string>();
  readonly assets = new AssetStore();
  /** Answers in place of the table's, by operation. */
  readonly instead = new Map<string, Answer>();
  readonly roles = new RoleStore({ account, region, partition: 'aws', clock: new ScaledClock() });

  readonly surroundings: Surroundings = {
    account,
    region,
    partition: 'aws',
    clock: new ScaledClock(),
    authorize: () => undefined,
    callService: async (service, operation, input, { principal }) => {
      const name = `${service}:${operation}`;
      const answer = this.instead.get(name) ?? answers[name];
      if (answer === undefined) throw new Error(`nothing answers ${name}`);
      this.calls.push({ name, input, principal });
      return answer(input, this);
    },
  };

  readonly ports: DeploymentPorts = {
    surroundings: this.surroundings,
    operator: { kind: 'operator', arn: `arn:aws:iam::${account}:root`, account },
    roles: this.roles,
    assets: this.assets,
  };

  /** The inputs that one operation got, in order. */
  inputs(name: string): readonly Input[] {
    return this.calls.filter((call) => call.name === name).map(({ input }) => input);
  }
}
