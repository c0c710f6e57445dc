import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { detailTypes } from '../../domain/events';
import { environments, type FunctionName } from '../../functions/environment';
import { functionNames } from '../../infra/rotor-functions';
import {
  allowedTo,
  type Json,
  orchestratorIn,
  resource,
  resources,
  stack,
  statements,
  written,
} from './templates';

const template = (() => {
  const scope = stack();
  orchestratorIn(scope);
  return Template.fromStack(scope);
})();

function functionNamed(name: FunctionName, from = template): Json {
  return resource(from, 'AWS::Lambda::Function', `"rotor-${name}"`).Properties;
}

describe('functions', () => {
  it.each(functionNames)('%s runs on ARM, on a current Node, traced', (name) => {
    expect(functionNamed(name)).toMatchObject({
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      TracingConfig: { Mode: 'Active' },
    });
  });

  it.each(functionNames)('%s finds the variables in its environment that its code reads', (name) => {
    const environment = functionNamed(name)['Environment'] as { readonly Variables: Json } | undefined;
    // Amazon's own authorities, for RDS: read by Node itself.
    const forTargets = ['set-secret', 'test-secret', 'usage', 'retire'].includes(name)
      ? ['NODE_EXTRA_CA_CERTS']
      : [];
    expect(Object.keys(environment?.Variables ?? {}).sort()).toEqual(
      [...environments[name], ...forTargets].sort(),
    );
  });

  it('the rotation function knows the machine by its name, so that neither resource needs the other', () => {
    const { Variables } = functionNamed('rotation')['Environment'] as { readonly Variables: Json };
    expect(written(Variables['STATE_MACHINE_ARN'])).toBe(
      'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:rotor-rotation',
    );
  });

  it('the rotation function may wait as long as Secrets Manager does, the others no longer than their task', () => {
    const timeouts = Object.fromEntries(functionNames.map((name) => [name, functionNamed(name)['Timeout']]));
    expect(timeouts).toEqual({
      rotation: 900,
      plan: 30,
      replicas: 30,
      'set-secret': 60,
      'test-secret': 60,
      'finish-secret': 30,
      usage: 120,
      retire: 60,
      acknowledge: 30,
      'who-refused': 30,
      decide: 30,
      follow: 30,
      alert: 30,
    });
  });

  it('concurrency is reserved for the rotation function alone, and only if asked', () => {
    const scope = stack();
    orchestratorIn(scope, { reservedConcurrency: 10 });
    const reserving = Template.fromStack(scope);
    expect(functionNamed('rotation', reserving)['ReservedConcurrentExecutions']).toBe(10);
    expect(functionNamed('plan', reserving)).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(functionNamed('rotation')).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('those that reach targets, and only those, can be placed in a VPC', () => {
    const scope = stack();
    const vpc = Vpc.fromVpcAttributes(scope, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: ['eu-central-1a'],
      privateSubnetIds: ['subnet-0123456789abcdef0'],
    });
    const securityGroups = [SecurityGroup.fromSecurityGroupId(scope, 'Group', 'sg-0123456789abcdef0')];
    orchestratorIn(scope, { network: { vpc, securityGroups } });
    const placed = Template.fromStack(scope);
    const inside = functionNames.filter((name) => functionNamed(name, placed)['VpcConfig'] !== undefined);
    expect(inside).toEqual(['set-secret', 'test-secret', 'usage', 'retire']);
    // Without these Lambda would refuse to make the function.
    const managing = functionNames.filter((name) =>
      allowedTo(placed, `Role of the function rotor-${name}`).some(({ actions }) =>
        actions.includes('ec2:CreateNetworkInterface'),
      ),
    );
    expect(managing).toEqual(inside);
    expect(functionNamed('usage', placed)['VpcConfig']).toEqual({
      SecurityGroupIds: ['sg-0123456789abcdef0'],
      SubnetIds: ['subnet-0123456789abcdef0'],
    });
  });

  it('logs are kept as long as histories, or as long as asked', () => {
    const retentions = (from: Template) =>
      new Set(resources(from, 'AWS::Logs::LogGroup').map(({ Properties }) => Properties['RetentionInDays']));
    expect(retentions(template)).toEqual(new Set([90]));
    const scope = stack();
    orchestratorIn(scope, { logRetention: RetentionDays.ONE_YEAR });
    expect(retentions(Template.fromStack(scope))).toEqual(new Set([365]));
  });
});

describe('workflow', () => {
  const machine = resource(template, 'AWS::StepFunctions::StateMachine').Properties;

  it('has the fixed name by which the rotation function starts it, and is a standard one', () => {
    expect(machine['StateMachineName']).toBe('rotor-rotation');
    expect(machine['StateMachineType'] ?? 'STANDARD').toBe('STANDARD');
  });

  it('is traced, and logs every event without the data, which holds task tokens', () => {
    expect(machine['TracingConfiguration']).toEqual({ Enabled: true });
    expect(machine['LoggingConfiguration']).toMatchObject({ Level: 'ALL', IncludeExecutionData: false });
  });

  it('is deployed as JSON, and every value in it is given', () => {
    const text = String(machine['DefinitionString']);
    const definition = JSON.parse(text) as Json;
    expect(definition['QueryLanguage']).toBe('JSONata');
    expect(Object.keys(definition).filter((member) => member.startsWith('x-'))).toEqual([]);
    const named = new Set([...text.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    expect(new Set(Object.keys(machine['DefinitionSubstitutions'] as Json))).toEqual(named);
  });
});

describe('bus', () => {
  it('archives how rotations went, and nothing that holds a task token', () => {
    const archive = resource(template, 'AWS::Events::Archive').Properties;
    expect(archive['EventPattern']).toEqual({
      source: ['rotor'],
      'detail-type': [detailTypes.started, detailTypes.succeeded, detailTypes.failed, detailTypes.held],
    });
    expect(archive['RetentionDays']).toBe(90);
  });

  it('keeps its archive as long as asked', () => {
    const scope = stack();
    orchestratorIn(scope, { archiveRetention: Duration.days(7) });
    expect(resource(Template.fromStack(scope), 'AWS::Events::Archive').Properties['RetentionDays']).toBe(7);
  });

  it('brings decisions, and only what comes from operators, to the function that completes holds', () => {
    const rule = resource(template, 'AWS::Events::Rule', detailTypes.decided).Properties;
    expect(rule['EventPattern']).toEqual({
      source: ['rotor.operator'],
      'detail-type': [detailTypes.decided],
    });
    expect(JSON.stringify(rule['Targets'])).toContain('Decide');
  });

  it('brings acknowledgements, and only what comes from consumers, to the function that completes tasks', () => {
    const rule = resource(template, 'AWS::Events::Rule', detailTypes.refreshAcknowledged).Properties;
    expect(rule['EventPattern']).toEqual({
      source: ['rotor.consumer'],
      'detail-type': [detailTypes.refreshAcknowledged],
    });
    const [target, ...others] = rule['Targets'] as readonly Json[];
    expect(others).toEqual([]);
    expect(written(target?.['Arn'])).toMatch(/^<RotorAcknowledgeFunction/);
    expect(target).toMatchObject({
      DeadLetterConfig: expect.anything() as unknown,
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 185 },
    });
  });

  it('is closed to other accounts unless they are named', () => {
    expect(resources(template, 'AWS::Events::EventBusPolicy')).toEqual([]);
  });

  it('lets a named account put acknowledgements and nothing else', () => {
    const scope = stack();
    orchestratorIn(scope, { consumerAccounts: ['444455556666'] });
    const { Properties } = resource(Template.fromStack(scope), 'AWS::Events::EventBusPolicy');
    expect(Properties['Statement']).toMatchObject({
      Effect: 'Allow',
      Action: 'events:PutEvents',
      Condition: {
        StringEquals: {
          'events:source': 'rotor.consumer',
          'events:detail-type': detailTypes.refreshAcknowledged,
        },
      },
    });
    expect(JSON.stringify(Properties['Statement'])).toContain(':iam::444455556666:root');
  });
});

describe('alerts', () => {
  const watch = resource(template, 'AWS::Events::Rule', 'aws.states').Properties;
  const [target] = watch['Targets'] as readonly Json[];

  it('a workflow that dies without a report of its own is heard on the default bus', () => {
    expect(watch).not.toHaveProperty('EventBusName');
    const pattern = watch['EventPattern'] as { readonly detail: Json } & Json;
    const { stateMachineArn, executionArn, ...others } = pattern.detail;
    expect({ ...pattern, detail: others }).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        $or: [
          { status: ['TIMED_OUT', 'ABORTED'] },
          { status: ['FAILED'], error: [{ 'anything-but': ['RotationFailed'] }, { exists: false }] },
        ],
      },
    });
    expect(
      (executionArn as readonly { readonly prefix: unknown }[]).map(({ prefix }) => written(prefix)),
    ).toEqual(['arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:rotor-rotation:']);
    expect((stateMachineArn as readonly unknown[]).map(written)).toEqual([
      'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:rotor-rotation',
    ]);
  });

  it('the error that the watch leaves out is the one with which the workflow ends after its own alert', () => {
    const definition = String(
      resource(template, 'AWS::StepFunctions::StateMachine').Properties['DefinitionString'],
    );
    const { States } = JSON.parse(definition) as { readonly States: Readonly<Record<string, Json>> };
    expect(States['RotationFailed']).toMatchObject({ Type: 'Fail', Error: 'RotationFailed' });
  });

  it('the watch goes straight to the topic, in words, with names and ids from the event and no data', () => {
    expect(written(target?.['Arn'])).toMatch(/^<RotorAlertsTopic/);
    const transformer = target?.['InputTransformer'] as {
      readonly InputPathsMap: Json;
      readonly InputTemplate: unknown;
    };
    expect(Object.values(transformer.InputPathsMap).sort()).toEqual([
      '$.detail.error',
      '$.detail.executionArn',
      '$.detail.name',
      '$.detail.status',
    ]);
    expect(written(transformer.InputTemplate)).toMatch(
      /^"Rotor: .*What to do: https:\/\/example\.com\/errors#.*"$/,
    );
    expect(target?.['DeadLetterConfig']).toBeDefined();
  });

  it('the topic takes messages over TLS only, from EventBridge and from alarms of this account', () => {
    const { Properties } = resource(template, 'AWS::SNS::TopicPolicy');
    expect(
      statements(Properties['PolicyDocument']).map(({ effect, condition }) => [effect, condition]),
    ).toEqual([
      ['Deny', { Bool: { 'aws:SecureTransport': 'false' } }],
      ['Allow', undefined],
      ['Allow', { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } }],
    ]);
  });

  it('the topic is encrypted with a key of the customer, which is rotated and lets those two services in', () => {
    const topic = resource(template, 'AWS::SNS::Topic').Properties;
    const key = resource(template, 'AWS::KMS::Key');
    expect(written(topic['KmsMasterKeyId'])).toBe(`<${key.id}.Arn>`);
    expect(key.Properties['EnableKeyRotation']).toBe(true);
    const [administration, ...services] = (
      key.Properties['KeyPolicy'] as { readonly Statement: readonly Json[] }
    ).Statement;
    expect(JSON.stringify(administration?.['Principal'])).toContain(':root');
    expect(services.map(({ Principal, Action, Condition }) => ({ Principal, Action, Condition }))).toEqual([
      {
        Principal: { Service: 'events.amazonaws.com' },
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Condition: { StringEqualsIfExists: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
      {
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
      },
    ]);
  });

  it('what could not be delivered is kept for two weeks, and an alarm says so', () => {
    const queue = resource(template, 'AWS::SQS::Queue');
    expect(queue.Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600, SqsManagedSseEnabled: true });
    const alarm = resource(template, 'AWS::CloudWatch::Alarm').Properties;
    expect(alarm).toMatchObject({
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Threshold: 1,
      Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue.id, 'QueueName'] } }],
    });
    expect((alarm['AlarmActions'] as readonly unknown[]).map(written)).toEqual([
      `<${resource(template, 'AWS::SNS::Topic').id}>`,
    ]);
  });
});
