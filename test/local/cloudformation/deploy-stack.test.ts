import { deployStack, type DeployedStack } from '../../../local/cloudformation/deploy-stack';
import { DeploymentFailed } from '../../../local/cloudformation/deployment-failed';
import { ServiceError } from '../../../local/kernel/service';
import { RecordedCloud } from './recorded-cloud';

let cloud: RecordedCloud;
beforeEach(() => (cloud = new RecordedCloud()));

function deploy(
  template: object,
  options: {
    readonly parameters?: Readonly<Record<string, string>>;
    readonly exports?: Map<string, unknown>;
  } = {},
): Promise<DeployedStack> {
  const stack = { name: 'Test', template, parameters: options.parameters ?? {} };
  return deployStack(cloud.ports, stack, options.exports ?? new Map<string, unknown>());
}

/** Deploys a template with one parameter whose value is the expression, and answers what it became. */
async function valueOf(expression: unknown, more: object = {}): Promise<unknown> {
  await deploy({
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } },
      Probe: {
        Type: 'AWS::SSM::Parameter',
        DependsOn: 'Queue',
        Properties: { Name: 'probe', Type: 'String', Value: expression },
      },
    },
    ...more,
  });
  return cloud.parameters.get('probe');
}

async function failureOf(deployment: Promise<unknown>): Promise<DeploymentFailed> {
  const failure: unknown = await deployment.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(failure instanceof DeploymentFailed)) throw new Error('the deployment did not fail as it should');
  return failure;
}

describe('an intrinsic function', () => {
  test.each([
    ['Ref of a resource', { Ref: 'Queue' }, 'http://127.0.0.1/111122223333/jobs'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Fn::GetAtt', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:111122223333:jobs'],
    ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Queue.QueueName' }, 'jobs'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'AWS::Partition' }, 'b']] }, 'a-aws-b'],
    [
      'Fn::Sub',
      { 'Fn::Sub': '${AWS::AccountId}/${Queue.QueueName}/${!Literal}' },
      '111122223333/jobs/${Literal}',
    ],
    ['Fn::Sub with names', { 'Fn::Sub': ['${Mine}', { Mine: { Ref: 'AWS::Region' } }] }, 'us-east-1'],
    ['Fn::Select of Fn::Split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] }, '5'],
    ['Fn::If', { 'Fn::If': ['IsHere', 'here', 'there'] }, 'here'],
    ['Fn::If of a composed condition', { 'Fn::If': ['IsElsewhere', 'there', 'here'] }, 'here'],
    ['Fn::Base64', { 'Fn::Base64': 'text' }, 'dGV4dA=='],
  ])('%s is resolved', async (_name, expression, expected) => {
    const value = await valueOf(expression, {
      Mappings: { Sizes: { 'us-east-1': { small: '5' } } },
      Conditions: {
        IsHere: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'us-east-1'] },
        IsElsewhere: {
          'Fn::Or': [
            { 'Fn::Not': [{ Condition: 'IsHere' }] },
            { 'Fn::And': [{ Condition: 'IsHere' }, { 'Fn::Equals': ['a', 'b'] }] },
          ],
        },
      },
    });
    expect(value).toBe(expected);
  });

  test('that is not implemented is refused with its name, resource and property', async () => {
    expect(await failureOf(valueOf({ 'Fn::Cidr': ['10.0.0.0/16', 2, 8] }))).toMatchObject({
      code: 'UnsupportedFunction',
      message:
        'stack Test, Probe (AWS::SSM::Parameter), Value: UnsupportedFunction: the embedded cloud does not implement Fn::Cidr',
      place: { stack: 'Test', logicalId: 'Probe', property: 'Value' },
    });
  });

  test('that asks for an attribute nobody knows is refused', async () => {
    expect(await failureOf(valueOf({ 'Fn::GetAtt': ['Queue', 'Colour'] }))).toMatchObject({
      code: 'UnsupportedFunction',
      reason: expect.stringContaining('Colour') as string,
    });
  });
});

test('AWS::NoValue leaves a property out, and an element of a list', async () => {
  await deploy({
    Resources: {
      Policy: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          QueueName: 'q',
          VisibilityTimeout: { Ref: 'AWS::NoValue' },
          Tags: [{ Ref: 'AWS::NoValue' }, { Key: 'a', Value: 'b' }],
        },
      },
    },
  });
  expect(cloud.inputs('sqs:CreateQueue')).toEqual([{ QueueName: 'q', Attributes: {}, tags: { a: 'b' } }]);
});

test('resources are created after what they refer to and what they depend on', async () => {
  await deploy({
    Resources: {
      Third: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: '3', Type: 'String', Value: { 'Fn::Sub': '${Second}' } },
      },
      Second: {
        Type: 'AWS::SSM::Parameter',
        DependsOn: ['First'],
        Properties: { Name: '2', Type: 'String', Value: 'x' },
      },
      First: { Type: 'AWS::SSM::Parameter', Properties: { Name: '1', Type: 'String', Value: 'x' } },
    },
  });
  expect(cloud.inputs('ssm:PutParameter').map((input) => input['Name'])).toEqual(['1', '2', '3']);
});

