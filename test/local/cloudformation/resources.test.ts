import { deployStack, type DeployedStack } from '../../../local/cloudformation/deploy-stack';
import { RecordedCloud } from './recorded-cloud';

let cloud: RecordedCloud;
beforeEach(() => (cloud = new RecordedCloud()));

function deploy(Resources: object): Promise<DeployedStack> {
  return deployStack(cloud.ports, { name: 'Test', template: { Resources } }, new Map());
}

const allow = (Action: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
});
const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

test('a role has its inline policies, those added later and its managed ones', async () => {
  const stack = await deploy({
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'worker',
        AssumeRolePolicyDocument: trust,
        Policies: [{ PolicyName: 'inline', PolicyDocument: allow('ssm:GetParameter') }],
        ManagedPolicyArns: ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
      },
    },
    Later: {
      Type: 'AWS::IAM::Policy',
      Properties: { PolicyName: 'later', PolicyDocument: allow('sns:Publish'), Roles: [{ Ref: 'Role' }] },
    },
    Managed: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: { PolicyDocument: allow('sqs:SendMessage'), Roles: [{ Ref: 'Role' }] },
    },
  });
  const arn = 'arn:aws:iam::111122223333:role/worker';
  expect(stack.resources['Role']).toMatchObject({ physicalId: 'worker', attributes: { Arn: arn } });
  expect(cloud.roles.identityPolicies(arn)).toHaveLength(4);
  expect(cloud.roles.trustPolicy(arn)).toEqual(trust);
});

test('a function is created with its settings, and its concurrency is reserved', async () => {
  const stack = await deploy({
    Fn: {
      Type: 'AWS::Lambda::Function',
      Properties: {
        FunctionName: 'rotor-plan',
        Code: { S3Bucket: 'assets', S3Key: 'hash.zip' },
        Handler: 'index.handler',
        Runtime: 'nodejs22.x',
        Role: 'arn:aws:iam::111122223333:role/r',
        Timeout: '60',
        Environment: { Variables: { A: 1 } },
        ReservedConcurrentExecutions: 10,
        Tags: [{ Key: 'team', Value: 'rotor' }],
      },
    },
    Permission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: { 'Fn::GetAtt': ['Fn', 'Arn'] },
        Action: 'lambda:InvokeFunction',
        Principal: 'secretsmanager.amazonaws.com',
        SourceAccount: { Ref: 'AWS::AccountId' },
      },
    },
  });
  const arn = 'arn:aws:lambda:us-east-1:111122223333:function:rotor-plan';
  expect(stack.resources['Fn']).toMatchObject({ physicalId: 'rotor-plan', attributes: { Arn: arn } });
  expect(cloud.inputs('lambda:CreateFunction')).toEqual([
    {
      FunctionName: 'rotor-plan',
      Code: { S3Bucket: 'assets', S3Key: 'hash.zip' },
      Handler: 'index.handler',
      Runtime: 'nodejs22.x',
      Role: 'arn:aws:iam::111122223333:role/r',
      Timeout: 60,
      Environment: { Variables: { A: '1' } },
      Tags: { team: 'rotor' },
    },
  ]);
  expect(cloud.inputs('lambda:PutFunctionConcurrency')).toEqual([
    { FunctionName: 'rotor-plan', ReservedConcurrentExecutions: 10 },
  ]);
  expect(cloud.inputs('lambda:AddPermission')).toEqual([
    {
      FunctionName: arn,
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: '111122223333',
      StatementId: expect.stringMatching(/^Test-Permission-[A-Z0-9]{12}$/) as string,
    },
  ]);
  expect(cloud.calls.every(({ principal }) => principal.kind === 'operator')).toBe(true);
});

test('a state machine’s definition gets its substitutions, and keeps what they do not name', async () => {
  const stack = await deploy({
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'rotor-alerts' } },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        StateMachineName: 'rotor-rotation',
        RoleArn: 'arn:aws:iam::111122223333:role/r',
        DefinitionString: '{"topic":"${TopicArn}","kept":"${Other}"}',
        DefinitionSubstitutions: { TopicArn: { Ref: 'Topic' } },
        LoggingConfiguration: {
          Level: 'ALL',
          IncludeExecutionData: false,
          Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: 'arn:logs' } }],
        },
        TracingConfiguration: { Enabled: true },
      },
    },
  });
  expect(cloud.inputs('sfn:CreateStateMachine')).toEqual([
    {
      name: 'rotor-rotation',
      definition: '{"topic":"arn:aws:sns:us-east-1:111122223333:rotor-alerts","kept":"${Other}"}',
      roleArn: 'arn:aws:iam::111122223333:role/r',
      loggingConfiguration: {
        level: 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: 'arn:logs' } }],
      },
      tracingConfiguration: { enabled: true },
    },
  ]);
  expect(stack.resources['Machine']?.attributes['Name']).toBe('rotor-rotation');
});

