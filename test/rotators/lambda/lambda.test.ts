import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cloud } from '../../../local/cloud';
import { accessKeyTiming } from '../../../local/iam/user-store';
import type { Fault } from '../../../local/lambda/ports';
import { deployFunction, lambdaKind } from '../../../local/targets/lambda-target';
import { cloudFor } from '../../../local/targets/own-cloud';
import type { RehearsalTarget, TargetServer } from '../../../local/targets/target';
import { lambdaDefinition } from '../../../rotators/lambda/definition';
import { lambda } from '../../../rotators/lambda/lambda';
import { seal } from '../../../rotators/seal';
import { contextFor, membersOf, rejection, withMembers } from '../context';

const rotator = seal(lambdaDefinition, () => Promise.resolve(lambda));
const settings = lambdaDefinition.example.settings;
const options = { versionId: 'version', others: [] };

let cloud: Cloud;
let release: () => Promise<void>;
let server: TargetServer;
let target: RehearsalTarget;
let fault: Fault | undefined;
let heard: unknown;

beforeAll(async () => {
  ({ cloud, release } = await cloudFor(undefined, {
    interfere: (_, event, moment) => {
      heard = event;
      return moment === 'before' ? fault : undefined;
    },
  }));
  server = await lambdaKind.start(cloud);
});
afterAll(async () => {
  await server.stop();
  await release();
});
beforeEach(async () => {
  fault = undefined;
  target = await server.provision();
});

const context = (changes: Parameters<typeof contextFor>[1] = {}) => contextFor(target, changes);
const accepts = (secret: string) => rotator.verify(secret, context());
const create = (from = target.secret) => rotator.create(from, context(), options);

test('a rotation through the function, with a way back', async () => {
  const to = await create();
  await rotator.apply({ from: target.secret, to }, context(), {});
  await accepts(to);
  await accepts(target.secret);
  await rotator.retire({ from: target.secret, to }, context());
  expect((await rejection(accepts(target.secret))).name).toBe('CredentialRejected');
  await rotator.apply({ from: to, to: target.secret }, context(), {});
  await accepts(target.secret);
  await rotator.retire({ from: to, to: target.secret }, context());
  expect(await target.live()).toBe(1);
});

test('a credential is not stopped in favour of one that does not work, whatever the function would do', async () => {
  const to = await create();
  const refusal = await rejection(rotator.retire({ from: target.secret, to }, context()));
  expect(refusal.name).toBe('CredentialUnusable');
  await rotator.apply({ from: target.secret, to }, context(), {});
  await rotator.retire({ from: to, to: target.secret }, context());
  expect((await rejection(rotator.retire({ from: target.secret, to }, context()))).name).toBe(
    'CredentialUnusable',
  );
  await accepts(target.secret);
});

test('a token is not stopped in favour of itself in a secret that was changed by hand', async () => {
  heard = undefined;
  const to = withMembers(target.secret, { note: 'by hand' });
  const refusal = await rejection(rotator.retire({ from: target.secret, to }, context()));
  expect(refusal.name).toBe('SamePrincipal');
  expect(heard).toBeUndefined();
});

test('usage is what the function says', async () => {
  await (await target.login(target.secret, 'web')).close();
  const query = { since: new Date(Date.now() - 3_600_000), watchMs: 0 };
  expect(await rotator.usage(target.secret, query, context())).toMatchObject({
    begun: [{ application: 'web', count: 1 }],
    open: [],
    looks: 2,
  });
});

test('the request holds options, public members and the admin, and no more than the verb needs', async () => {
  const to = await create();
  await rotator.apply(
    { from: target.secret, to },
    context({ settings: { ...settings, options: { region: 'eu' } } }),
    { replacedAt: new Date('2026-01-02T03:04:05Z') },
  );
  expect(heard).toEqual({
    schemaVersion: '1',
    verb: 'apply',
    from: membersOf(target.secret),
    to: membersOf(to),
    replacedAt: '2026-01-02T03:04:05.000Z',
    options: { region: 'eu' },
    public: ['client', 'url'],
    admin: membersOf(target.admin ?? ''),
  });
});