test('a circle of references is refused and shown', async () => {
  const failure = await failureOf(
    deploy({
      Resources: {
        A: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'B' } } },
        B: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['A', 'QueueName'] } } },
      },
    }),
  );
  expect(failure.reason).toBe('circular dependency: A → B → A');
  expect(cloud.calls).toEqual([]);
});

test('an unsupported type is refused by name before anything is made', async () => {
  const failure = await failureOf(
    deploy({
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue' },
        Attachment: { Type: 'AWS::SecretsManager::SecretTargetAttachment', Properties: {} },
      },
    }),
  );
  expect(failure).toMatchObject({
    code: 'UnsupportedResourceType',
    place: { logicalId: 'Attachment', resourceType: 'AWS::SecretsManager::SecretTargetAttachment' },
  });
  expect(cloud.calls).toEqual([]);
});

test('an unsupported type behind a condition that does not hold is not made, and not refused', async () => {
  const stack = await deploy({
    Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
    Resources: { Bucket: { Type: 'AWS::S3::Bucket', Condition: 'Never' } },
  });
  expect(stack.resources).toEqual({});
});

test.each([
  ['at the top', { FileSystemConfigs: [] }, 'FileSystemConfigs'],
  ['deep inside', { LoggingConfig: { Colour: 'red' } }, 'LoggingConfig.Colour'],
])('a property that no handler knows is refused by name, %s', async (_name, extra, property) => {
  const failure = await failureOf(
    deploy({
      Resources: {
        Fn: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code: { S3Bucket: 'b', S3Key: 'k' },
            Handler: 'index.handler',
            Runtime: 'nodejs22.x',
            Role: 'arn:aws:iam::111122223333:role/r',
            ...extra,
          },
        },
      },
    }),
  );
  expect(failure).toMatchObject({ code: 'UnsupportedProperty', place: { logicalId: 'Fn', property } });
});

test.each([
  ['Transform', { Transform: 'AWS::Serverless-2016-10-31', Resources: {} }],
  ['Rules.Other', { Rules: { Other: {} }, Resources: {} }],
  ['Resources.A.UpdatePolicy', { Resources: { A: { Type: 'AWS::SQS::Queue', UpdatePolicy: {} } } }],
])('the section %s is refused by name', async (property, template) => {
  expect(await failureOf(deploy(template))).toMatchObject({
    code: 'UnsupportedProperty',
    place: { property },
  });
});

test('what a service refuses says which resource it was, and keeps the service’s code', async () => {
  cloud.instead.set('sqs:CreateQueue', () => {
    throw new ServiceError('QueueNameExists', 'A queue already exists with the same name.');
  });
  expect(await failureOf(deploy({ Resources: { Jobs: { Type: 'AWS::SQS::Queue' } } }))).toMatchObject({
    code: 'QueueNameExists',
    message:
      'stack Test, Jobs (AWS::SQS::Queue): QueueNameExists: A queue already exists with the same name.',
  });
});

test('a target that EventBridge does not take ends the deployment', async () => {
  cloud.instead.set('eventbridge:PutTargets', () => ({
    FailedEntryCount: 1,
    FailedEntries: [{ TargetId: 'T', ErrorCode: 'ValidationException', ErrorMessage: 'no such target' }],
  }));
  const rule = {
    Type: 'AWS::Events::Rule',
    Properties: { EventPattern: { source: ['a'] }, Targets: [{ Id: 'T', Arn: 'arn' }] },
  };
  expect(await failureOf(deploy({ Resources: { Rule: rule } }))).toMatchObject({
    code: 'ValidationException',
    reason: 'target T: no such target',
  });
});

describe('a parameter', () => {
  const template = (parameter: object) => ({
    Parameters: { Size: parameter },
    Resources: {
      Probe: {
        Type: 'AWS::SSM::Parameter',
        Properties: { Name: 'probe', Type: 'String', Value: { Ref: 'Size' } },
      },
    },
  });

  test('has the value that was given, else its default', async () => {
    await deploy(template({ Type: 'Number', Default: 5 }));
    expect(cloud.parameters.get('probe')).toBe('5');
    await deploy(template({ Type: 'Number', Default: 5 }), { parameters: { Size: '7' } });
    expect(cloud.parameters.get('probe')).toBe('7');
  });

  test('is looked up in Parameter Store when its type says so', async () => {
    cloud.parameters.set('/size', 'large');
    await deploy(template({ Type: 'AWS::SSM::Parameter::Value<String>', Default: '/size' }));
    expect(cloud.parameters.get('probe')).toBe('large');
  });

  test.each([
    ['without a value', { Type: 'String' }, 'parameter Size has no value'],
    [
      'outside its values',
      { Type: 'String', Default: 'x', AllowedValues: ['y'] },
      'parameter Size breaks AllowedValues',
    ],
    [
      'against its pattern',
      { Type: 'String', Default: 'x1', AllowedPattern: '[a-z]+' },
      'parameter Size breaks AllowedPattern',
    ],
    ['that is no number', { Type: 'Number', Default: 'x' }, 'parameter Size breaks Type Number'],
    [
      'of an unknown type',
      { Type: 'AWS::EC2::VPC::Id', Default: 'x' },
      'the embedded cloud does not implement parameters of type AWS::EC2::VPC::Id',
    ],
  ])('%s is refused', async (_name, parameter, reason) => {
    expect((await failureOf(deploy(template(parameter)))).reason).toBe(reason);
  });
});

