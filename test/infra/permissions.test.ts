import type { Template } from 'aws-cdk-lib/assertions';
import { functionNames } from '../../infra/rotor-functions';
import { allowedTo, exampleTemplates, resource, resources, statements, written } from './templates';

const own = [
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'xray:PutTelemetryRecords',
  'xray:PutTraceSegments',
];

/** Beside its own log and trace, each function may do this and nothing else. */
const expected: Readonly<Record<string, readonly string[]>> = {
  rotation: [
    'secretsmanager:DescribeSecret <Secret>',
    'secretsmanager:GetSecretValue <Secret>',
    'secretsmanager:PutSecretValue <Secret>',
    'ssm:GetParameter parameter/rotor/secrets/example_2fapp/policy',
    'states:DescribeExecution execution:rotor-rotation:*',
    'states:StartExecution stateMachine:rotor-rotation',
  ],
  plan: [
    'ssm:GetParametersByPath parameter/rotor/secrets/example_2fapp',
    'ssm:GetParametersByPath parameter/rotor/secrets/example_2fapp/*',
  ],
  'set-secret': ['secretsmanager:GetSecretValue <Admin>', 'secretsmanager:GetSecretValue <Secret>'],
  'test-secret': ['secretsmanager:GetSecretValue <Secret>'],
  'finish-secret': [
    'secretsmanager:DescribeSecret <Secret>',
    'secretsmanager:UpdateSecretVersionStage <Secret>',
  ],
  usage: ['secretsmanager:GetSecretValue <Admin>', 'secretsmanager:GetSecretValue <Secret>'],
  retire: ['secretsmanager:GetSecretValue <Admin>', 'secretsmanager:GetSecretValue <Secret>'],
  replicas: [
    'secretsmanager:DescribeSecret arn:<AWS::Partition>:secretsmanager:*:<AWS::AccountId>:secret:example/app-??????',
  ],
  acknowledge: [
    'sqs:SendMessage <RotorDeadLetters.Arn>',
    'states:SendTaskFailure stateMachine:rotor-rotation',
    'states:SendTaskFailure stateMachine:rotor-rotation/AskLargeWave',
    'states:SendTaskHeartbeat stateMachine:rotor-rotation',
    'states:SendTaskHeartbeat stateMachine:rotor-rotation/AskLargeWave',
    'states:SendTaskSuccess stateMachine:rotor-rotation',
    'states:SendTaskSuccess stateMachine:rotor-rotation/AskLargeWave',
  ],
  'who-refused': [
    'states:DescribeExecution execution:rotor-rotation/AskLargeWave:*',
    'states:ListExecutions mapRun:rotor-rotation/AskLargeWave:*',
    'states:ListMapRuns execution:rotor-rotation:*',
  ],
  decide: ['sqs:SendMessage <RotorDeadLetters.Arn>', 'states:SendTaskSuccess stateMachine:rotor-rotation'],
  // Beside these, DescribeSecret of every secret that it follows; the example has none.
  follow: [
    'sqs:SendMessage <RotorDeadLetters.Arn>',
    'states:DescribeExecution execution:rotor-rotation:*',
    'states:StartExecution stateMachine:rotor-rotation',
  ],
  alert: [
    'kms:Decrypt <RotorAlertsKey.Arn>',
    'kms:GenerateDataKey <RotorAlertsKey.Arn>',
    'sns:Publish <RotorAlertsTopic>',
  ],
};