describe('the settings', () => {
  test('say what the traits are', () => {
    expect(rotator.traits(settings)).toMatchObject({
      overlap: 'two-credentials',
      mint: 'rotator',
      usage: true,
      endsSessions: false,
      admin: 'required',
      iam: [{ verbs: ['apply', 'verify', 'usage', 'retire'] }],
    });
    expect(rotator.traits({ ...settings, endsSessions: true })).toMatchObject({
      endsSessions: true,
      iam: [{ verbs: ['apply', 'verify', 'usage', 'retire', 'end'] }],
    });
    const { generated: _, ...minting } = { ...settings, generated: '', usage: false, retirement: 'deferred' };
    expect(rotator.traits(minting)).toMatchObject({
      mint: 'target',
      usage: false,
      retirement: 'deferred',
      iam: [{ verbs: ['create', 'apply', 'verify', 'retire'] }],
    });
  });

  test.each([
    ['function', { function: 'example-own-rotator' }],
    ['function', { function: undefined }],
    ['principal', { principal: '' }],
    ['overlap', { overlap: 'some' }],
    ['generated', { generated: 'client' }],
    ['generated', { overlap: 'two-principals' }],
    ['retirement: deferred cannot be with generated', { retirement: 'deferred' }],
    ['endsSessions: needs usage', { endsSessions: true, usage: false }],
    [
      'endsSessions: cannot be with retirement deferred',
      { endsSessions: true, retirement: 'deferred', generated: undefined },
    ],
    ['timeout', { timeout: 3 }],
  ])('name the field that is wrong: %s', (field, change) => {
    expect(() => rotator.traits({ ...settings, ...change })).toThrow(
      expect.objectContaining({
        name: 'PolicyInvalid',
        message: expect.stringContaining(field) as string,
      }) as Error,
    );
  });

  test('keep public members out of what is hidden, and hide the rest at any depth', async () => {
    const secret = withMembers(target.secret, { nested: { keys: ['deep-secret'] }, client: undefined });
    const refusal = await rejection(rotator.verify(secret, context()));
    expect(refusal.message).toBe('secret has a wrong or missing field: client');
    expect(lambdaDefinition.sensitive(membersOf(secret), lambdaDefinition.settings.parse(settings))).toEqual([
      membersOf(secret)['token'],
      'deep-secret',
    ]);
  });
});

describe('an admin', () => {
  const apply = async (changes: Parameters<typeof contextFor>[1]) =>
    rotator.apply({ from: target.secret, to: await create() }, context(changes), {});

  test('that is required and missing is missed before the function is asked', async () => {
    heard = undefined;
    expect((await rejection(apply({ admin: undefined }))).name).toBe('AdminMissing');
    expect(heard).toBeUndefined();
  });

  test('that is refused is read once more, and used if it has changed', async () => {
    let reads = 0;
    const readAdminAgain = () => {
      reads += 1;
      return Promise.resolve(target.admin ?? '');
    };
    await apply({ admin: target.wrong(target.admin ?? ''), readAdminAgain });
    expect(reads).toBe(1);
  });

  test('that stays refused is AdminRejected, after one invocation where it has not changed', async () => {
    const admin = target.wrong(target.admin ?? '');
    const before = cloud.invocations.length;
    const refusal = await rejection(apply({ admin, readAdminAgain: () => Promise.resolve(admin) }));
    expect(refusal.name).toBe('AdminRejected');
    expect(cloud.invocations.length - before).toBe(1);
  });

  test('of another partner is not sent there', async () => {
    const admin = withMembers(target.admin ?? '', { url: 'http://127.0.0.1:9' });
    expect((await rejection(apply({ admin }))).name).toBe('SecretMalformed');
  });
});

describe('create', () => {
  test('asks a function only where the target mints, and refuses to go on without the answer', async () => {
    const { generated: _, ...minting } = { ...settings, generated: '' };
    const attempt = rotator.create(target.secret, context({ settings: minting }), options);
    expect(await rejection(attempt)).toMatchObject({
      name: 'InvocationMalformed',
      message: expect.stringContaining('has no verb create') as string,
    });
  });

  test('refuses a secret that repeats the token elsewhere', async () => {
    const copy = withMembers(target.secret, {
      header: `Bearer ${String(membersOf(target.secret)['token'])}`,
    });
    const refusal = await rejection(create(copy));
    expect(refusal.name).toBe('SecretMalformed');
    expect(refusal.message).toContain('header');
  });
});

