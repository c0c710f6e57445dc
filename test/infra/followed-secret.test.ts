import type { App } from 'aws-cdk-lib';
import { Token } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { PolicyInvalid } from '../../domain/errors';
import { parsePolicy } from '../../domain/policy';
import { functionNames } from '../../infra/rotor-functions';
import { FollowedSecret, type FollowedSecretProps } from '../../infra/followed-secret';
import type { RotationOrchestrator } from '../../infra/rotation-orchestrator';
import {
  allowedTo,
  type Json,
  newApp,
  orchestratorIn,
  resource,
  resources,
  rotatedSecretIn,
  stack,
  statements,
  written,
} from './templates';

const secretName = 'partner/api_key';

function followedIn(app: App, orchestrator: RotationOrchestrator, props: Partial<FollowedSecretProps> = {}) {
  const scope = stack('Secrets', app);
  new FollowedSecret(scope, 'Followed', {
    orchestrator,
    secret: new Secret(scope, 'Secret', { secretName }),
    secretName,
    ...props,
  });
  return scope;
}

/** Rotor in one stack, and a secret that it follows in another. */
function templates(props: Partial<FollowedSecretProps> = {}) {
  const app = newApp();
  const rotor = stack('Rotor', app);
  const secrets = followedIn(app, orchestratorIn(rotor), props);
  return { rotor: Template.fromStack(rotor), secrets: Template.fromStack(secrets) };
}

describe('a followed secret', () => {
  const { rotor, secrets } = templates();
  const rule = resource(secrets, 'AWS::Events::Rule').Properties;

  it('has a rule on the default bus for moves of its AWSCURRENT and for nothing else', () => {
    expect(rule).not.toHaveProperty('EventBusName');
    expect(rule['Name']).toBe('rotor-follow-partner_2fapi_5fkey');
    expect(rule['EventPattern']).toEqual({
      source: ['aws.secretsmanager'],
      account: [{ Ref: 'AWS::AccountId' }],
      region: [{ Ref: 'AWS::Region' }],
      'detail-type': ['Secret Label Updated'],
      detail: { name: [secretName], labelUpdated: ['AWSCURRENT'] },
    });
  });

  it('brings them to the function that follows, for as long as EventBridge tries, and then to the dead letters', () => {
    const [target, ...others] = rule['Targets'] as readonly Json[];
    expect(others).toEqual([]);
    expect(written(target?.['Arn'])).toContain('RotorFollowFunction');
    expect(written((target?.['DeadLetterConfig'] as Json)['Arn'])).toContain('RotorDeadLetters');
    expect(target?.['RetryPolicy']).toEqual({
      MaximumEventAgeInSeconds: 86_400,
      MaximumRetryAttempts: 185,
    });
  });

  it('lies in its own stack, to which the orchestrator does not refer', () => {
    expect(JSON.stringify(rotor.toJSON())).not.toMatch(/partner|Fn::ImportValue/);
  });

  it('is admitted by the beginning of its rule’s name', () => {
    const permission = resource(rotor, 'AWS::Lambda::Permission', 'rotor-follow-').Properties;
    expect(permission['Principal']).toBe('events.amazonaws.com');
    const rules = 'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/rotor-follow-*';
    expect(written(permission['SourceArn'])).toBe(rules);
    const policies = resources(rotor, 'AWS::SQS::QueuePolicy').flatMap(({ Properties }) =>
      statements(Properties['PolicyDocument']),
    );
    const admitting = policies.filter(({ condition }) => JSON.stringify(condition).includes('rotor-follow-'));
    expect(admitting).toMatchObject([{ effect: 'Allow', actions: ['sqs:SendMessage'] }]);
  });

  it('is described, and none of its values read, label moved or target reached', () => {
    const allowed = new Map(
      functionNames.map((name) => {
        const policies = resources(secrets, 'AWS::IAM::Policy').filter(({ Properties }) =>
          JSON.stringify(Properties['Roles']).includes(
            `Rotor${name.replace(/(?:^|-)(\w)/g, (_, c: string) => c.toUpperCase())}Role`,
          ),
        );
        const actions = policies.flatMap(({ Properties }) =>
          statements(Properties['PolicyDocument']).flatMap((statement) => statement.actions),
        );
        return [name, actions] as const;
      }),
    );
    expect(Object.fromEntries([...allowed].filter(([, actions]) => actions.length > 0))).toEqual({
      plan: ['ssm:GetParametersByPath'],
      'finish-secret': ['secretsmanager:DescribeSecret'],
      replicas: ['secretsmanager:DescribeSecret'],
      follow: ['secretsmanager:DescribeSecret'],
    });
  });

  it('comes to life when the functions may do their part', () => {
    const { DependsOn = [] } = resource(secrets, 'AWS::Events::Rule');
    for (const needed of [/^FollowedPolicy/, /^FollowedPlan/, /^FollowedFinishSecret/, /^FollowedFollow/])
      expect(DependsOn).toContainEqual(expect.stringMatching(needed));
  });
});

describe('the policy of a followed secret', () => {
  it('holds what bounds its applications, and Plan can read it', () => {
    const { secrets } = templates({ consumers: { maxDeadlineSeconds: 600 } });
    const parameter = resource(secrets, 'AWS::SSM::Parameter').Properties;
    expect(parameter['Name']).toBe('/rotor/secrets/partner_2fapi_5fkey/policy');
    expect(parsePolicy(written(parameter['Value']), 'the parameter').consumers.maxDeadlineSeconds).toBe(600);
  });

  it('is refused by name when it holds a wrong value', () => {
    expect(() => templates({ consumers: { pauseSeconds: -1 } })).toThrow(PolicyInvalid);
  });

  it('a reference in place of the name is refused', () => {
    expect(() => templates({ secretName: Token.asString({ Ref: 'Name' }) })).toThrow(
      /secretName must be the name/,
    );
  });

  it('a name that is too long for a rule is cut, and kept apart by a hash', () => {
    const names = ['a', 'b'].map((end) => {
      const { secrets } = templates({ secretName: 'x'.repeat(70) + end });
      return String(resource(secrets, 'AWS::Events::Rule').Properties['Name']);
    });
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^rotor-follow-[\w.-]{1,51}$/);
  });
});

describe('a rotated secret', () => {
  const rotated = (follow?: boolean) => {
    const scope = stack();
    rotatedSecretIn(scope, orchestratorIn(scope), follow === undefined ? {} : { follow });
    return Template.fromStack(scope);
  };
  const rules = (template: Template) =>
    resources(template, 'AWS::Events::Rule').filter(({ Properties }) =>
      JSON.stringify(Properties).includes('Secret Label Updated'),
    );

  it('is followed too where that is asked for, and not otherwise', () => {
    expect(rules(rotated())).toEqual([]);
    expect(rules(rotated(true))).toHaveLength(1);
  });

  it('is described by the function that follows only then', () => {
    const describes = (template: Template) =>
      allowedTo(template, 'Role of the function rotor-follow').some(({ actions }) =>
        actions.includes('secretsmanager:DescribeSecret'),
      );
    expect([describes(rotated()), describes(rotated(true))]).toEqual([false, true]);
  });
});