test('a rule on a bus is known by bus and name, and its targets are put on it', async () => {
  const stack = await deploy({
    Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'rotor' } },
    Rule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: 'acknowledgements',
        EventBusName: { Ref: 'Bus' },
        EventPattern: { 'detail-type': ['Secret Refresh Acknowledged'] },
        Targets: [{ Id: 'T', Arn: 'arn:target', DeadLetterConfig: { Arn: 'arn:dead' } }],
      },
    },
    Archive: {
      Type: 'AWS::Events::Archive',
      Properties: {
        SourceArn: { 'Fn::GetAtt': ['Bus', 'Arn'] },
        EventPattern: { source: ['rotor'] },
        RetentionDays: 7,
      },
    },
  });
  expect(stack.resources['Rule']?.physicalId).toBe('rotor|acknowledgements');
  expect(cloud.inputs('eventbridge:PutRule')).toEqual([
    {
      Name: 'acknowledgements',
      EventBusName: 'rotor',
      EventPattern: '{"detail-type":["Secret Refresh Acknowledged"]}',
    },
  ]);
  expect(cloud.inputs('eventbridge:PutTargets')).toEqual([
    {
      Rule: 'acknowledgements',
      EventBusName: 'rotor',
      Targets: [{ Id: 'T', Arn: 'arn:target', DeadLetterConfig: { Arn: 'arn:dead' } }],
    },
  ]);
  expect(cloud.inputs('eventbridge:CreateArchive')).toMatchObject([
    { EventSourceArn: 'arn:aws:events:us-east-1:111122223333:event-bus/rotor', RetentionDays: 7 },
  ]);
});

test('two statements of one bus policy stand beside each other', async () => {
  const statement = (Sid: string) => ({
    Type: 'AWS::Events::EventBusPolicy',
    Properties: {
      EventBusName: 'rotor',
      StatementId: Sid,
      Statement: { Effect: 'Allow', Action: 'events:PutEvents' },
    },
  });
  await deploy({ One: statement('one'), Two: statement('two') });
  const policy = JSON.parse(cloud.busPolicies.get('rotor') ?? '{}') as { Statement: { Sid: string }[] };
  expect(policy.Statement.map(({ Sid }) => Sid)).toEqual(['one', 'two']);
});

test('a topic has its key, its policy and its subscriptions', async () => {
  await deploy({
    Key: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true, KeyPolicy: allow('kms:*') } },
    Alias: {
      Type: 'AWS::KMS::Alias',
      Properties: { AliasName: 'alias/rotor', TargetKeyId: { 'Fn::GetAtt': ['Key', 'Arn'] } },
    },
    Topic: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 't', KmsMasterKeyId: { Ref: 'Key' } } },
    Policy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: { Topics: [{ Ref: 'Topic' }], PolicyDocument: allow('sns:Publish') },
    },
    Mail: {
      Type: 'AWS::SNS::Subscription',
      Properties: {
        TopicArn: { Ref: 'Topic' },
        Protocol: 'email',
        Endpoint: 'ops@example.com',
        FilterPolicy: { a: ['b'] },
      },
    },
  });
  const topic = 'arn:aws:sns:us-east-1:111122223333:t';
  expect(cloud.inputs('kms:CreateKey')).toEqual([{ Policy: JSON.stringify(allow('kms:*')) }]);
  expect(cloud.inputs('kms:EnableKeyRotation')).toHaveLength(1);
  expect(cloud.inputs('kms:CreateAlias')).toEqual([
    { AliasName: 'alias/rotor', TargetKeyId: 'arn:aws:kms:us-east-1:111122223333:key/0f0e0d0c' },
  ]);
  expect(cloud.inputs('sns:CreateTopic')).toEqual([
    { Name: 't', Attributes: { KmsMasterKeyId: '0f0e0d0c-0000-4000-8000-000000000000' } },
  ]);
  expect(cloud.inputs('sns:SetTopicAttributes')).toEqual([
    { TopicArn: topic, AttributeName: 'Policy', AttributeValue: JSON.stringify(allow('sns:Publish')) },
  ]);
  expect(cloud.inputs('sns:Subscribe')).toEqual([
    {
      TopicArn: topic,
      Protocol: 'email',
      Endpoint: 'ops@example.com',
      ReturnSubscriptionArn: true,
      Attributes: { FilterPolicy: '{"a":["b"]}' },
    },
  ]);
});

