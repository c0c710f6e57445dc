import { lambdaContext } from './lambda-environment';
import * as z from 'zod/mini';
import { secretsManager } from '../../aws/secrets';
import { createSecret, type CreatedSecret } from '../../functions/create-secret';
import { handler } from '../../functions/rotation';
import type { PasswordRules, Policy } from '../../domain/policy';
import type { CreateOptions, RotatorDefinition } from '../../rotators/rotator';
import { seal } from '../../rotators/seal';
import { noSettings } from '../../rotators/settings';
import { AwsEndpoint, type StoredSecret } from './aws-endpoint';
import { collectLog } from './log-lines';
import { adminSecret, passwords, postgresSecret } from './postgres-secret';

let aws: AwsEndpoint;
let secret: StoredSecret;
let admin: StoredSecret;
const log = collectLog();
const password = { length: 32, excludeCharacters: '', require: ['lower', 'upper', 'digit'] };
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => {
  log.lines.length = 0;
  aws.clear();
  admin = aws.keep('admin', { a1: ['AWSCURRENT'] }, { a1: adminSecret });
  secret = aws.keep(
    'app',
    { old: ['AWSCURRENT'], new: ['AWSPENDING'] },
    { old: postgresSecret({ masterarn: admin.arn }) },
  );
});

const request = () => ({
  task: 'CreateSecret',
  secretArn: secret.arn,
  versionId: 'new',
  previousVersionId: 'old',
  rotator: null,
  admin: null,
  settings: {},
  password,
  openSessions: 'report',
  late: false,
});
const run = (changes: object = {}) => handler({ ...request(), ...changes }, lambdaContext('rotation'));
const pendingPassword = () =>
  z.parse(z.object({ password: z.string() }), JSON.parse(secret.values.get('new') ?? '')).password;

test('the new value is stored under the token, by one write, and the answer holds names and traits alone', async () => {
  await expect(run()).resolves.toEqual({
    rotator: 'postgres-alternating',
    overlap: 'two-principals',
    mint: 'rotator',
    usage: true,
    admin: admin.arn,
    principals: { from: 'app', to: 'app_clone' },
  });
  expect(aws.operations()).toEqual(['GetSecretValue', 'PutSecretValue']);
  expect(pendingPassword()).toMatch(/^[A-Za-z0-9]{32}$/);
});

test('a repeat keeps the first value and answers the same', async () => {
  const first = await run();
  const value = secret.values.get('new');
  await expect(run()).resolves.toEqual(first);
  expect(secret.values.get('new')).toBe(value);
});

test('the password follows the rules of the policy', async () => {
  await run({ password: { length: 64, excludeCharacters: 'abc', require: ['punctuation'] } });
  expect(pendingPassword()).toMatch(/^(?=.*[-_.~])[^abc]{64}$/);
});

test('rules too weak are refused by name, and nothing is stored', async () => {
  await expect(run({ password: { ...password, length: 12 } })).rejects.toMatchObject({
    name: 'PolicyInvalid',
  });
  expect(secret.values.has('new')).toBe(false);
});

test.each([
  [
    'block',
    { rotator: 'postgres-single' },
    'with rotator postgres-single nobody can tell which sessions are open',
  ],
  [
    'end',
    { rotator: 'postgres-single' },
    'rotator postgres-single cannot end the sessions of a stopped credential',
  ],
])(
  'a rule for open sessions that the rotator could not keep is refused by name, and nothing is stored: %s',
  async (openSessions, changes, message) => {
    await expect(run({ openSessions, ...changes })).rejects.toMatchObject({
      name: 'PolicyInvalid',
      message: expect.stringContaining(message) as string,
    });
    expect(secret.values.has('new')).toBe(false);
  },
);

test.each(['block', 'end'])(
  'a rule for open sessions that the rotator can keep is taken: %s',
  async (rule) => {
    await expect(run({ openSessions: rule })).resolves.toMatchObject({ rotator: 'postgres-alternating' });
  },
);

