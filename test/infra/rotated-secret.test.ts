import { Duration, Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { PolicyInvalid } from '../../domain/errors';
import { parsePolicy } from '../../domain/policy';
import { rotatorNames, rotators } from '../../rotators/registry';
import { RotatedSecret, type RotatedSecretProps } from '../../infra/rotated-secret';
import { secretGrants } from '../../infra/secret-grants';
import {
  allowedTo,
  newApp,
  orchestratorIn,
  resource,
  resources,
  rotatedSecretIn,
  stack,
  written,
} from './templates';

function template(props: Partial<RotatedSecretProps> = {}): Template {
  const scope = stack();
  rotatedSecretIn(scope, orchestratorIn(scope), props);
  return Template.fromStack(scope);
}

describe('schedule', () => {
  const schedule = (props: Partial<RotatedSecretProps> = {}) =>
    resource(template(props), 'AWS::SecretsManager::RotationSchedule');

  it('does not rotate on deployment unless asked', () => {
    expect(schedule().Properties['RotateImmediatelyOnUpdate']).toBe(false);
    expect(schedule({ rotateImmediately: true }).Properties['RotateImmediatelyOnUpdate']).toBe(true);
  });

  it('takes a rate or a cron expression, and a window', () => {
    expect(schedule().Properties['RotationRules']).toEqual({ ScheduleExpression: 'rate(30 days)' });
    const window = { expression: 'cron(0 4 ? * SUN *)', duration: Duration.hours(3) };
    expect(schedule({ schedule: window }).Properties['RotationRules']).toEqual({
      ScheduleExpression: 'cron(0 4 ? * SUN *)',
      Duration: '3h',
    });
  });

  it('comes after everything that the first call of the function needs', () => {
    const { DependsOn = [] } = schedule();
    for (const needed of [
      /^RotatedPolicy/,
      /^RotatedRotation/,
      /^RotatedPlan/,
      /^RotatedTestSecret/,
      /^RotatedFinishSecret/,
      /^RotorWorkflowStateMachine/,
      /^RotorRotationFunctionSecretsManager/,
    ]) {
      expect(DependsOn).toContainEqual(expect.stringMatching(needed));
    }
  });

  it('names the rotation function', () => {
    expect(written(schedule().Properties['RotationLambdaARN'])).toMatch(/^<RotorRotationFunction/);
  });
});

describe('policy', () => {
  it('is a parameter that Plan can read, under the name made from the secret’s', () => {
    const parameter = resource(template({ policy: { onSilence: 'back' } }), 'AWS::SSM::Parameter').Properties;
    expect(parameter['Name']).toBe('/rotor/secrets/team_2fapp/policy');
    const policy = parsePolicy(written(parameter['Value']), 'the parameter');
    expect(policy).toMatchObject({ rotator: 'postgres-alternating', onSilence: 'back', onRefusal: 'back' });
    expect(policy.admin).toMatch(/^<Admin/);
  });

  it('is refused by name when it holds a wrong value', () => {
    const wrong = () => template({ policy: { patienceSeconds: -1 } });
    expect(wrong).toThrow(PolicyInvalid);
    expect(wrong).toThrow(/team\/app: field patienceSeconds/);
  });
});

describe('enrolment', () => {
  it('is refused where the orchestrator was made without its rotator', () => {
    const scope = stack();
    const orchestrator = orchestratorIn(scope, { rotators: ['postgres-single'] });
    expect(() => rotatedSecretIn(scope, orchestrator)).toThrow(/made without rotator postgres-alternating/);
  });

  it('is refused with settings that its rotator does not know', () => {
    const policy = { settings: { misspelt: true } };
    expect(() => template({ policy })).toThrow(/unknown field misspelt/);
  });

  it('is refused with a rule for open sessions that its rotator could not keep', () => {
    const enrol = (rotator: RotatedSecretProps['rotator'], openSessions: 'block' | 'end') => () =>
      template({ rotator, policy: { drain: { openSessions } } });
    expect(enrol('postgres-alternating', 'end')).not.toThrow();
    expect(enrol('postgres-single', 'end')).toThrow(/postgres-single cannot end the sessions/);
    expect(enrol('postgres-single', 'block')).toThrow(/nobody can tell which sessions are open/);
  });

  it.each(
    rotatorNames.filter(
      (name) => rotators[name].traits(rotators[name].example.settings).admin === 'required',
    ),
  )('rotator %s is refused without an admin', (rotator) => {
    const scope = stack();
    const orchestrator = orchestratorIn(scope, { rotators: [rotator] });
    const secret = new Secret(scope, 'Secret', { secretName: 'team/app' });
    const schedule = { expression: 'rate(30 days)' };
    const policy = { settings: rotators[rotator].example.settings };
    const enrol = () =>
      new RotatedSecret(scope, 'Rotated', {
        orchestrator,
        secret,
        secretName: 'team/app',
        rotator,
        schedule,
        policy,
      });
    expect(enrol).toThrow(/needs the admin's secret/);
  });

  it('a reference in place of the name is refused', () => {
    expect(() => template({ secretName: Token.asString({ Ref: 'Name' }) })).toThrow(
      /secretName must be the name/,
    );
  });

  it('a secret that is known by its name alone is matched with any ending', () => {
    const scope = stack();
    const secret = Secret.fromSecretNameV2(scope, 'Imported', 'team/app');
    rotatedSecretIn(scope, orchestratorIn(scope), { secret });
    const [read] = allowedTo(Template.fromStack(scope), 'Role of the function rotor-test-secret').filter(
      ({ actions }) => actions.includes('secretsmanager:GetSecretValue'),
    );
    expect(read?.resources).toEqual([
      'arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:team/app-??????',
    ]);
  });

  it('whoever reads a secret under a customer’s key may decrypt with it, and only rotation encrypts', () => {
    const scope = stack();
    const encryptionKey = new Key(scope, 'Key');
    const secret = new Secret(scope, 'Encrypted', { secretName: 'team/app', encryptionKey });
    rotatedSecretIn(scope, orchestratorIn(scope), { secret });
    const made = Template.fromStack(scope);
    const keyId = resources(made, 'AWS::KMS::Key').find(({ id }) => id.startsWith('Key'))?.id ?? '';
    const uses = (name: string) =>
      allowedTo(made, `Role of the function rotor-${name}`)
        .filter((statement) => statement.resources.includes(`<${keyId}.Arn>`))
        .map(({ actions, condition }) => [actions, Object.keys(condition ?? {})]);
    const decrypts = [[['kms:Decrypt'], ['StringEquals']]];
    expect(uses('rotation')).toEqual([[['kms:Decrypt', 'kms:GenerateDataKey'], ['StringEquals']]]);
    for (const reader of ['set-secret', 'test-secret', 'usage', 'retire'])
      expect(uses(reader)).toEqual(decrypts);
    for (const other of ['plan', 'finish-secret', 'acknowledge', 'alert']) expect(uses(other)).toEqual([]);
  });

  it('works from another stack, which refers to the orchestrator and is not referred to', () => {
    const app = newApp();
    const shared = stack('Shared', app);
    const team = stack('Team', app);
    rotatedSecretIn(team, orchestratorIn(shared));
    const made = Template.fromStack(team);
    expect(team.dependencies.map(({ stackName }) => stackName)).toEqual(['Shared']);
    expect(shared.dependencies).toHaveLength(0);
    expect(resources(made, 'AWS::IAM::Policy')).toHaveLength(Object.keys(secretGrants).length);
  });

  it('policies for two secrets differ in name, also where the names are long', () => {
    const names = ['a', 'b'].map((end) => {
      const made = template({ secretName: `${'very/long/name/'.repeat(12)}${end}` });
      return resource(made, 'AWS::IAM::Policy', '"rotor-set-secret-').Properties['PolicyName'];
    });
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(String(name).length).toBeLessThanOrEqual(128);
  });
});

describe('grants by traits', () => {
  const enrolled = {
    secret: { arn: 'secret' },
    admin: { arn: 'admin' },
    parametersArn: 'parameters',
    calendarArns: [],
    turnsArn: undefined,
    region: 'eu-central-1',
    replicasArn: 'replicas',
  };
  const traits = rotators['postgres-alternating'].traits({});
  const granted = (name: keyof typeof secretGrants, changed: Partial<typeof traits>) =>
    secretGrants[name]({ ...enrolled, traits: { ...traits, ...changed } }).map(
      (statement) => statement.toJSON() as unknown,
    );

  it('what a verb needs at its target goes to the function that calls it, and to no other', () => {
    const right = { Effect: 'Allow', Action: 'rds:DescribeDBInstances', Resource: 'instance' };
    const functionOf = {
      create: 'rotation',
      apply: 'set-secret',
      verify: 'test-secret',
      usage: 'usage',
      retire: 'retire',
    } as const;
    for (const verb of Object.keys(functionOf) as (keyof typeof functionOf)[]) {
      const iam = [{ verbs: [verb], actions: ['rds:DescribeDBInstances'], resources: ['instance'] }];
      const holders = (Object.keys(secretGrants) as (keyof typeof secretGrants)[]).filter((name) =>
        granted(name, { iam, mint: 'target' }).some(
          (statement) =>
            JSON.stringify(statement) ===
            JSON.stringify({ Action: right.Action, Effect: right.Effect, Resource: right.Resource }),
        ),
      );
      expect(holders).toEqual([functionOf[verb]]);
    }
  });

  it('a function that touches no target gets nothing for one', () => {
    const iam = [
      { verbs: ['create'] as const, actions: ['rds:DescribeDBInstances'], resources: ['instance'] },
    ];
    expect(JSON.stringify(granted('rotation', { iam, mint: 'rotator' }))).not.toContain('rds:');
  });

  it('where the target invents the credential, the rotation function reaches it too', () => {
    const admin = { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: 'admin' };
    expect(granted('rotation', { mint: 'target' })).toContainEqual(admin);
    expect(granted('rotation', { mint: 'rotator' })).not.toContainEqual(admin);
  });
});
