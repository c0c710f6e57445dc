import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetAccessKeyLastUsedCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { execFile, spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startCloud, type Cloud } from '../../../local/cloud';
import { ScaledClock } from '../../../local/kernel/clock';
import { startCloudWithHeldKeys } from './held-keys';

/** A clock that a test sets forward. */
class SteppedClock extends ScaledClock {
  ahead = 0;

  override now(): number {
    return Date.now() + this.ahead;
  }
}

const newKeyMs = 100;
const clock = new SteppedClock();
let cloud: Cloud;
let iam: IAMClient;
let count = 0;

beforeAll(async () => {
  cloud = await startCloud({ clock, accessKeys: { newKeyMs } });
  iam = new IAMClient(config(cloud.operator));
});
afterAll(async () => {
  iam.destroy();
  await cloud.stop();
});

const config = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }) => ({
  endpoint: cloud.endpoint,
  region: 'eu-west-1',
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 1,
});

async function newUser(Path?: string): Promise<string> {
  count += 1;
  const UserName = `user-${String(count)}`;
  await iam.send(new CreateUserCommand({ UserName, ...(Path === undefined ? {} : { Path }) }));
  return UserName;
}

/** A key that is accepted already, as the SDK takes it. */
async function newKey(UserName: string) {
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  await pause(newKeyMs + 20);
  return {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
}

const whoAmI = (key: { accessKeyId: string; secretAccessKey: string }, there: object = {}) =>
  new STSClient({ ...config(key), ...there }).send(new GetCallerIdentityCommand({}));

async function lastUsed(AccessKeyId: string) {
  return (await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId }))).AccessKeyLastUsed;
}

describe('users', () => {
  test('are created, shown and deleted once nothing is left of them', async () => {
    const UserName = await newUser('/team/');
    const { User } = await iam.send(new GetUserCommand({ UserName }));
    expect(User).toMatchObject({
      UserName,
      Path: '/team/',
      Arn: `arn:aws:iam::111122223333:user/team/${UserName}`,
    });
    expect(User?.UserId).toMatch(/^AIDA[0-9A-F]{17}$/);
    const { accessKeyId } = await newKey(UserName);
    await expect(iam.send(new DeleteUserCommand({ UserName }))).rejects.toMatchObject({
      name: 'DeleteConflictException',
      message: 'Cannot delete entity, must delete access keys first.',
    });
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: accessKeyId }));
    await iam.send(new DeleteUserCommand({ UserName }));
    await expect(iam.send(new GetUserCommand({ UserName }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `The user with name ${UserName} cannot be found.`,
      $metadata: { httpStatusCode: 404 },
    });
  });

  test('cannot have the name of another one in other letters', async () => {
    const UserName = (await newUser()).toUpperCase();
    await expect(iam.send(new CreateUserCommand({ UserName }))).rejects.toMatchObject({
      name: 'EntityAlreadyExistsException',
    });
  });

  test('refuse what is not implemented, by name', async () => {
    const tagged = new CreateUserCommand({ UserName: 'tagged', Tags: [{ Key: 'a', Value: 'b' }] });
    await expect(iam.send(tagged)).rejects.toMatchObject({
      name: 'UnsupportedParameter',
      message: 'The embedded cloud does not implement CreateUser with Tags.',
    });
  });

  test('have inline policies that are documents', async () => {
    const UserName = await newUser();
    const put = new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument: 'no JSON' });
    await expect(iam.send(put)).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' });
  });
});