test('the policy chooses rotator and admin over what the secret says', async () => {
  await expect(run({ rotator: 'postgres-single', admin: 'other-admin' })).resolves.toMatchObject({
    rotator: 'postgres-single',
    overlap: 'none',
    usage: false,
    admin: 'other-admin',
    principals: { from: 'app', to: 'app' },
  });
});

test('without masterarn the single user is rotated, and needs no admin', async () => {
  secret.values.set('old', postgresSecret());
  await expect(run()).resolves.toMatchObject({ rotator: 'postgres-single', admin: null });
});

test('two users without an admin anywhere is AdminMissing', async () => {
  secret.values.set('old', postgresSecret());
  await expect(run({ rotator: 'postgres-alternating' })).rejects.toMatchObject({
    name: 'AdminMissing',
    message: expect.stringContaining('masterarn') as string,
  });
  expect(secret.values.has('new')).toBe(false);
});

test.each([
  ['ARN', () => secret.arn],
  ['ARN without the ending', () => secret.arn.replace(/-AbCdEf$/, '')],
  ['name', () => 'app'],
])('an admin that is the secret itself is refused when it is named by %s', async (_, id) => {
  await expect(run({ admin: id() })).rejects.toMatchObject({ name: 'AdminIsTheSecret' });
  secret.values.set('old', postgresSecret({ masterarn: id() }));
  await expect(run()).rejects.toMatchObject({ name: 'AdminIsTheSecret' });
  expect(secret.values.has('new')).toBe(false);
});

test('an admin whose name merely ends like the secret is another one', async () => {
  await expect(run({ admin: 'pp' })).resolves.toMatchObject({ admin: 'pp' });
});

test.each([
  ['RotatorUnknown', postgresSecret({ engine: 'db2' })],
  ['SecretMalformed', 'not json, and a password: hunter2hunter2'],
  ['SecretMalformed', postgresSecret({ host: 7 })],
])('a secret that is wrong is refused as %s, without its text', async (name, text) => {
  secret.values.set('old', text);
  const refused = expect(run()).rejects;
  await refused.toMatchObject({
    name,
    message: expect.not.stringMatching(new RegExp(`hunter2|${passwords.inUse}`)) as string,
  });
  expect(secret.values.has('new')).toBe(false);
});

test('a rotator that does not exist is refused with those that do', async () => {
  await expect(run({ rotator: 'oracle' })).rejects.toMatchObject({
    name: 'RotatorUnknown',
    message: expect.stringContaining('postgres-alternating') as string,
  });
});

