import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Call } from '../../../local/kernel/service';

const account = '111122223333';
const trusts = (Principal: object, Condition?: object) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole', ...(Condition && { Condition }) }],
});
const lambda = trusts({ Service: 'lambda.amazonaws.com' });

function store() {
  const clock = new VirtualClock();
  return { clock, roles: new RoleStore({ account, region: 'us-east-1', partition: 'aws', clock }) };
}

describe('assuming a role', () => {
  it('gives a service that the trust policy names credentials that stand for the role', () => {
    const { roles } = store();
    const roleArn = roles.put({ name: 'app', path: '/team/', trustPolicy: lambda });

    const session = roles.assume(roleArn, 'lambda.amazonaws.com', 'run');

    expect(roleArn).toBe(`arn:aws:iam::${account}:role/team/app`);
    expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/u);
    expect(roles.principalOf(session.accessKeyId)).toEqual({
      kind: 'role',
      arn: `arn:aws:sts::${account}:assumed-role/app/run`,
      account,
      roleArn,
    });
  });

  it('refuses a service that the trust policy does not name', () => {
    const { roles } = store();
    const roleArn = roles.put({ name: 'app', trustPolicy: lambda });
    expect(() => roles.assume(roleArn, 'states.amazonaws.com', 'run')).toThrow(
      `User: states.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
    );
  });

  it('keeps the trust policy’s conditions', () => {
    const { roles } = store();
    const condition = { StringEquals: { 'aws:SourceAccount': account } };
    const trustPolicy = trusts({ Service: 'events.amazonaws.com' }, condition);
    const roleArn = roles.put({ name: 'app', trustPolicy });
    expect(() => roles.assume(roleArn, 'events.amazonaws.com', 'run')).toThrow('is not authorized');
    const session = roles.assume(roleArn, 'events.amazonaws.com', 'run', { 'aws:SourceAccount': account });
    expect(session.principal.kind).toBe('role');
  });

  it('refuses a role that does not exist like one that does not trust', () => {
    const { roles } = store();
    const ghost = `arn:aws:iam::${account}:role/ghost`;
    expect(() => roles.assume(ghost, 'lambda.amazonaws.com', 'run')).toThrow(
      `is not authorized to perform: sts:AssumeRole on resource: ${ghost}`,
    );
  });

  it('lets a role pass on where the trust policy names the account and its own policy allows it', () => {
    const { roles } = store();
    const target = roles.put({
      name: 'target',
      trustPolicy: trusts({ AWS: `arn:aws:iam::${account}:root` }),
    });
    const source = roles.put({ name: 'source', trustPolicy: lambda });
    const { principal } = roles.assume(source, 'lambda.amazonaws.com', 'run');
    const call: Call = { principal, requestId: 'r', userAgent: 'u', conditions: {} };

    expect(() => roles.assumeAs(call, target, 'next', 900)).toThrow('is not authorized');
    const document = { Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: target } };
    roles.putPolicy('source', 'may', document);
    expect(roles.assumeAs(call, target, 'next', 900).principal).toMatchObject({ roleArn: target });
  });

  it('ends a session when its time is over', () => {
    const { roles, clock } = store();
    const roleArn = roles.put({ name: 'app', trustPolicy: lambda });
    const call: Call = {
      principal: roles.operator.principal,
      requestId: 'r',
      userAgent: 'u',
      conditions: {},
    };
    const session = roles.assumeAs(call, roleArn, 'run', 900);
    expect(roles.principalOf(session.accessKeyId)).toBeDefined();

    clock.after(900_000, () => undefined);
    clock.advance();

    expect(roles.principalOf(session.accessKeyId)).toBeUndefined();
  });

  it('knows no key that it did not give out', () => {
    expect(store().roles.principalOf('AKIAIOSFODNN7EXAMPLE')).toBeUndefined();
  });
});

describe('policies of a role', () => {
  it('are its inline ones, its own managed ones and those of AWS that CDK names', () => {
    const { roles } = store();
    const document = { Statement: { Effect: 'Allow', Action: 'a:b', Resource: '*' } };
    const managed = roles.putManagedPolicy('shared', document);
    const roleArn = roles.put({
      name: 'app',
      trustPolicy: lambda,
      policies: { inline: document },
      managedPolicyArns: [managed, 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'],
    });
    expect(roles.identityPolicies(roleArn)).toHaveLength(3);

    roles.detachManagedPolicy('app', managed);
    roles.deletePolicy('app', 'inline');

    expect(roles.identityPolicies(roleArn)).toHaveLength(1);
  });

  it('may not be a managed policy that the embedded cloud does not have', () => {
    const managedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess'];
    expect(() => store().roles.put({ name: 'app', trustPolicy: lambda, managedPolicyArns })).toThrow(
      'Policy arn:aws:iam::aws:policy/AdministratorAccess does not exist or is not attachable.',
    );
  });
});
