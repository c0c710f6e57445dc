import * as z from 'zod';
import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Call, type Principal } from '../../../local/kernel/service';
import { createKeyManagement } from '../../../local/kms/service';

const account = '111122223333';
const trustPolicy = {
  Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
};
const sns = 'sns.us-east-1.amazonaws.com';
const events: Principal = { kind: 'service', service: 'events.amazonaws.com', account };

function createWorld() {
  const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
  const roles = new RoleStore(where);
  const kms = createKeyManagement({
    ...where,
    authorize: createAuthorize({ ...where, roles }),
    callService: () => Promise.reject(new Error('this world has one service')),
  });
  const callAs = (principal: Principal): Call => ({
    principal,
    requestId: 'r',
    userAgent: 'u',
    conditions: {},
  });
  const attempt = (run: () => void) => {
    try {
      run();
      return 'allowed';
    } catch (error) {
      if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
      throw error;
    }
  };
  const world = {
    kms,
    role(policy?: object): Principal {
      const arn = roles.put({ name: 'app', trustPolicy, ...(policy && { policies: { policy } }) });
      return roles.assume(arn, 'lambda.amazonaws.com', 'run').principal;
    },
    async run(op: string, input: object, as: Principal = roles.operator.principal) {
      const operation = kms.operations[op];
      if (operation === undefined) throw new Error(`no operation ${op}`);
      const answer: Readonly<Record<string, unknown>> = { ...(await operation({ ...input }, callAs(as))) };
      return answer;
    },
    async key(...statements: readonly object[]): Promise<string> {
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
      const { KeyMetadata } = await world.run('CreateKey', statements.length === 0 ? {} : { Policy });
      return z.object({ Arn: z.string() }).parse(KeyMetadata).Arn;
    },
    use: (principal: Principal, key: string, action = 'kms:Decrypt', via = sns) =>
      attempt(() => kms.authorizeKeyUse(callAs(principal), key, action, via)),
  };
  return world;
}

const decrypt = (Condition?: object) => ({
  Statement: [{ Effect: 'Allow', Action: ['kms:Decrypt', 'kms:GenerateDataKey*'], Resource: '*', Condition }],
});

