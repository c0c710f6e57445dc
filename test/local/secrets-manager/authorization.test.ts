import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../../local/kernel/service';
import { createWorld, lambdaArn, type World } from './world';

const SecretId = 'app';
const ResourcePolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: '*', Resource: '*' }],
});

/** One valid request of each operation. */
const requests: Readonly<Record<string, object>> = {
  BatchGetSecretValue: { SecretIdList: [SecretId] },
  CancelRotateSecret: { SecretId },
  CreateSecret: { Name: 'other' },
  DeleteResourcePolicy: { SecretId },
  DeleteSecret: { SecretId },
  DescribeSecret: { SecretId },
  GetRandomPassword: {},
  GetResourcePolicy: { SecretId },
  GetSecretValue: { SecretId },
  ListSecretVersionIds: { SecretId },
  ListSecrets: {},
  PutResourcePolicy: { SecretId, ResourcePolicy },
  PutSecretValue: { SecretId, SecretString: 'x', ClientRequestToken: randomUUID() },
  RemoveRegionsFromReplication: { SecretId, RemoveReplicaRegions: ['eu-west-1'] },
  ReplicateSecretToRegions: { SecretId, AddReplicaRegions: [{ Region: 'eu-west-1' }] },
  RestoreSecret: { SecretId },
  RotateSecret: { SecretId, ClientRequestToken: randomUUID(), RotationLambdaARN: lambdaArn },
  StopReplicationToReplica: { SecretId },
  TagResource: { SecretId, Tags: [{ Key: 'a', Value: 'b' }] },
  UntagResource: { SecretId, TagKeys: ['a'] },
  UpdateSecret: { SecretId, Description: 'x' },
  UpdateSecretVersionStage: { SecretId, VersionStage: 'mine', MoveToVersionId: 'x' },
  ValidateResourcePolicy: { SecretId, ResourcePolicy },
};

function role(world: World, policy?: object) {
  const trustPolicy = {
    Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  };
  const arn = world.roles.put({ name: 'app', trustPolicy, ...(policy && { policies: { policy } }) });
  return world.roles.assume(arn, 'lambda.amazonaws.com', 'run').principal;
}

const allow = (Action: string, Condition?: object) => ({
  Statement: [{ Effect: 'Allow', Action, Resource: '*', ...(Condition && { Condition }) }],
});

describe('every operation', () => {
  it('is in the table below', () => {
    expect(Object.keys(createWorld().service.operations).sort()).toEqual(Object.keys(requests).sort());
  });

  it.each(Object.entries(requests))('%s is refused to a role without permission', async (op, request) => {
    const world = createWorld();
    await world.seed();
    world.asked.length = 0;

    const attempt = world.run(op, { ...request }, role(world));

    await expect(attempt).rejects.toMatchObject({ code: 'AccessDeniedException', statusCode: 400 });
    expect(world.asked.map((access) => access.action)).toEqual([`secretsmanager:${op}`]);
  });
});

describe('a role that is refused', () => {
  it('does not learn whether a secret exists', async () => {
    const world = createWorld();
    const outcome = await world.refusal('GetSecretValue', { SecretId: 'ghost' }, role(world));
    expect(outcome).toContain('AccessDeniedException: User: ');
  });
});

