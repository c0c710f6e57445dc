import { randomUUID } from 'node:crypto';
import { createWorld } from './world';

const SecretId = 'app';

describe('writing a value', () => {
  it('succeeds again with the same token and value, and changes nothing', async () => {
    const world = createWorld();
    const first = await world.seed();
    const write = { SecretId, ClientRequestToken: randomUUID(), SecretString: 'second' };
    const answer = await world.run('PutSecretValue', write);
    await world.put(SecretId, 'third');

    expect(await world.run('PutSecretValue', write)).toEqual({ ...answer, VersionStages: ['AWSPREVIOUS'] });
    expect(await world.refusal('GetSecretValue', { SecretId, VersionId: first })).toBe('no error');
  });

  it('refuses the same token with another value, without showing either', async () => {
    const world = createWorld();
    await world.seed();
    const write = { SecretId, ClientRequestToken: randomUUID(), SecretString: 'second-value' };
    const { ARN, VersionId } = await world.run('PutSecretValue', write);
    expect(await world.refusal('PutSecretValue', { ...write, SecretString: 'other-value' })).toBe(
      `ResourceExistsException: You can't use ClientRequestToken ${String(VersionId)} because that value is already in use for a version of secret ${String(ARN)}.`,
    );
  });

  it('refuses more than 65,536 bytes, and text and bytes at once', async () => {
    const world = createWorld();
    await world.seed();
    const write = { SecretId, ClientRequestToken: randomUUID() };
    const long = 'ä'.repeat(40_000);
    expect(await world.refusal('PutSecretValue', { ...write, SecretString: long })).toContain('65536');
    expect(await world.refusal('PutSecretValue', { ...write, SecretString: 'x', SecretBinary: 'eA==' })).toBe(
      "InvalidParameterException: You can't specify both a binary secret value and a string secret value in the same secret.",
    );
    expect(await world.refusal('PutSecretValue', write)).toContain(
      'You must provide either SecretString or SecretBinary',
    );
  });

  it('refuses a parameter that it does not know, by name', async () => {
    const world = createWorld();
    expect(await world.refusal('CreateSecret', { Name: SecretId, Type: 'x' })).toBe(
      'UnsupportedParameter: The embedded cloud does not implement CreateSecret with Type.',
    );
  });

  it('creates a secret once, and answers the same to the same request', async () => {
    const world = createWorld();
    const request = { Name: SecretId, ClientRequestToken: randomUUID(), SecretString: 'x' };
    const answer = await world.run('CreateSecret', request);
    expect(await world.run('CreateSecret', request)).toEqual(answer);
    expect(await world.refusal('CreateSecret', { ...request, SecretString: 'y' })).toBe(
      'ResourceExistsException: The operation failed because the secret app already exists.',
    );
  });

  it('tells of every label that comes to a version, but for AWSPENDING and AWSPREVIOUS', async () => {
    const world = createWorld();
    const first = await world.seed();
    const second = await world.put(SecretId, 'second', { VersionStages: ['AWSPENDING', 'mine'] });
    const move = {
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: second,
      RemoveFromVersionId: first,
    };
    const { ARN } = await world.run('UpdateSecretVersionStage', move);

    expect(world.labels.map((event) => event.detail)).toEqual([
      { name: 'app', labelUpdated: 'AWSCURRENT', versionId: first },
      { name: 'app', labelUpdated: 'mine', versionId: second },
      { name: 'app', labelUpdated: 'AWSCURRENT', versionId: second },
    ]);
    expect(world.labels[0]).toMatchObject({ source: 'aws.secretsmanager', resources: [ARN] });
  });

  it('does not make a version without value the current one', async () => {
    const world = createWorld();
    const first = await world.seed();
    const { VersionId } = await world.rotate();
    const move = {
      SecretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: VersionId,
      RemoveFromVersionId: first,
    };
    expect(await world.refusal('UpdateSecretVersionStage', move)).toContain('has no value');
    world.service.stop();
  });

  it('keeps a hundred versions, and prunes none that is younger than a day', async () => {
    const world = createWorld();
    await world.seed();
    for (let count = 1; count < 100; count++) await world.put(SecretId, `value-${count}`);
    const write = { SecretId, ClientRequestToken: randomUUID(), SecretString: 'one more' };
    expect(await world.refusal('PutSecretValue', write)).toContain('LimitExceededException');

    await world.travelTo(world.clock.now() + 25 * 60 * 60 * 1000);

    expect(await world.refusal('PutSecretValue', write)).toBe('no error');
    const list = await world.run('ListSecretVersionIds', { SecretId, IncludeDeprecated: true });
    expect(list['Versions']).toHaveLength(100);
  });
});

