import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { UserStore } from '../../../local/iam/user-store';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Access, Call, Principal } from '../../../local/kernel/service';

const account = '111122223333';
const secret = `arn:aws:secretsmanager:us-east-1:${account}:secret:app-a1b2c3`;
const key = `arn:aws:kms:us-east-1:${account}:key/1`;
const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

function world(policies: Readonly<Record<string, object>> = {}) {
  const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
  const roles = new RoleStore(where);
  const roleArn = roles.put({ name: 'x', trustPolicy: trust, policies });
  const { principal } = roles.assume(roleArn, 'lambda.amazonaws.com', 'y');
  const authorize = createAuthorize({ ...where, roles });
  const attempt = (access: Access, as: Principal = principal, conditions: Call['conditions'] = {}) => {
    try {
      authorize({ principal: as, requestId: 'r', userAgent: 'u', conditions }, access);
      return 'allowed';
    } catch (error) {
      return error instanceof Error ? error.message : 'unknown';
    }
  };
  return { roles, roleArn, attempt };
}

const statement = (effect: string, action: string, resource = '*') => ({
  Version: '2012-10-17',
  Statement: [{ Effect: effect, Action: action, Resource: resource }],
});
const resourcePolicy = (effect: string, Principal: object | string, Condition?: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: effect, Principal, Action: '*', Resource: '*', ...(Condition && { Condition }) }],
});
const read: Access = { action: 'secretsmanager:GetSecretValue', resource: secret };
const user = `User: arn:aws:sts::${account}:assumed-role/x/y is not authorized to perform:`;

