import { ConditionContext } from '../../../local/iam/condition';
import { evaluate } from '../../../local/iam/evaluate';
import { parsePolicy, PolicyMalformed } from '../../../local/iam/policy-document';
import type { Principal } from '../../../local/kernel/service';

const account = '111122223333';
const role: Principal = {
  kind: 'role',
  arn: `arn:aws:sts::${account}:assumed-role/app/session`,
  account,
  roleArn: `arn:aws:iam::${account}:role/app`,
};
const secret = `arn:aws:secretsmanager:us-east-1:${account}:secret:app/db-a1b2c3`;

type Keys = Readonly<Record<string, string | readonly string[]>>;

function identity(statement: object, keys: Keys = {}, request: { action?: string; resource?: string } = {}) {
  return evaluate(
    [parsePolicy({ Version: '2012-10-17', Statement: [statement] })],
    {
      principal: role,
      action: request.action ?? 'secretsmanager:GetSecretValue',
      resource: request.resource ?? secret,
      context: new ConditionContext(keys),
    },
    'identity',
  );
}

const allow = { Effect: 'Allow', Action: '*', Resource: '*' };

describe('what a statement is about', () => {
  it.each([
    ['secretsmanager:GetSecretValue', true],
    ['secretsmanager:getsecretvalue', true],
    ['secretsmanager:Get*', true],
    ['secretsmanager:Get?ecretValue', true],
    ['*', true],
    ['secretsmanager:Put*', false],
    ['secretsmanager:GetSecret', false],
    ['secretsmanager.GetSecretValue', false],
  ])('an allow of action %s counts: %s', (action, counts) => {
    const finding = identity({ Effect: 'Allow', Action: action, Resource: '*' });
    expect(finding.allowed).toBe(counts ? 'caller' : undefined);
  });

  it.each([
    [secret, true],
    [`${secret.slice(0, -6)}??????`, true],
    [`${secret.slice(0, -7)}*`, true],
    [secret.toUpperCase(), false],
    [`${secret}x`, false],
    ['arn:aws:secretsmanager:*:*:secret:other-*', false],
  ])('an allow on %s counts: %s', (resource, counts) => {
    const finding = identity({ Effect: 'Allow', Action: '*', Resource: ['arn:aws:s3:::x', resource] });
    expect(finding.allowed).toBe(counts ? 'caller' : undefined);
  });

  it('NotAction allows everything but what it lists', () => {
    const statement = { Effect: 'Allow', NotAction: ['secretsmanager:Delete*'], Resource: '*' };
    expect(identity(statement).allowed).toBe('caller');
    expect(identity(statement, {}, { action: 'secretsmanager:DeleteSecret' }).allowed).toBeUndefined();
  });

  it('NotResource denies everything but what it lists', () => {
    const statements = (resource: string) =>
      evaluate(
        [
          parsePolicy({ Statement: allow }),
          parsePolicy({ Statement: { Effect: 'Deny', Action: '*', NotResource: secret } }),
        ],
        { principal: role, action: 'x:y', resource, context: new ConditionContext() },
        'identity',
      );
    expect(statements(secret)).toMatchObject({ denied: false, allowed: 'caller' });
    expect(statements('arn:other')).toMatchObject({ denied: true, allowed: undefined });
  });

  it('a policy variable is filled, and matches nothing where the request has none', () => {
    const statement = {
      Effect: 'Allow',
      Action: '*',
      Resource: `arn:aws:secretsmanager:us-east-1:${account}:secret:\${aws:PrincipalTag/team}/*`,
    };
    expect(identity(statement, { 'aws:PrincipalTag/team': 'app' }).allowed).toBe('caller');
    expect(identity(statement, { 'aws:PrincipalTag/team': '*' }).allowed).toBeUndefined();
    expect(identity(statement).allowed).toBeUndefined();
  });
});