describe('reading', () => {
  it('several secrets at once reports single refusals beside the values', async () => {
    const world = createWorld();
    await world.seed('app', 'one');
    await world.seed('other', 'two');
    const answer = await world.run('BatchGetSecretValue', { SecretIdList: ['app', 'ghost', 'other'] });
    expect(answer).toMatchObject({
      SecretValues: [
        { Name: 'app', SecretString: 'one' },
        { Name: 'other', SecretString: 'two' },
      ],
      Errors: [{ SecretId: 'ghost', ErrorCode: 'ResourceNotFoundException' }],
    });
  });

  it('finds a secret by name, ARN and ARN without its random characters, and by no other', async () => {
    const world = createWorld();
    await world.seed();
    const ARN = String((await world.run('DescribeSecret', { SecretId }))['ARN']);
    const partial = ARN.slice(0, -7);
    for (const found of [SecretId, ARN, partial])
      expect(await world.run('GetSecretValue', { SecretId: found })).toMatchObject({ ARN });
    for (const other of [partial.replace('us-east-1', 'eu-west-1'), `${partial}-aaaaaa`])
      expect(await world.refusal('GetSecretValue', { SecretId: other })).toContain(
        'ResourceNotFoundException',
      );
    // What another account has, nobody learns without its leave.
    const theirs = partial.replace('111122223333', '999999999999');
    expect(await world.refusal('GetSecretValue', { SecretId: theirs })).toContain('AccessDeniedException');
  });

  it('lists secrets in pages, filtered, the newest first', async () => {
    const world = createWorld();
    for (const name of ['a/1', 'a/2', 'b/1']) {
      await world.travelTo(world.clock.now() + 1000);
      await world.seed(name);
    }
    const page = await world.run('ListSecrets', { MaxResults: 2 });
    expect(page['SecretList']).toMatchObject([{ Name: 'b/1' }, { Name: 'a/2' }]);
    const rest = await world.run('ListSecrets', { MaxResults: 2, NextToken: page['NextToken'] });
    expect(rest['SecretList']).toMatchObject([{ Name: 'a/1' }]);
    expect(rest).not.toHaveProperty('NextToken');

    const found = await world.run('ListSecrets', {
      Filters: [{ Key: 'name', Values: ['a/'] }],
      SortOrder: 'asc',
    });
    expect(found['SecretList']).toMatchObject([{ Name: 'a/1' }, { Name: 'a/2' }]);
    const others = await world.run('ListSecrets', { Filters: [{ Key: 'name', Values: ['!a/'] }] });
    expect(others['SecretList']).toMatchObject([{ Name: 'b/1' }]);
    expect(await world.refusal('ListSecrets', { NextToken: 'nonsense' })).toContain(
      'InvalidNextTokenException',
    );
  });

  it('tells the day of the last access, and of none where there was none', async () => {
    const world = createWorld();
    await world.seed();
    expect(await world.run('DescribeSecret', { SecretId })).not.toHaveProperty('LastAccessedDate');
    await world.run('GetSecretValue', { SecretId });
    expect(await world.run('DescribeSecret', { SecretId })).toMatchObject({
      LastAccessedDate: new Date(Date.UTC(2026, 0, 1)),
    });
  });
});