describe('where the target mints the credential', () => {
  interface Key {
    readonly id: string;
    readonly key: string;
  }
  const shape = z.object({ id: z.string(), key: z.string() });
  const definition: RotatorDefinition<Key> = {
    traits: () => ({
      overlap: 'two-credentials',
      mint: 'target',
      usage: false,
      endsSessions: false,
      admin: 'required',
      retirement: 'deferred',
      network: 'public',
      iam: [],
      longestPassword: 64,
    }),
    secret: shape,
    admin: shape,
    settings: noSettings,
    example: { secret: { id: 'key-0' }, generated: 'key', settings: {} },
    sensitive: ({ key }) => [key],
    claims: () => true,
    principal: ({ id }) => id,
    adminArn: () => admin.arn,
  };
  /** A target that hands out keys and never takes one back by itself. */
  let minted: string[];
  let minter: string | undefined;
  let created: CreateOptions<Key> | undefined;
  const rotator = seal(definition, async () => ({
    create: async (_, context, options) => {
      created = options;
      minter = context.admin?.id;
      const id = `key-${minted.length + 1}`;
      minted.push(id);
      return { id, key: `secret-of-${id}` };
    },
    apply: async () => ({}),
    verify: async () => undefined,
    retire: async () => undefined,
  }));
  const create = async (rules: Partial<PasswordRules> = {}): Promise<CreatedSecret> =>
    await createSecret(
      secretsManager(),
      {
        ...request(),
        task: 'CreateSecret',
        settings: {},
        openSessions: 'report' satisfies Policy['drain']['openSessions'],
        password: { ...password, require: [], ...rules },
      },
      lambdaContext('rotation'),
      () => ({ name: 'fake', rotator }),
    );

  beforeEach(() => {
    minted = [];
    minter = undefined;
    secret.values.set('old', JSON.stringify({ id: 'key-0', key: 'k' }));
    admin.values.set('a1', JSON.stringify({ id: 'admin', key: 'k' }));
  });

  test('it mints with the admin, once, and stores what it got', async () => {
    await expect(create()).resolves.toMatchObject({
      mint: 'target',
      principals: { from: 'key-0', to: 'key-1' },
    });
    expect(minter).toBe('admin');
    expect(secret.values.get('new')).toContain('key-1');
  });

  test('it is told the version, since when the value in use is, and what stands under other labels', async () => {
    secret.values.set('before', JSON.stringify({ id: 'key-before', key: 'k' }));
    secret.labels = { ...secret.labels, before: ['AWSPREVIOUS'] };
    await create();
    expect(created).toMatchObject({ versionId: 'new', others: [{ id: 'key-before' }], pinned: [] });
    expect(created?.replacedAt).toBeInstanceOf(Date);
    expect(created?.owner).toMatch(/^[0-9a-f]{8}$/);
  });

  test.each([['stable'], ['AWSPREVIOUS', 'stable']])(
    'what carries a label of somebody’s own (%s) is told as something that stays',
    async (...labels) => {
      secret.values.set('pinned', JSON.stringify({ id: 'key-pinned', key: 'k' }));
      secret.labels = { ...secret.labels, pinned: labels };
      await create();
      expect(created).toMatchObject({ others: [], pinned: [{ id: 'key-pinned' }] });
    },
  );

  test.each<[string, string, Readonly<Record<string, string[]>>]>([
    [
      'AWSCURRENT was put back by hand',
      'RotationAbandoned',
      { before: ['AWSCURRENT'], old: ['AWSPREVIOUS'], new: ['AWSPENDING'] },
    ],
    [
      'AWSPENDING is on the version of another rotation',
      'RotationAbandoned',
      { old: ['AWSCURRENT'], another: ['AWSPENDING'] },
    ],
    [
      'somebody held the previous version',
      'PreviousStillHeld',
      { before: ['AWSPREVIOUS', 'rotor-held'], old: ['AWSCURRENT'], new: ['AWSPENDING'] },
    ],
  ])('nothing is minted, and so nothing removed, where %s meanwhile', async (_, name, labels) => {
    for (const version of ['before', 'another'])
      secret.values.set(version, JSON.stringify({ id: `key-${version}`, key: 'k' }));
    secret.labels = labels;
    await expect(create()).rejects.toMatchObject({ name });
    expect(minted).toEqual([]);
  });

  test('a length that the target does not take is refused before anything is minted', async () => {
    await expect(create({ length: 65 })).rejects.toMatchObject({ name: 'PolicyInvalid' });
    expect(minted).toEqual([]);
  });

  test('a repeat looks for the stored value first and mints no second key', async () => {
    const first = await create();
    aws.received.length = 0;
    await expect(create()).resolves.toEqual(first);
    expect(minted).toEqual(['key-1']);
    expect(aws.operations()).toEqual(['GetSecretValue', 'GetSecretValue']);
  });

  test('an admin secret that does not exist is AdminMissing, before anything is minted', async () => {
    aws.secrets.splice(aws.secrets.indexOf(admin), 1);
    await expect(create()).rejects.toMatchObject({
      name: 'AdminMissing',
      message: `admin secret ${admin.arn} does not exist or has no value`,
    });
    expect(minted).toEqual([]);
  });
});

test('nothing that was logged holds a value', async () => {
  await run();
  await run({ rotator: 'oracle' }).catch(() => undefined);
  const logged = log.lines.join('\n');
  expect(log.lines).toHaveLength(2);
  for (const value of [passwords.inUse, passwords.admin, pendingPassword()])
    expect(logged).not.toContain(value);
});