describe('conditions', () => {
  const stage = 'secretsmanager:VersionStage';
  const current = { [stage]: 'AWSCURRENT' };

  it.each<[string, object, Keys, boolean]>([
    ['StringEquals', { [stage]: ['AWSPENDING', 'AWSCURRENT'] }, current, true],
    ['StringEquals', { [stage]: 'AWSCURR*' }, current, false],
    ['StringEquals', { [stage]: 'AWSCURRENT' }, {}, false],
    ['StringEquals', { 'SECRETSMANAGER:versionstage': 'AWSCURRENT' }, current, true],
    ['StringEqualsIfExists', { [stage]: 'AWSCURRENT' }, {}, true],
    ['StringEqualsIfExists', { [stage]: 'AWSCURRENT' }, { [stage]: 'other' }, false],
    ['StringEqualsIgnoreCase', { [stage]: 'awscurrent' }, current, true],
    ['StringNotEquals', { [stage]: 'AWSCURRENT' }, current, false],
    ['StringNotEquals', { [stage]: ['a', 'b'] }, current, true],
    ['StringNotEquals', { [stage]: 'AWSCURRENT' }, {}, true],
    ['StringLike', { [stage]: 'AWS*' }, current, true],
    ['StringNotLike', { [stage]: 'AWS*' }, current, false],
    ['ArnLike', { 'aws:SourceArn': `arn:aws:*:*:${account}:secret:*` }, { 'aws:SourceArn': secret }, true],
    ['ArnLike', { 'aws:SourceArn': 'arn:aws:*' }, { 'aws:SourceArn': secret }, false],
    ['ArnEquals', { 'aws:SourceArn': secret }, { 'aws:SourceArn': secret }, true],
    ['ArnNotEquals', { 'aws:SourceArn': secret }, { 'aws:SourceArn': secret }, false],
    ['Bool', { 'aws:SecureTransport': 'false' }, { 'aws:SecureTransport': 'true' }, false],
    ['Bool', { 'aws:SecureTransport': true }, { 'aws:SecureTransport': 'true' }, true],
    ['Null', { [stage]: 'true' }, {}, true],
    ['Null', { [stage]: 'false' }, {}, false],
    ['Null', { [stage]: 'false' }, current, true],
    [
      'NumericLessThan',
      { 'secretsmanager:RecoveryWindowInDays': '8' },
      { 'secretsmanager:RecoveryWindowInDays': '7' },
      true,
    ],
    [
      'NumericGreaterThanEquals',
      { 'secretsmanager:RecoveryWindowInDays': 8 },
      { 'secretsmanager:RecoveryWindowInDays': '7' },
      false,
    ],
    [
      'DateLessThan',
      { 'aws:CurrentTime': '2030-01-01T00:00:00Z' },
      { 'aws:CurrentTime': '2026-01-01T00:00:00Z' },
      true,
    ],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a', 'b'] }, { 'aws:TagKeys': ['b', 'c'] }, true],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, { 'aws:TagKeys': ['b', 'c'] }, false],
    ['ForAnyValue:StringEquals', { 'aws:TagKeys': ['a'] }, {}, false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a', 'b'] }, { 'aws:TagKeys': ['a'] }, true],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, { 'aws:TagKeys': ['a', 'b'] }, false],
    ['ForAllValues:StringEquals', { 'aws:TagKeys': ['a'] }, {}, true],
    ['ForAllValues:StringLike', { 'aws:TagKeys': ['a*'] }, { 'aws:TagKeys': ['ab', 'ac'] }, true],
  ])('%s %j holds for %j: %s', (operator, wanted, keys, holds) => {
    const finding = identity({ ...allow, Condition: { [operator]: wanted } }, keys);
    expect(finding).toEqual({ denied: false, allowed: holds ? 'caller' : undefined, unknown: [] });
  });

  it('all conditions of a statement must hold', () => {
    const Condition = { StringEquals: current, Bool: { 'aws:SecureTransport': 'true' } };
    expect(identity({ ...allow, Condition }, current).allowed).toBeUndefined();
    expect(identity({ ...allow, Condition }, { ...current, 'aws:SecureTransport': 'true' }).allowed).toBe(
      'caller',
    );
  });

  it('an allow whose condition key nobody fills does not count, and says which key', () => {
    const finding = identity({ ...allow, Condition: { StringEquals: { 'aws:SourceIp': '10.0.0.1' } } });
    expect(finding).toEqual({ denied: false, allowed: undefined, unknown: ['condition key aws:SourceIp'] });
  });

  it('a deny whose condition operator nobody knows counts, and says which operator', () => {
    const Condition = { BinaryEquals: { 'aws:SourceArn': 'eA==' } };
    const finding = identity(
      { Effect: 'Deny', Action: '*', Resource: '*', Condition },
      { 'aws:SourceArn': 'x' },
    );
    expect(finding).toEqual({
      denied: true,
      allowed: undefined,
      unknown: ['condition operator BinaryEquals'],
    });
  });

  it('an unknown key beside a condition that fails changes nothing', () => {
    const Condition = { StringEquals: { 'aws:SourceIp': '10.0.0.1', [stage]: 'AWSPENDING' } };
    const finding = identity({ Effect: 'Deny', Action: '*', Resource: '*', Condition }, current);
    expect(finding).toEqual({ denied: false, allowed: undefined, unknown: [] });
  });
});

describe('principals of a resource policy', () => {
  const lambda: Principal = { kind: 'service', service: 'lambda.amazonaws.com', account };

  it.each<[string, object | string, Principal, string | undefined]>([
    ['the role', { AWS: `arn:aws:iam::${account}:role/app` }, role, 'caller'],
    ['the session', { AWS: `arn:aws:sts::${account}:assumed-role/app/session` }, role, 'caller'],
    ['another role', { AWS: `arn:aws:iam::${account}:role/other` }, role, undefined],
    ['the account root', { AWS: `arn:aws:iam::${account}:root` }, role, 'account'],
    ['the account id', { AWS: account }, role, 'account'],
    ['another account', { AWS: '999999999999' }, role, undefined],
    ['anyone', '*', role, 'caller'],
    ['anyone in AWS', { AWS: '*' }, role, 'caller'],
    ['the service', { Service: ['events.amazonaws.com', 'lambda.amazonaws.com'] }, lambda, 'caller'],
    ['another service', { Service: 'events.amazonaws.com' }, lambda, undefined],
    ['the account root, for a service', { AWS: `arn:aws:iam::${account}:root` }, lambda, undefined],
  ])('%s', (_, Principal, principal, allowed) => {
    const policy = parsePolicy({ Statement: { Effect: 'Allow', Principal, Action: 'x:*', Resource: '*' } });
    const request = { principal, action: 'x:y', resource: 'arn:x', context: new ConditionContext() };
    expect(evaluate([policy], request, 'resource').allowed).toBe(allowed);
  });

  it('NotPrincipal denies everyone it does not list', () => {
    const NotPrincipal = { AWS: `arn:aws:iam::${account}:role/other` };
    const policy = parsePolicy({ Statement: { Effect: 'Deny', NotPrincipal, Action: '*', Resource: '*' } });
    const request = { principal: role, action: 'x:y', resource: 'arn:x', context: new ConditionContext() };
    expect(evaluate([policy], request, 'resource').denied).toBe(true);
  });

  it('a statement without a Principal is nobody’s', () => {
    const request = { principal: role, action: 'x:y', resource: 'arn:x', context: new ConditionContext() };
    expect(evaluate([parsePolicy({ Statement: allow })], request, 'resource').allowed).toBeUndefined();
  });
});

describe('malformed policies', () => {
  it.each([
    ['{', 'the policy is not valid JSON'],
    ['{}', "the policy's Statement"],
    ['{"Statement":{"Effect":"Perhaps","Action":"*","Resource":"*"}}', "the policy's Statement"],
    ['{"Statement":{"Effect":"Allow","Resource":"*"}}', 'a statement has neither Action nor NotAction'],
    [
      '{"Statement":{"Effect":"Allow","Action":"*","NotAction":"*"}}',
      'a statement has an element and its Not form',
    ],
    ['{"Statement":{"Effect":"Allow","Action":"*","Surprise":1}}', "the policy's Statement"],
  ])('%s is refused', (text, message) => {
    expect(() => parsePolicy(text)).toThrow(PolicyMalformed);
    expect(() => parsePolicy(text)).toThrow(message);
  });
});
