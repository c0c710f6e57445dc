import * as z from 'zod';
import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Call, Principal } from '../../../local/kernel/service';
import { createTokenService } from '../../../local/sts/service';

const account = '111122223333';

function createWorld() {
  const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
  const roles = new RoleStore(where);
  const sts = createTokenService(
    {
      ...where,
      authorize: createAuthorize({ ...where, roles }),
      callService: () => Promise.reject(new Error('this world has one service')),
    },
    roles,
  );
  const role = (name: string, principal: object, Condition?: object) =>
    roles.put({
      name,
      trustPolicy: {
        Statement: [
          {
            Effect: 'Allow',
            Principal: principal,
            Action: 'sts:AssumeRole',
            ...(Condition && { Condition }),
          },
        ],
      },
    });
  const app = role('app', { Service: 'lambda.amazonaws.com' });
  return {
    roles,
    role,
    operator: roles.operator.principal,
    app: roles.assume(app, 'lambda.amazonaws.com', 'run').principal,
    appArn: app,
    async run(op: string, input: object, as: Principal) {
      const operation = sts.operations[op];
      if (operation === undefined) throw new Error(`no operation ${op}`);
      const call: Call = { principal: as, requestId: 'r', userAgent: 'u', conditions: {} };
      return operation({ ...input }, call);
    },
  };
}

describe('GetCallerIdentity', () => {
  it('tells a session and the operator who they are, without any permission', async () => {
    const world = createWorld();
    const session = await world.run('GetCallerIdentity', {}, world.app);
    expect(session).toMatchObject({
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/app/run`,
    });
    expect(JSON.stringify(session)).toMatch(/"UserId":"AROA[0-9A-F]{17}:run"/u);
    expect(await world.run('GetCallerIdentity', {}, world.operator)).toMatchObject({
      Arn: `arn:aws:iam::${account}:user/operator`,
    });
  });
});

describe('AssumeRole', () => {
  const answer = z.object({
    Credentials: z.object({ AccessKeyId: z.string(), Expiration: z.date() }),
    AssumedRoleUser: z.object({ Arn: z.string() }),
  });

  it('gives credentials that stand for the role for as long as asked', async () => {
    const world = createWorld();
    const RoleArn = world.role('target', { AWS: world.appArn });
    const request = { RoleArn, RoleSessionName: 'next', DurationSeconds: 900 };

    const { Credentials, AssumedRoleUser } = answer.parse(await world.run('AssumeRole', request, world.app));

    expect(AssumedRoleUser.Arn).toBe(`arn:aws:sts::${account}:assumed-role/target/next`);
    expect(Credentials.Expiration).toEqual(new Date(Date.UTC(2026, 0, 1, 0, 15)));
    expect(world.roles.principalOf(Credentials.AccessKeyId)).toMatchObject({ roleArn: RoleArn });
  });

  it('is refused to whom the trust policy does not name, in the words of AWS', async () => {
    const world = createWorld();
    const RoleArn = world.role('target', { Service: 'states.amazonaws.com' });
    await expect(
      world.run('AssumeRole', { RoleArn, RoleSessionName: 'next' }, world.app),
    ).rejects.toMatchObject({
      code: 'AccessDenied',
      statusCode: 403,
      message: `User: arn:aws:sts::${account}:assumed-role/app/run is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`,
    });
  });

  it('asks for the external id that the trust policy asks for', async () => {
    const world = createWorld();
    const condition = { StringEquals: { 'sts:ExternalId': 'agreed' } };
    const RoleArn = world.role('target', { AWS: world.appArn }, condition);
    const request = { RoleArn, RoleSessionName: 'next' };
    await expect(world.run('AssumeRole', request, world.app)).rejects.toMatchObject({ code: 'AccessDenied' });
    const agreed = world.run('AssumeRole', { ...request, ExternalId: 'agreed' }, world.app);
    await expect(agreed).resolves.toBeDefined();
  });

  it.each([{ RoleSessionName: 'a b' }, { DurationSeconds: 60 }, { Policy: '{}' }])(
    'refuses %j',
    async (more) => {
      const world = createWorld();
      const RoleArn = world.role('target', { AWS: world.appArn });
      const request = { RoleArn, RoleSessionName: 'next', ...more };
      await expect(world.run('AssumeRole', request, world.app)).rejects.toHaveProperty('code');
    },
  );
});