test('a queue’s settings become attributes, and its policy is set on its URL', async () => {
  await deploy({
    Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead', MessageRetentionPeriod: 1_209_600 } },
    Queue: {
      Type: 'AWS::SQS::Queue',
      Properties: {
        QueueName: 'jobs',
        SqsManagedSseEnabled: true,
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 3 },
      },
    },
    Policy: {
      Type: 'AWS::SQS::QueuePolicy',
      Properties: { Queues: [{ Ref: 'Queue' }], PolicyDocument: allow('sqs:*') },
    },
  });
  expect(cloud.inputs('sqs:CreateQueue')).toEqual([
    { QueueName: 'dead', Attributes: { MessageRetentionPeriod: '1209600' } },
    {
      QueueName: 'jobs',
      Attributes: {
        SqsManagedSseEnabled: 'true',
        RedrivePolicy:
          '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead","maxReceiveCount":3}',
      },
    },
  ]);
  expect(cloud.inputs('sqs:SetQueueAttributes')).toEqual([
    {
      QueueUrl: 'http://127.0.0.1/111122223333/jobs',
      Attributes: { Policy: JSON.stringify(allow('sqs:*')) },
    },
  ]);
});

describe('a secret', () => {
  const secret = (Properties: object) => ({ Secret: { Type: 'AWS::SecretsManager::Secret', Properties } });

  test('is generated into its template', async () => {
    await deploy(
      secret({
        Name: 'app',
        GenerateSecretString: {
          SecretStringTemplate: '{"username":"ada","port":5432}',
          GenerateStringKey: 'password',
          PasswordLength: 20,
          ExcludeCharacters: '"@/',
        },
      }),
    );
    expect(cloud.inputs('secretsmanager:GetRandomPassword')).toEqual([
      { PasswordLength: 20, ExcludeCharacters: '"@/' },
    ]);
    const [created] = cloud.inputs('secretsmanager:CreateSecret');
    expect(JSON.parse(String(created?.['SecretString']))).toEqual({
      username: 'ada',
      port: 5432,
      password: 'p'.repeat(20),
    });
  });

  test('without a name gets one of logical id and chance', async () => {
    await deploy(secret({ SecretString: 'x' }));
    expect(cloud.inputs('secretsmanager:CreateSecret')[0]?.['Name']).toMatch(/^Secret-[A-Z0-9]{12}$/);
  });

  test('cannot be given and generated', async () => {
    await expect(deploy(secret({ SecretString: 'x', GenerateSecretString: {} }))).rejects.toMatchObject({
      code: 'TemplateInvalid',
      place: { property: 'SecretString' },
    });
  });

  test('has its policy and its schedule, and rotates at once unless the template says no', async () => {
    const schedule = (more: object) => ({
      Type: 'AWS::SecretsManager::RotationSchedule',
      Properties: {
        SecretId: { Ref: 'Secret' },
        RotationLambdaARN: 'arn:lambda',
        RotationRules: { ScheduleExpression: 'rate(10 days)', Duration: '4h' },
        ...more,
      },
    });
    await deploy({
      ...secret({ Name: 'app', SecretString: 'x' }),
      Policy: {
        Type: 'AWS::SecretsManager::ResourcePolicy',
        Properties: {
          SecretId: { Ref: 'Secret' },
          ResourcePolicy: allow('secretsmanager:*'),
          BlockPublicPolicy: true,
        },
      },
      Quiet: schedule({ RotateImmediatelyOnUpdate: false }),
      Loud: schedule({}),
    });
    const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf';
    expect(cloud.inputs('secretsmanager:PutResourcePolicy')).toEqual([
      { SecretId: arn, ResourcePolicy: JSON.stringify(allow('secretsmanager:*')), BlockPublicPolicy: true },
    ]);
    expect(cloud.inputs('secretsmanager:RotateSecret')).toMatchObject([
      {
        SecretId: arn,
        RotationLambdaARN: 'arn:lambda',
        RotationRules: { ScheduleExpression: 'rate(10 days)', Duration: '4h' },
        RotateImmediately: false,
      },
      { RotateImmediately: true },
    ]);
  });
});

test('a parameter’s tags become a list, a log group’s retention a call, an alarm a name', async () => {
  const stack = await deploy({
    Parameter: {
      Type: 'AWS::SSM::Parameter',
      Properties: { Name: '/a', Type: 'String', Value: 'v', Tags: { team: 'rotor' } },
    },
    Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/aws/lambda/x', RetentionInDays: 30 } },
    Alarm: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: 'loud',
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        Threshold: 0.5,
      },
    },
  });
  expect(cloud.inputs('ssm:PutParameter')).toEqual([
    { Name: '/a', Type: 'String', Value: 'v', Tags: [{ Key: 'team', Value: 'rotor' }] },
  ]);
  expect(cloud.inputs('logs:PutRetentionPolicy')).toEqual([
    { logGroupName: '/aws/lambda/x', retentionInDays: 30 },
  ]);
  expect(stack.resources['Logs']?.attributes['Arn']).toBe(
    'arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/x:*',
  );
  expect(stack.resources['Alarm']?.physicalId).toBe('loud');
});