describe('the use of a key on behalf of a caller', () => {
  it('is decided by the account’s policies under the default key policy', async () => {
    const world = createWorld();
    const key = await world.key();
    expect(world.use(world.role(), key)).toContain('AccessDeniedException: User: ');
    expect(world.use(world.role(decrypt()), key)).toBe('allowed');
    expect(world.use(world.role(decrypt()), key, 'kms:GenerateDataKeyWithoutPlaintext')).toBe('allowed');
  });

  it('can be limited to a service', async () => {
    const world = createWorld();
    const key = await world.key();
    const role = world.role(decrypt({ StringEquals: { 'kms:ViaService': sns } }));
    expect(world.use(role, key)).toBe('allowed');
    expect(world.use(role, key, 'kms:Decrypt', 'sqs.us-east-1.amazonaws.com')).toContain('AccessDenied');
  });

  it('is refused to every identity when the key’s policy does not hand the decision over', async () => {
    const world = createWorld();
    const Principal = { Service: 'events.amazonaws.com' };
    const key = await world.key({ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' });
    expect(world.use(world.role(decrypt()), key)).toContain(
      'no resource-based policy allows the kms:Decrypt action',
    );
  });

  it('is refused to a service unless the key’s policy names it', async () => {
    const world = createWorld();
    const plain = await world.key();
    const open = await world.key({
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: ['kms:Decrypt', 'kms:GenerateDataKey*'],
      Resource: '*',
    });
    expect(world.use(events, plain)).toContain('no resource-based policy allows');
    expect(world.use(events, open)).toBe('allowed');
  });

  it('of a key of AWS is for identities and its own service, and not for services', () => {
    const world = createWorld();
    expect(world.use(world.role(), 'alias/aws/sns')).toBe('allowed');
    expect(world.use(world.role(), 'alias/aws/sns', 'kms:Decrypt', 'sqs.us-east-1.amazonaws.com')).toContain(
      'AccessDenied',
    );
    expect(world.use(events, 'alias/aws/sns')).toContain('AccessDenied');
  });

  it('finds the key by id, alias and alias ARN, and says which is missing', async () => {
    const world = createWorld();
    const key = await world.key();
    await world.run('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: key });
    const alias = `arn:aws:kms:us-east-1:${account}:alias/mine`;
    for (const name of [key.split('/')[1] ?? '', 'alias/mine', alias])
      expect(world.use(world.role(decrypt()), name)).toBe('allowed');
    expect(world.use(events, 'ghost')).toBe(
      `NotFoundException: Key 'arn:aws:kms:us-east-1:${account}:key/ghost' does not exist`,
    );
    expect(world.use(events, 'alias/ghost')).toBe(
      `NotFoundException: Alias arn:aws:kms:us-east-1:${account}:alias/ghost is not found.`,
    );
  });
});

describe('keys and aliases', () => {
  it('are described, listed and given other policies', async () => {
    const world = createWorld();
    const KeyId = await world.key();
    expect(await world.run('DescribeKey', { KeyId })).toMatchObject({
      KeyMetadata: { Arn: KeyId, Enabled: true, KeyManager: 'CUSTOMER' },
    });
    await world.run('EnableKeyRotation', { KeyId, RotationPeriodInDays: 180 });
    expect(await world.run('GetKeyRotationStatus', { KeyId })).toEqual({ KeyRotationEnabled: true });
    await world.run('CreateAlias', { AliasName: 'alias/mine', TargetKeyId: KeyId });
    expect((await world.run('ListAliases', {}))['Aliases']).toMatchObject([{ AliasName: 'alias/mine' }]);
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [] });
    await world.run('PutKeyPolicy', { KeyId, Policy });
    expect(await world.run('GetKeyPolicy', { KeyId })).toEqual({ Policy, PolicyName: 'default' });
  });

  it.each([
    ['CreateKey', { Policy: '{' }, 'MalformedPolicyDocumentException'],
    ['CreateKey', { MultiRegion: true }, 'UnsupportedParameter'],
    ['CreateAlias', { AliasName: 'mine' }, 'ValidationException'],
    ['CreateAlias', { AliasName: 'alias/aws/mine' }, 'NotAuthorizedException'],
  ])('%s with %o is refused', async (op, request, code) => {
    const world = createWorld();
    const TargetKeyId = await world.key();
    const input = op === 'CreateAlias' ? { TargetKeyId, ...request } : request;
    await expect(world.run(op, input)).rejects.toMatchObject({ code });
  });

  it('an alias is given once', async () => {
    const world = createWorld();
    const alias = { AliasName: 'alias/mine', TargetKeyId: await world.key() };
    await world.run('CreateAlias', alias);
    await expect(world.run('CreateAlias', alias)).rejects.toMatchObject({ code: 'AlreadyExistsException' });
  });
});

describe('every operation', () => {
  const requests = (KeyId: string): Readonly<Record<string, object>> => ({
    CreateAlias: { AliasName: 'alias/mine', TargetKeyId: KeyId },
    CreateKey: {},
    DescribeKey: { KeyId },
    EnableKeyRotation: { KeyId },
    GetKeyPolicy: { KeyId },
    GetKeyRotationStatus: { KeyId },
    ListAliases: {},
    PutKeyPolicy: { KeyId, Policy: '{"Statement":[]}' },
  });

  it('is in the table', () => {
    expect(Object.keys(createWorld().kms.operations).sort()).toEqual(Object.keys(requests('x')).sort());
  });

  it.each(Object.keys(requests('x')))('%s is refused to a role without permission', async (op) => {
    const world = createWorld();
    const request = requests(await world.key())[op] ?? {};
    await expect(world.run(op, request, world.role())).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
    const allowed = world.role({ Statement: { Effect: 'Allow', Action: `kms:${op}`, Resource: '*' } });
    await expect(world.run(op, request, allowed)).resolves.toBeDefined();
  });
});