describe('a dynamic reference', () => {
  test('to a secret is replaced by its value, or by one member of it', async () => {
    const arn = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:app-AbCdEf';
    cloud.secrets.set(arn, '{"username":"ada"}');
    expect(await valueOf(`user={{resolve:secretsmanager:${arn}:SecretString:username::}}!`)).toBe(
      'user=ada!',
    );
    expect(await valueOf(`{{resolve:secretsmanager:${arn}}}`)).toBe('{"username":"ada"}');
  });

  test('to a member that the secret lacks is refused without showing the secret', async () => {
    cloud.secrets.set('app', '{"password":"hunter2"}');
    const failure = await failureOf(valueOf('{{resolve:secretsmanager:app:SecretString:absent}}'));
    expect(failure.message).toContain('the secret app has no text under absent');
    expect(failure.message).not.toContain('hunter2');
  });

  test('to a parameter is replaced by its value', async () => {
    cloud.parameters.set('/host', 'db.internal');
    expect(await valueOf('{{resolve:ssm:/host}}')).toBe('db.internal');
  });

  test('of another kind is refused by name', async () => {
    const failure = await failureOf(valueOf('{{resolve:ssm-secure:/host}}'));
    expect(failure.reason).toBe('the embedded cloud does not resolve ssm-secure references');
  });
});

test('outputs are answered, and exports are seen by later stacks', async () => {
  const exports = new Map<string, unknown>();
  const first = await deploy(
    {
      Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } } },
      Outputs: { Url: { Value: { Ref: 'Queue' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:Url' } } } },
    },
    { exports },
  );
  expect(first.outputs).toEqual({ Url: 'http://127.0.0.1/111122223333/jobs' });
  const imported = { Name: 'url', Type: 'String', Value: { 'Fn::ImportValue': 'Test:Url' } };
  await deploy({ Resources: { P: { Type: 'AWS::SSM::Parameter', Properties: imported } } }, { exports });
  expect(cloud.parameters.get('url')).toBe('http://127.0.0.1/111122223333/jobs');
});

test('a value that no stack exports is refused', async () => {
  expect((await failureOf(valueOf({ 'Fn::ImportValue': 'Absent' }))).reason).toBe('no stack exports Absent');
});

test('names are made of stack, logical id and chance, within the service’s length', async () => {
  const id = 'ALogicalIdThatIsFarTooLongForTheSixtyFourCharactersOfARole0123456789';
  const stack = await deploy({
    Resources: {
      Queue: { Type: 'AWS::SQS::Queue' },
      [id]: {
        Type: 'AWS::IAM::Role',
        Properties: { AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] } },
      },
    },
  });
  expect(stack.resources['Queue']?.attributes['QueueName']).toMatch(/^Test-Queue-[A-Z0-9]{12}$/);
  const role = stack.resources[id]?.physicalId ?? '';
  expect(role).toMatch(/^Test-ALogicalId.*-[A-Z0-9]{12}$/);
  expect(role).toHaveLength(64);
});

test('whoever observes is waited for, so that a secret can be filled before its schedule tests it', async () => {
  const secret = {
    Type: 'AWS::SecretsManager::Secret',
    Properties: { Name: 'app', SecretString: 'made up' },
  };
  const schedule = {
    Type: 'AWS::SecretsManager::RotationSchedule',
    Properties: { SecretId: { Ref: 'Secret' }, RotationLambdaARN: 'arn:lambda' },
  };
  const seen: unknown[] = [];
  cloud.instead.set('secretsmanager:RotateSecret', (input) => {
    seen.push(cloud.secrets.get(String(input['SecretId'])));
    return {};
  });
  const observe = async (
    _stack: string,
    logicalId: string,
    { physicalId }: { readonly physicalId: string },
  ) => {
    await Promise.resolve();
    if (logicalId === 'Secret') cloud.secrets.set(physicalId, 'real');
  };
  const template = { Resources: { Schedule: schedule, Secret: secret } };
  await deployStack({ ...cloud.ports, observe }, { name: 'Test', template }, new Map());
  expect(seen).toEqual(['real']);
});