describe('permissions', () => {
  let rotor: Template;
  beforeAll(() => {
    ({ rotor } = exampleTemplates());
  });

  it.each(functionNames)('the function %s may do exactly what it is for', (name) => {
    const allowed = allowedTo(rotor, `Role of the function rotor-${name}`).flatMap((statement) =>
      statement.actions.flatMap((action) => statement.resources.map((where) => `${action} ${short(where)}`)),
    );
    const isOwn = (right: string) => own.some((action) => right.startsWith(`${action} `));
    expect(allowed.filter((right) => !isOwn(right)).sort()).toEqual(expected[name]);
    expect([...new Set(allowed.filter(isOwn).map((right) => right.split(' ')[0]))].sort()).toEqual(own);
  });

  it('each function writes to its own log group and no other', () => {
    for (const name of functionNames) {
      const group = resource(rotor, 'AWS::Logs::LogGroup', `"/aws/lambda/rotor-${name}"`);
      const logs = allowedTo(rotor, `Role of the function rotor-${name}`).filter(({ actions }) =>
        actions.includes('logs:PutLogEvents'),
      );
      expect(logs.map((statement) => statement.resources)).toEqual([[`<${group.id}.Arn>`]]);
    }
  });

  it('no two functions share a role', () => {
    const roles = resources(rotor, 'AWS::Lambda::Function').map(({ Properties }) =>
      written(Properties['Role']),
    );
    expect(new Set(roles).size).toBe(functionNames.length);
  });

  it('only tracing and log delivery, which know no resources, are allowed on everything', () => {
    const everywhere = resources(rotor, 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => statements(Properties['PolicyDocument']))
      .filter((statement) => statement.resources.includes('*'))
      .flatMap(({ actions }) => actions);
    expect([...new Set(everywhere)].sort()).toEqual([
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
      'xray:GetSamplingRules',
      'xray:GetSamplingTargets',
      'xray:PutTelemetryRecords',
      'xray:PutTraceSegments',
    ]);
  });

  it('no role is allowed actions by a pattern, or anything by a managed policy', () => {
    const actions = resources(rotor, 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => statements(Properties['PolicyDocument']))
      .flatMap((statement) => statement.actions);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    for (const role of resources(rotor, 'AWS::IAM::Role')) {
      expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
    }
  });

  it('labels are moved only where a rotation puts them', () => {
    const moves = allowedTo(rotor, 'Role of the function rotor-finish-secret').filter(({ actions }) =>
      actions.includes('secretsmanager:UpdateSecretVersionStage'),
    );
    expect(moves.map(({ condition }) => condition)).toEqual([
      { StringEquals: { 'secretsmanager:VersionStage': ['AWSCURRENT', 'AWSPENDING', 'rotor-held'] } },
    ]);
  });

  it('the workflow invokes exactly the functions that it names', () => {
    const workflow = resource(rotor, 'AWS::StepFunctions::StateMachine').Properties;
    const named = Object.entries(workflow['DefinitionSubstitutions'] as Readonly<Record<string, unknown>>)
      .filter(([name]) => name.endsWith('FunctionArn'))
      .map(([, value]) => written(value));
    const invoked = allowedTo(rotor, 'Role of the state machine rotor-rotation')
      .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
      .flatMap((statement) => statement.resources);
    expect(invoked.sort()).toEqual(named.sort());
    expect(invoked.map(short)).not.toContain('<RotorAcknowledgeFunction.Arn>');
    // Events bring these to life.
    expect(invoked.map(short)).not.toContain('<RotorDecideFunction.Arn>');
    expect(invoked.map(short)).not.toContain('<RotorFollowFunction.Arn>');
    expect(invoked).toHaveLength(functionNames.length - 3);
  });

  it('the workflow speaks on its own bus, as Rotor', () => {
    const events = allowedTo(rotor, 'Role of the state machine rotor-rotation').filter(({ actions }) =>
      actions.includes('events:PutEvents'),
    );
    expect(events).toHaveLength(1);
    expect(events[0]?.resources.map(short)).toEqual(['<RotorBus.Arn>']);
    expect(events[0]?.condition).toEqual({ StringEquals: { 'events:source': 'rotor' } });
  });

  it('nobody but the workflow may speak as Rotor', () => {
    const speakers = resources(rotor, 'AWS::IAM::Policy').filter(({ Properties }) =>
      JSON.stringify(Properties).includes('events:PutEvents'),
    );
    expect(speakers).toHaveLength(1);
  });

  it('the key is used through SNS alone', () => {
    for (const role of ['function rotor-alert', 'state machine rotor-rotation']) {
      const [use, ...others] = allowedTo(rotor, `Role of the ${role}`).filter(({ actions }) =>
        actions.includes('kms:Decrypt'),
      );
      expect(others).toEqual([]);
      expect(JSON.stringify(use?.condition)).toContain('kms:ViaService');
    }
  });

  it("Secrets Manager of this account may invoke the rotation function, and no other account's", () => {
    const permission = resource(rotor, 'AWS::Lambda::Permission', 'secretsmanager.amazonaws.com').Properties;
    expect(short(written(permission['FunctionName']))).toBe('<RotorRotationFunction.Arn>');
    expect(permission['Action']).toBe('lambda:InvokeFunction');
    expect(permission['SourceAccount']).toEqual({ Ref: 'AWS::AccountId' });
    expect(written(permission['SourceArn'])).toBe(
      'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:*',
    );
  });

  it('functions are invoked by Secrets Manager and the rules on acknowledgements, decisions and moves of AWSCURRENT, and by nothing else', () => {
    const invokers = resources(rotor, 'AWS::Lambda::Permission').map(({ Properties }) => [
      short(written(Properties['FunctionName'])),
      Properties['Principal'],
    ]);
    expect(invokers).toEqual([
      ['<RotorRotationFunction.Arn>', 'secretsmanager.amazonaws.com'],
      ['<RotorFollowFunction.Arn>', 'events.amazonaws.com'],
      ['<RotorAcknowledgeFunction.Arn>', 'events.amazonaws.com'],
      ['<RotorDecideFunction.Arn>', 'events.amazonaws.com'],
    ]);
  });
});

/** Without the hash at the end of a logical id, and without what all ARNs of an account and region share. */
function short(arn: string): string {
  return arn
    .replace(/^arn:<AWS::Partition>:[a-z]+:<AWS::Region>:<AWS::AccountId>:/, '')
    .replace(/[0-9A-F]{8}(?=[.>])/g, '');
}