describe('a role in its own account', () => {
  it('is refused in the words of AWS when nothing allows it', () => {
    expect(world().attempt(read)).toBe(
      `${user} secretsmanager:GetSecretValue on resource: ${secret} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
    );
  });

  it('is refused without a resource where the action knows none', () => {
    expect(world().attempt({ action: 'secretsmanager:ListSecrets', resource: '*' })).toBe(
      `${user} secretsmanager:ListSecrets because no identity-based policy allows the secretsmanager:ListSecrets action`,
    );
  });

  it('is allowed by its own policy alone', () => {
    expect(world({ p: statement('Allow', 'secretsmanager:Get*') }).attempt(read)).toBe('allowed');
  });

  it('is allowed by the resource’s policy alone when that names the role', () => {
    const { attempt, roleArn } = world();
    expect(attempt({ ...read, resourcePolicy: resourcePolicy('Allow', { AWS: roleArn }) })).toBe('allowed');
  });

  it('is not allowed by a resource policy that names only the account', () => {
    const root = resourcePolicy('Allow', { AWS: `arn:aws:iam::${account}:root` });
    expect(world().attempt({ ...read, resourcePolicy: root })).toContain('no identity-based policy allows');
  });

  it('is stopped by an explicit deny on either side, whatever allows it', () => {
    const denied = world({ a: statement('Allow', '*'), d: statement('Deny', 'secretsmanager:Get*') });
    expect(denied.attempt(read)).toBe(
      `${user} secretsmanager:GetSecretValue on resource: ${secret} with an explicit deny in an identity-based policy`,
    );
    const allowed = world({ a: statement('Allow', '*') });
    expect(allowed.attempt({ ...read, resourcePolicy: resourcePolicy('Deny', '*') })).toBe(
      `${user} secretsmanager:GetSecretValue on resource: ${secret} with an explicit deny in a resource-based policy`,
    );
  });

  it('passes a policy that denies insecure transport, because AWS is called by https', () => {
    const insecure = resourcePolicy('Deny', '*', { Bool: { 'aws:SecureTransport': 'false' } });
    const { attempt } = world({ a: statement('Allow', '*') });
    expect(attempt({ ...read, resourcePolicy: insecure })).toBe('allowed');
  });

  it('is refused with the name of a condition key that nobody fills', () => {
    const Condition = { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } };
    const { attempt } = world({
      a: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition }] },
    });
    expect(attempt(read)).toMatch(/ \(the embedded cloud does not know condition key aws:SourceIp\)$/u);
  });

  it('may do nothing once its role is gone', () => {
    const { attempt, roles, roleArn } = world({ a: statement('Allow', '*') });
    roles.delete(roleArn);
    expect(attempt(read)).toContain('is not authorized');
  });
});

describe('a KMS key', () => {
  const use: Access = { action: 'kms:Decrypt', resource: key };
  const own = { a: statement('Allow', 'kms:Decrypt') };
  const root = resourcePolicy('Allow', { AWS: `arn:aws:iam::${account}:root` });

  it('is not opened by the role’s policy when the key’s policy is silent', () => {
    expect(world(own).attempt({ ...use, resourcePolicy: { Statement: [] } })).toBe(
      `${user} kms:Decrypt on resource: ${key} because no resource-based policy allows the kms:Decrypt action`,
    );
  });

  it('leaves the decision to the account when its policy names the root', () => {
    expect(world(own).attempt({ ...use, resourcePolicy: root })).toBe('allowed');
    expect(world().attempt({ ...use, resourcePolicy: root })).toContain('no identity-based policy allows');
  });
});

describe('another account’s resource', () => {
  const foreign: Access = { ...read, resource: secret.replace(account, '999999999999') };

  it('needs both sides', () => {
    const { attempt, roleArn } = world({ a: statement('Allow', '*') });
    expect(attempt(foreign)).toContain('because no resource-based policy allows');
    expect(attempt({ ...foreign, resourcePolicy: resourcePolicy('Allow', { AWS: roleArn }) })).toBe(
      'allowed',
    );
    const without = world();
    expect(
      without.attempt({ ...foreign, resourcePolicy: resourcePolicy('Allow', { AWS: without.roleArn }) }),
    ).toContain('is not authorized');
  });
});

describe('an AWS service', () => {
  const service: Principal = { kind: 'service', service: 'secretsmanager.amazonaws.com', account };
  const invoke: Access = {
    action: 'lambda:InvokeFunction',
    resource: `arn:aws:lambda:us-east-1:${account}:function:f`,
  };
  const policy = resourcePolicy(
    'Allow',
    { Service: 'secretsmanager.amazonaws.com' },
    { StringEquals: { 'aws:SourceAccount': account } },
  );

  it('is allowed by the resource’s policy, under its conditions', () => {
    const { attempt } = world();
    const asks = { ...invoke, resourcePolicy: policy };
    expect(attempt(asks, service, { 'aws:SourceAccount': account })).toBe('allowed');
    expect(attempt(asks, service, { 'aws:SourceAccount': '999999999999' })).toContain(
      'no resource-based policy',
    );
    expect(attempt(asks, service)).toContain('no resource-based policy');
  });

  it('is refused where the resource has no policy', () => {
    expect(world().attempt(invoke, service)).toContain('no resource-based policy allows');
  });
});

describe('the operator', () => {
  it('may do everything', () => {
    const { attempt, roles } = world();
    expect(attempt(read, roles.operator.principal)).toBe('allowed');
  });
});

describe('a user', () => {
  const withUser = (document?: object) => {
    const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
    const users = new UserStore({ ...where, realTime: where.clock });
    const { arn } = users.create('ada', '/team/');
    if (document !== undefined) users.putPolicy('ada', 'p', JSON.stringify(document));
    const roles = new RoleStore({ ...where, users });
    const principal: Principal = { kind: 'user', arn, account, userName: 'ada' };
    return { roles, arn, principal, authorize: createAuthorize({ ...where, roles }) };
  };
  const call = (principal: Principal): Call => ({
    principal,
    requestId: 'r',
    userAgent: 'u',
    conditions: {},
  });

  it('is allowed by its inline policy, or by a resource’s policy that names it, and refused otherwise', () => {
    const own = withUser(statement('Allow', 'secretsmanager:GetSecretValue', secret));
    expect(() => own.authorize(call(own.principal), read)).not.toThrow();
    const bare = withUser();
    expect(() => bare.authorize(call(bare.principal), read)).toThrow(
      `User: ${bare.arn} is not authorized to perform: secretsmanager:GetSecretValue`,
    );
    const named = { ...read, resourcePolicy: resourcePolicy('Allow', { AWS: bare.arn }) };
    expect(() => bare.authorize(call(bare.principal), named)).not.toThrow();
  });

  it('assumes a role that leaves the decision to the account, if its own policy allows that', () => {
    const trusting = {
      Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
    };
    const allowed = withUser(statement('Allow', 'sts:AssumeRole'));
    const target = allowed.roles.put({ name: 'target', trustPolicy: trusting });
    const session = allowed.roles.assumeAs(call(allowed.principal), target, 'ada', 900);
    expect(session.principal.arn).toBe(`arn:aws:sts::${account}:assumed-role/target/ada`);
    const bare = withUser();
    const same = bare.roles.put({ name: 'target', trustPolicy: trusting });
    expect(() => bare.roles.assumeAs(call(bare.principal), same, 'ada', 900)).toThrow('is not authorized');
  });

  it('fills the condition keys of a user', () => {
    const own = withUser({
      Statement: {
        Effect: 'Allow',
        Action: '*',
        Resource: '*',
        Condition: { StringEquals: { 'aws:PrincipalType': 'User', 'aws:username': 'ada' } },
      },
    });
    expect(() => own.authorize(call(own.principal), read)).not.toThrow();
  });
});