describe('what a function answers', () => {
  const scripted = { ...settings, function: String(settings['function']).replace('example-own', 'scripted') };
  let folder: string;

  beforeAll(async () => {
    folder = await deployFunction(cloud, 'scripted-rotator', path.join(__dirname, 'scripted-rotator.ts'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const answering = (answer: unknown, more: object = {}) =>
    context({ settings: { ...scripted, ...more, options: { answer } } });
  const result = (value: unknown) => ({ schemaVersion: '1', result: value });

  test('to create is the new value, if it names the principal', async () => {
    const { generated: _, ...minting } = { ...scripted, generated: '' };
    const create = (value: object) =>
      rotator.create(
        target.secret,
        context({ settings: { ...minting, options: { answer: result(value) } } }),
        { ...options, others: [target.secret], replacedAt: new Date('2026-01-01T00:00:00Z') },
      );
    expect(JSON.parse(await create({ client: 'a', token: 'b', more: [1] }))).toEqual({
      client: 'a',
      token: 'b',
      more: [1],
    });
    expect(heard).toMatchObject({
      verb: 'create',
      versionId: 'version',
      password: expect.stringMatching(/^.{32}$/) as string,
      others: [membersOf(target.secret)],
      replacedAt: '2026-01-01T00:00:00.000Z',
    });
    expect((await rejection(create({ token: 'b' }))).name).toBe('SecretMalformed');
  });

  test.each([
    ['the value in use', {}, {}],
    ['the user in use where two take turns', { overlap: 'two-principals' }, { token: 'b' }],
  ])('to create is no replacement if it is %s', async (_, more, change) => {
    const { generated: __, ...minting } = { ...scripted, ...more, generated: '' };
    const answer = result({ ...membersOf(target.secret), ...change });
    const attempt = rotator.create(
      target.secret,
      context({ settings: { ...minting, options: { answer } } }),
      options,
    );
    expect(await rejection(attempt)).toMatchObject({
      name: 'TargetRefused',
      message: expect.stringContaining('no replacement') as string,
    });
  });

  test.each([
    ['nothing', undefined],
    ['another version of the contract', { schemaVersion: '2', result: {} }],
    ['neither result nor error', { schemaVersion: '1' }],
    [
      'an error that only the workflow may raise',
      { schemaVersion: '1', error: { name: 'RotationReverted', message: 'm' } },
    ],
    ['usage without looks', result({ begun: [], open: [] })],
    [
      'a holder without times',
      result({ begun: [{ application: 'a', clientAddress: null, count: 1 }], open: [], looks: 2 }),
    ],
  ])('is refused where it is %s', async (_, answer) => {
    const query = { since: new Date(), watchMs: 0 };
    const refusal = await rejection(rotator.usage(target.secret, query, answering(answer)));
    expect(refusal.name).toBe('TargetRefused');
  });

  test('to end is whose sessions were ended, with names redacted, and without what nobody knows', async () => {
    const token = String(membersOf(target.secret)['token']);
    const holder = { application: `web ${token}`, clientAddress: null, count: 2 };
    const began = { newestBegan: '2026-01-02T03:04:05Z', oldestBegan: null };
    const end = (ended: unknown) =>
      rotator.end(target.secret, answering(result({ ended }), { endsSessions: true }));
    expect(await end([{ ...holder, ...began }])).toEqual([
      { ...holder, ...began, application: 'web [redacted]', openSeconds: null },
    ]);
    expect(heard).toMatchObject({
      verb: 'end',
      secret: membersOf(target.secret),
      admin: membersOf(target.admin ?? ''),
    });
    expect(await end([{ ...holder, ...began, openSeconds: 7 }])).toMatchObject([{ openSeconds: 7 }]);
    expect((await rejection(end([holder]))).name).toBe('TargetRefused');
    expect((await rejection(end(undefined))).name).toBe('TargetRefused');
  });

  test('is redacted, by an own error too', async () => {
    const token = String(membersOf(target.secret)['token']);
    const answer = {
      schemaVersion: '1',
      error: { name: 'OverlapExhausted', message: `no room for ${token}` },
    };
    const refusal = await rejection(rotator.verify(target.secret, answering(answer)));
    expect(refusal).toMatchObject({ name: 'OverlapExhausted' });
    expect(refusal.message).toMatch(/no room for \[redacted\]$/);
  });

  test('says since when there is a gap', async () => {
    const gapBegan = '2026-01-02T03:04:05.000Z';
    const change = { from: target.secret, to: await create() };
    const none = answering(result({ gapBegan }), { overlap: 'none' });
    expect(await rotator.apply(change, none, {})).toEqual({ gapBegan });
  });
});

test('who may not invoke the function lacks a permission', async () => {
  await cloud.call('iam', 'CreateUser', { UserName: 'nobody' });
  const { AccessKey } = await cloud.call<{ AccessKey: { AccessKeyId: string; SecretAccessKey: string } }>(
    'iam',
    'CreateAccessKey',
    { UserName: 'nobody' },
  );
  await pause(accessKeyTiming.newKeyMs + 20);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: AccessKey.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: AccessKey.SecretAccessKey,
  });
  try {
    expect((await rejection(accepts(target.secret))).name).toBe('PermissionMissing');
  } finally {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
  }
});

describe('a function that fails', () => {
  const thrown = (errorType: string): Fault => ({ kind: 'error', errorType, errorMessage: 'broke at tok-1' });

  test.each([
    ['a timeout', { kind: 'timeout' } as const, 'TargetUnreachable'],
    ['a throttled invocation', { kind: 'throttle' } as const, 'TargetUnreachable'],
    ['a crash', { kind: 'crash' } as const, 'TargetRefused'],
    ["an error of Rotor's names", thrown('CredentialUnusable'), 'CredentialUnusable'],
    ['an error that only the workflow may raise', thrown('RotationReverted'), 'TargetRefused'],
    ["an error of the function's own", thrown('PartnerError'), 'TargetRefused'],
  ])('by %s is named', async (_, injected, name) => {
    fault = injected;
    const secret = withMembers(target.secret, { token: 'tok-1' });
    const refusal = await rejection(rotator.verify(secret, context()));
    expect(refusal.name).toBe(name);
    expect(refusal.message).not.toContain('tok-1');
  });

  test('by not being there is a matter of the policy', async () => {
    const elsewhere = { ...settings, function: String(settings['function']).replace('example', 'no') };
    expect((await rejection(rotator.verify(target.secret, context({ settings: elsewhere })))).name).toBe(
      'PolicyInvalid',
    );
  });
});
