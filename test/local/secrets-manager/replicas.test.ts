import { startCloud, type Cloud, type CloudOptions } from '../../../local/cloud';
import { VirtualClock } from '../../../local/kernel/clock';
import { Neighbours } from '../../../local/neighbours';
import { pass } from '../gateway/stage';

const account = '111122223333';
const there = 'eu-west-1';
const running: Cloud[] = [];
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop();
});

/** A primary region and another one, on one clock that the test moves. */
async function regions(options: CloudOptions = {}) {
  const clock = new VirtualClock();
  const neighbours = new Neighbours();
  const primary = await startCloud({ neighbours, clock, ...options });
  const replica = await startCloud({ neighbours, clock, region: there });
  running.push(primary, replica);
  return { clock, primary, replica };
}

const call = <Answer extends object>(cloud: Cloud, operation: string, input: object) =>
  cloud.call<Answer>('secretsmanager', operation, { ...input });

interface Described {
  readonly ARN: string;
  readonly PrimaryRegion?: string;
  readonly VersionIdsToStages?: Readonly<Record<string, readonly string[]>>;
  readonly ReplicationStatus?: readonly { Region: string; Status: string; StatusMessage?: string }[];
}

const describeIn = (cloud: Cloud, SecretId: string) => call<Described>(cloud, 'DescribeSecret', { SecretId });
const create = (cloud: Cloud, more: object = {}) =>
  call<Described & { VersionId: string }>(cloud, 'CreateSecret', {
    Name: 'app',
    SecretString: 'first',
    ClientRequestToken: crypto.randomUUID(),
    ...more,
  });
const put = (cloud: Cloud, SecretString: string, more: object = {}) =>
  call<{ VersionId: string }>(cloud, 'PutSecretValue', {
    SecretId: 'app',
    SecretString,
    ClientRequestToken: crypto.randomUUID(),
    ...more,
  });
const toThere = { AddReplicaRegions: [{ Region: there }] };
const statusOf = async (cloud: Cloud) => (await describeIn(cloud, 'app')).ReplicationStatus?.[0];