describe('deleting', () => {
  it('keeps a secret through its recovery window, closed to reading and writing', async () => {
    const world = createWorld();
    const first = await world.seed();
    await world.run('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    const marked =
      "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.";
    expect(await world.refusal('GetSecretValue', { SecretId })).toBe(marked);
    const write = { SecretId, ClientRequestToken: randomUUID(), SecretString: 'x' };
    expect(await world.refusal('PutSecretValue', write)).toBe(marked);
    expect((await world.run('ListSecrets', {}))['SecretList']).toEqual([]);

    await world.run('RestoreSecret', { SecretId });

    expect(await world.run('GetSecretValue', { SecretId })).toMatchObject({ VersionId: first });
  });

  it('removes it when the window has passed', async () => {
    const world = createWorld();
    await world.seed();
    await world.run('DeleteSecret', { SecretId, RecoveryWindowInDays: 7 });
    await world.travelTo(world.clock.now() + 7 * 24 * 60 * 60 * 1000);
    expect(await world.refusal('RestoreSecret', { SecretId })).toContain('ResourceNotFoundException');
    expect(await world.refusal('CreateSecret', { Name: SecretId })).toBe('no error');
  });

  it.each([
    [{ RecoveryWindowInDays: 6 }, 'between 7 and 30 days'],
    [
      { RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true },
      "You can't use ForceDeleteWithoutRecovery",
    ],
  ])('refuses %j', async (request, message) => {
    const world = createWorld();
    await world.seed();
    expect(await world.refusal('DeleteSecret', { SecretId, ...request })).toContain(message);
  });
});

describe('policies of a secret', () => {
  it.each(['{', '[]', '{"Statement":{"Effect":"Allow"}}'])('%s is refused', async (ResourcePolicy) => {
    const world = createWorld();
    await world.seed();
    expect(await world.refusal('PutResourcePolicy', { SecretId, ResourcePolicy })).toBe(
      'MalformedPolicyDocumentException: This resource policy contains invalid Json.',
    );
  });

  it('that open a secret to everyone can be blocked', async () => {
    const world = createWorld();
    await world.seed();
    const Statement = {
      Effect: 'Allow',
      Principal: '*',
      Action: 'secretsmanager:GetSecretValue',
      Resource: '*',
    };
    const ResourcePolicy = JSON.stringify({ Statement });
    expect(
      await world.refusal('PutResourcePolicy', { SecretId, ResourcePolicy, BlockPublicPolicy: true }),
    ).toContain('PublicPolicyException');
    expect(await world.run('ValidateResourcePolicy', { SecretId, ResourcePolicy })).toMatchObject({
      PolicyValidationPassed: false,
    });
  });
});

describe('the record of stored values', () => {
  it('keeps values of versions and secrets that are gone', async () => {
    const world = createWorld();
    await world.seed('app', 'first');
    await world.put('app', 'second');
    await world.run('DeleteSecret', { SecretId, ForceDeleteWithoutRecovery: true });
    expect(world.service.storedValues().map((stored) => stored.value)).toEqual([
      { SecretString: 'first' },
      { SecretString: 'second' },
    ]);
  });
});

describe('a random password', () => {
  it('has 32 characters and one of each kind', async () => {
    const world = createWorld();
    for (let draw = 0; draw < 50; draw++) {
      const { RandomPassword } = await world.run('GetRandomPassword', { PasswordLength: 8 });
      expect(RandomPassword).toMatch(/^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])(?=.*[^a-zA-Z0-9]).{8}$/u);
    }
    const { RandomPassword } = await world.run('GetRandomPassword', {});
    expect(RandomPassword).toHaveLength(32);
  });

  it('holds nothing that is excluded', async () => {
    const world = createWorld();
    const request = { ExcludePunctuation: true, ExcludeCharacters: 'abcXYZ019', PasswordLength: 4096 };
    const { RandomPassword } = await world.run('GetRandomPassword', request);
    expect(RandomPassword).toMatch(/^[d-zA-W2-8]{4096}$/u);
  });

  it('is refused where nothing is left to draw from', async () => {
    const world = createWorld();
    const request = {
      ExcludePunctuation: true,
      ExcludeUppercase: true,
      ExcludeLowercase: true,
      ExcludeNumbers: true,
    };
    expect(await world.refusal('GetRandomPassword', request)).toContain('InvalidParameterException');
    expect(await world.refusal('GetRandomPassword', { PasswordLength: 3 })).toContain('at least 4');
  });
});