describe('access keys', () => {
  test('are two at most, listed without their secret part', async () => {
    const UserName = await newUser();
    expect((await iam.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata).toEqual([]);
    const first = await newKey(UserName);
    const second = await newKey(UserName);
    expect(first.secretAccessKey).toHaveLength(40);
    await expect(iam.send(new CreateAccessKeyCommand({ UserName }))).rejects.toMatchObject({
      name: 'LimitExceededException',
      message: 'Cannot exceed quota for AccessKeysPerUser: 2',
      $metadata: { httpStatusCode: 409 },
    });
    const { AccessKeyMetadata, IsTruncated } = await iam.send(new ListAccessKeysCommand({ UserName }));
    expect(AccessKeyMetadata).toEqual(
      [first, second].map(({ accessKeyId }) => ({
        UserName,
        AccessKeyId: accessKeyId,
        Status: 'Active',
        CreateDate: expect.any(Date) as Date,
      })),
    );
    expect(IsTruncated).toBe(false);
  });

  test('are not accepted at once', async () => {
    const { cloud: slow, spread } = await startCloudWithHeldKeys();
    try {
      const there = { endpoint: slow.endpoint, region: 'us-east-1' };
      const UserName = 'ada';
      await slow.call('iam', 'CreateUser', { UserName });
      const { AccessKey } = await slow.call<{
        AccessKey: { AccessKeyId: string; SecretAccessKey: string };
      }>('iam', 'CreateAccessKey', { UserName });
      const key = { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
      await expect(whoAmI(key, there)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
      spread();
      expect((await whoAmI(key, there)).Arn).toBe(`arn:aws:iam::111122223333:user/${UserName}`);
    } finally {
      await slow.stop();
    }
  });

  test('are refused by every service while inactive, and accepted when active again', async () => {
    const UserName = await newUser();
    const key = await newKey(UserName);
    const change = { UserName, AccessKeyId: key.accessKeyId };
    await iam.send(new UpdateAccessKeyCommand({ ...change, Status: 'Inactive' }));
    await expect(whoAmI(key)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    const read = new SSMClient(config(key)).send(new GetParameterCommand({ Name: '/a' }));
    await expect(read).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await iam.send(new UpdateAccessKeyCommand({ ...change, Status: 'Active' }));
    await whoAmI(key);
    await iam.send(new DeleteAccessKeyCommand(change));
    await expect(whoAmI(key)).rejects.toMatchObject({ name: 'InvalidClientTokenId' });
    await expect(iam.send(new DeleteAccessKeyCommand(change))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `The Access Key with id ${key.accessKeyId} cannot be found.`,
    });
  });

  test('must have made the signature', async () => {
    const key = await newKey(await newUser());
    await expect(whoAmI({ ...key, secretAccessKey: 'another' })).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    expect((await lastUsed(key.accessKeyId))?.LastUsedDate).toBeUndefined();
  });

  test('tell the first use in 15 minutes, with service and region', async () => {
    const key = await newKey(await newUser());
    expect(await lastUsed(key.accessKeyId)).toEqual({ ServiceName: 'N/A', Region: 'N/A' });
    await whoAmI(key);
    const first = await lastUsed(key.accessKeyId);
    expect(first).toMatchObject({ ServiceName: 'sts', Region: 'eu-west-1' });
    clock.ahead += 14 * 60_000;
    await whoAmI(key);
    expect(await lastUsed(key.accessKeyId)).toEqual(first);
    clock.ahead += 2 * 60_000;
    await new SSMClient(config(key)).send(new GetParameterCommand({ Name: '/a' })).catch(() => undefined);
    const last = await lastUsed(key.accessKeyId);
    expect(last?.ServiceName).toBe('ssm');
    expect((last?.LastUsedDate?.getTime() ?? 0) - (first?.LastUsedDate?.getTime() ?? 0)).toBeGreaterThan(
      900_000,
    );
  });
});

describe('what a user may do', () => {
  const allow = (UserName: string, Action: string | string[], Resource: string) =>
    iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: 'allowed',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action, Resource },
        }),
      }),
    );

  test('is what its policies allow, at other services as well', async () => {
    await cloud.call('ssm', 'PutParameter', { Name: '/mine', Value: 'v', Type: 'String' });
    const UserName = await newUser();
    const ssm = new SSMClient(config(await newKey(UserName)));
    await expect(ssm.send(new GetParameterCommand({ Name: '/mine' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::111122223333:user/${UserName} is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-east-1:111122223333:parameter/mine because no identity-based policy allows the ssm:GetParameter action`,
    });
    await allow(UserName, 'ssm:GetParameter', 'arn:aws:ssm:us-east-1:111122223333:parameter/mine');
    expect((await ssm.send(new GetParameterCommand({ Name: '/mine' }))).Parameter?.Value).toBe('v');
  });

  test("is to change its own keys, where the policy says so with the user's name as a variable", async () => {
    const UserName = await newUser();
    const own = new IAMClient(config(await newKey(UserName)));
    await allow(
      UserName,
      ['iam:ListAccessKeys', 'iam:CreateAccessKey'],
      'arn:aws:iam::*:user/${aws:username}',
    );
    await own.send(new CreateAccessKeyCommand({}));
    expect((await own.send(new ListAccessKeysCommand({}))).AccessKeyMetadata).toHaveLength(2);
    const other = await newUser();
    await expect(own.send(new CreateAccessKeyCommand({ UserName: other }))).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
  });

  test('must be said about a user that is named, where the caller is none', async () => {
    await expect(iam.send(new ListAccessKeysCommand({}))).rejects.toMatchObject({
      name: 'ValidationError',
      message: 'Must specify userName when calling with non-User credentials',
    });
  });
});

const hasCli = spawnSync('aws', ['--version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
if (!hasCli) console.info('The AWS CLI is not installed: its test stands aside.');
(hasCli ? test : test.skip)("AWS's command line reads what IAM answers", async () => {
  const aws = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await promisify(execFile)('aws', ['iam', ...args, '--output', 'json'], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        AWS_ENDPOINT_URL: cloud.endpoint,
        AWS_ACCESS_KEY_ID: cloud.operator.accessKeyId,
        AWS_SECRET_ACCESS_KEY: cloud.operator.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        HTTPS_PROXY: 'http://127.0.0.1:1',
      },
    });
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  };
  const UserName = await newUser();
  const { AccessKey } = (await aws('create-access-key', '--user-name', UserName)) as {
    AccessKey: { AccessKeyId: string };
  };
  const { AccessKeyId } = AccessKey;
  await aws(
    'update-access-key',
    '--user-name',
    UserName,
    '--access-key-id',
    AccessKeyId,
    '--status',
    'Inactive',
  );
  expect(await aws('list-access-keys', '--user-name', UserName)).toMatchObject({
    AccessKeyMetadata: [{ AccessKeyId, Status: 'Inactive' }],
  });
  expect(await aws('get-access-key-last-used', '--access-key-id', AccessKeyId)).toEqual({
    UserName,
    AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' },
  });
  await expect(aws('get-user', '--user-name', 'nobody')).rejects.toMatchObject({
    stderr: expect.stringContaining('(NoSuchEntity)') as string,
  });
});