describe('condition keys', () => {
  const stage = (value: string) => ({ StringEquals: { 'secretsmanager:VersionStage': value } });

  it('limit which label a role may move', async () => {
    const world = createWorld();
    const first = await world.seed();
    const second = await world.put('app', 'second', { VersionStages: ['AWSPENDING'] });
    const mover = role(world, allow('secretsmanager:UpdateSecretVersionStage', stage('AWSCURRENT')));
    const move = { SecretId, MoveToVersionId: second };

    expect(
      await world.refusal('UpdateSecretVersionStage', { ...move, VersionStage: 'mine' }, mover),
    ).toContain('AccessDeniedException');
    const request = { ...move, VersionStage: 'AWSCURRENT', RemoveFromVersionId: first };
    expect(await world.refusal('UpdateSecretVersionStage', request, mover)).toBe('no error');
  });

  it('limit which label a role may read, and a request without label or id reads AWSCURRENT', async () => {
    const world = createWorld();
    await world.seed();
    const pending = await world.put('app', 'second', { VersionStages: ['AWSPENDING'] });
    const reader = role(world, allow('secretsmanager:GetSecretValue', stage('AWSCURRENT')));

    expect(await world.refusal('GetSecretValue', { SecretId }, reader)).toBe('no error');
    for (const request of [{ VersionStage: 'AWSPENDING' }, { VersionId: pending }])
      expect(await world.refusal('GetSecretValue', { SecretId, ...request }, reader)).toContain(
        'AccessDeniedException',
      );
  });

  it('limit which version and which secret a role may read', async () => {
    const world = createWorld();
    const first = await world.seed();
    const condition = { StringEquals: { 'secretsmanager:VersionId': first } };
    const reader = role(world, allow('secretsmanager:GetSecretValue', condition));
    expect(await world.refusal('GetSecretValue', { SecretId, VersionId: first }, reader)).toBe('no error');
    expect(await world.refusal('GetSecretValue', { SecretId }, reader)).toContain('AccessDeniedException');
  });

  it.each(['aws:ResourceTag/team', 'secretsmanager:ResourceTag/team'])('know the tag as %s', async (key) => {
    const world = createWorld();
    await world.seed();
    const reader = role(world, allow('secretsmanager:GetSecretValue', { StringEquals: { [key]: 'blue' } }));
    expect(await world.refusal('GetSecretValue', { SecretId }, reader)).toContain('AccessDeniedException');
    await world.run('TagResource', { SecretId, Tags: [{ Key: 'team', Value: 'blue' }] });
    expect(await world.refusal('GetSecretValue', { SecretId }, reader)).toBe('no error');
  });

  it('cannot limit PutSecretValue to a label, because AWS does not fill it there', async () => {
    const world = createWorld();
    await world.seed();
    const writer = role(world, allow('secretsmanager:PutSecretValue', stage('AWSPENDING')));
    const write = {
      SecretId,
      ClientRequestToken: randomUUID(),
      SecretString: 'x',
      VersionStages: ['AWSPENDING'],
    };
    expect(await world.refusal('PutSecretValue', write, writer)).toContain('AccessDeniedException');
  });
});

describe('the secret’s own policy', () => {
  it('lets a role in that has no policy of its own, and shuts one out that has', async () => {
    const world = createWorld();
    await world.seed();
    const principal = role(world);
    const policy = (Effect: string) => ({
      SecretId,
      ResourcePolicy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect,
            Principal: { AWS: 'arn:aws:iam::111122223333:role/app' },
            Action: 'secretsmanager:GetSecretValue',
            Resource: '*',
          },
        ],
      }),
    });
    await world.run('PutResourcePolicy', policy('Allow'));
    expect(await world.refusal('GetSecretValue', { SecretId }, principal)).toBe('no error');

    const powerful = role(world, allow('secretsmanager:*'));
    await world.run('PutResourcePolicy', policy('Deny'));
    expect(await world.refusal('GetSecretValue', { SecretId }, powerful)).toContain(
      'with an explicit deny in a resource-based policy',
    );
  });
});

describe('a customer-managed key', () => {
  it('must be usable by the caller, through Secrets Manager, to read and to write', async () => {
    const uses: string[] = [];
    let open = true;
    const world = createWorld({
      authorizeKeyUse: (_call, key, action, via) => {
        uses.push(`${action} ${key} ${via}`);
        if (!open) throw new ServiceError('AccessDeniedException', 'the key’s own words');
      },
    });
    const ClientRequestToken = randomUUID();
    await world.run('CreateSecret', {
      Name: SecretId,
      ClientRequestToken,
      SecretString: 'x',
      KmsKeyId: 'alias/mine',
    });
    await world.run('GetSecretValue', { SecretId });
    expect(uses).toEqual([
      'kms:GenerateDataKey alias/mine secretsmanager.us-east-1.amazonaws.com',
      'kms:Decrypt alias/mine secretsmanager.us-east-1.amazonaws.com',
    ]);
    open = false;
    expect(await world.refusal('GetSecretValue', { SecretId })).toBe(
      'AccessDeniedException: Access to KMS is not allowed',
    );
  });
});