describe('a replica', () => {
  it('comes after the call that asks for it, with the ARN but for the region, and the same versions', async () => {
    const { clock, primary, replica } = await regions();
    const { ARN, VersionId, ReplicationStatus } = await create(primary, toThere);
    expect(ReplicationStatus).toMatchObject([{ Region: there, Status: 'InProgress' }]);
    await expect(describeIn(replica, 'app')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    pass(clock, 300);
    expect(await statusOf(primary)).toMatchObject({ Region: there, Status: 'InSync' });
    expect(await describeIn(replica, 'app')).toMatchObject({
      ARN: ARN.replace('us-east-1', there),
      PrimaryRegion: 'us-east-1',
      VersionIdsToStages: { [VersionId]: ['AWSCURRENT'] },
    });
    expect(await call(replica, 'GetSecretValue', { SecretId: 'app' })).toMatchObject({
      SecretString: 'first',
      VersionId,
    });
  });

  it('serves the former version until the change has come', async () => {
    const { clock, primary, replica } = await regions();
    const { VersionId: first } = await create(primary, toThere);
    pass(clock, 300);
    const { VersionId: second } = await put(primary, 'second');
    expect(await statusOf(primary)).toMatchObject({ Status: 'InProgress' });
    const read = () => call<{ VersionId: string }>(replica, 'GetSecretValue', { SecretId: 'app' });
    expect((await read()).VersionId).toBe(first);
    pass(clock, 299);
    expect((await read()).VersionId).toBe(first);
    pass(clock, 1);
    expect((await read()).VersionId).toBe(second);
    await call(primary, 'UpdateSecretVersionStage', {
      SecretId: 'app',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: first,
      RemoveFromVersionId: second,
    });
    pass(clock, 300);
    expect((await read()).VersionId).toBe(first);
    expect((await describeIn(replica, 'app')).VersionIdsToStages).toEqual(
      (await describeIn(primary, 'app')).VersionIdsToStages,
    );
  });

  it('stays behind while its region is out of reach, and comes when it is back', async () => {
    let reached = false;
    const { clock, primary, replica } = await regions({ replication: { reaches: () => reached } });
    await create(primary, toThere);
    pass(clock, 10_000);
    expect(await statusOf(primary)).toMatchObject({ Status: 'InProgress' });
    reached = true;
    pass(clock, 300);
    expect(await statusOf(primary)).toMatchObject({ Status: 'InSync' });
    expect(await call(replica, 'GetSecretValue', { SecretId: 'app' })).toMatchObject({
      SecretString: 'first',
    });
  });

  it.each([
    ['PutSecretValue', { SecretString: 'x', ClientRequestToken: crypto.randomUUID() }],
    ['UpdateSecret', { Description: 'x' }],
    ['UpdateSecretVersionStage', { VersionStage: 'mine' }],
    ['TagResource', { Tags: [{ Key: 'a', Value: 'b' }] }],
    ['DeleteSecret', {}],
    ['ReplicateSecretToRegions', { AddReplicaRegions: [{ Region: 'us-west-2' }] }],
  ])('refuses %s: that is for its primary', async (operation, input) => {
    const { clock, primary, replica } = await regions();
    await create(primary, toThere);
    pass(clock, 300);
    await expect(call(replica, operation, { SecretId: 'app', ...input })).rejects.toMatchObject({
      code: 'InvalidParameterException',
      message: "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
    });
  });

  it('becomes a secret of its own where it is promoted, and follows no more', async () => {
    const { clock, primary, replica } = await regions();
    await create(primary, toThere);
    pass(clock, 300);
    await call(replica, 'StopReplicationToReplica', { SecretId: 'app' });
    await put(replica, 'own');
    await put(primary, 'second');
    pass(clock, 300);
    expect(await call(replica, 'GetSecretValue', { SecretId: 'app' })).toMatchObject({ SecretString: 'own' });
    expect(await statusOf(primary)).toMatchObject({ Status: 'Failed' });
  });
});

describe('a primary', () => {
  it('says why a replica failed, and replaces a secret of that name only where it is told to', async () => {
    const { clock, primary, replica } = await regions();
    await create(replica);
    await create(primary, { ...toThere, SecretString: 'ours' });
    pass(clock, 300);
    expect(await statusOf(primary)).toMatchObject({
      Status: 'Failed',
      StatusMessage: `Replication failed: Secret name app already exists in region ${there}.`,
    });
    expect(await call(replica, 'GetSecretValue', { SecretId: 'app' })).toMatchObject({
      SecretString: 'first',
    });
    await call(primary, 'RemoveRegionsFromReplication', { SecretId: 'app', RemoveReplicaRegions: [there] });
    await call(primary, 'ReplicateSecretToRegions', {
      SecretId: 'app',
      ...toThere,
      ForceOverwriteReplicaSecret: true,
    });
    pass(clock, 300);
    expect(await call(replica, 'GetSecretValue', { SecretId: 'app' })).toMatchObject({
      SecretString: 'ours',
    });
  });

  it('is not deleted before its replicas, which go when their region is removed', async () => {
    const { clock, primary, replica } = await regions();
    await create(primary, toThere);
    pass(clock, 300);
    await expect(call(primary, 'DeleteSecret', { SecretId: 'app' })).rejects.toThrow(
      `still has replica regions [${there}]`,
    );
    await call(primary, 'RemoveRegionsFromReplication', { SecretId: 'app', RemoveReplicaRegions: [there] });
    await expect(describeIn(replica, 'app')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
    await call(primary, 'DeleteSecret', { SecretId: 'app' });
  });

  it('is not replicated to its own region, nor to one that nobody started', async () => {
    const { primary } = await regions();
    const to = (Region: string) => create(primary, { AddReplicaRegions: [{ Region }] });
    await expect(to('us-east-1')).rejects.toThrow('Invalid replica region.');
    await expect(to('ap-south-1')).rejects.toThrow(/has no region ap-south-1/);
    await expect(describeIn(primary, 'app')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('wants leave to be replicated beside leave to be made', async () => {
    const neighbours = new Neighbours();
    const primary = await startCloud({ neighbours });
    running.push(primary, await startCloud({ neighbours, region: there }));
    const { roles } = neighbours.account(account, () => {
      throw new Error('the account is there');
    });
    const statement = { Effect: 'Allow', Action: 'secretsmanager:CreateSecret', Resource: '*' };
    const roleArn = roles.put({
      name: 'maker',
      trustPolicy: {
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      policies: { make: { Statement: [statement] } },
    });
    const attempt = (input: object) =>
      primary.callAs(roleArn, 'lambda.amazonaws.com', 'secretsmanager', 'CreateSecret', {
        Name: 'app',
        ...input,
      });
    await expect(attempt(toThere)).rejects.toThrow(/secretsmanager:ReplicateSecretToRegions/);
    await expect(attempt({})).resolves.toMatchObject({ Name: 'app' });
  });
});
