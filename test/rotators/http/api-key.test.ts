import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';
import type { Fault } from '../../../local/targets/http-issuer';
import { startHttpTargets, type HttpTarget, type HttpTargets } from '../../../local/targets/http-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, newVersion, rejection, withMembers } from '../context';
import { startRunningTime } from '../../running-time';

const rotator = rotators['http-api-key'];

let server: HttpTargets;

beforeAll(async () => {
  server = await startHttpTargets({ latencyMs: 2 });
});
afterAll(() => server.stop());

const idOf = (secret: string) => String(membersOf(secret)['keyId']);
const create = (
  target: HttpTarget,
  others: readonly string[] = [],
  versionId: string = crypto.randomUUID(),
) => rotator.create(target.secret, contextFor(target), { versionId, others });
const accepts = (target: HttpTarget, secret: string) => rotator.verify(secret, contextFor(target));
const refuses = async (target: HttpTarget, secret: string) =>
  expect((await rejection(accepts(target, secret))).name).toBe('CredentialRejected');
const at = ({ account }: HttpTarget) => `/accounts/${String(account.number)}`;
/** What was asked of the issuer about one account since a moment in its log. */
const asked = (target: HttpTarget, since = 0) =>
  server.issuer.log
    .slice(since)
    .filter(({ path }) => path.startsWith(`${at(target)}/`))
    .map(({ method, path, status }) => `${method} ${path.slice(at(target).length)} ${status}`);

describe('a key that is made', () => {
  test('is named for its version, and found by that name when the answer was lost', async () => {
    const target = await server.provision();
    const version = newVersion();
    server.issuer.plan({ request: `POST ${at(target)}/keys`, answer: 'lost' });
    const lost = await rejection(rotator.create(target.secret, contextFor(target), version));
    expect(lost).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    expect(target.account.live()).toHaveLength(2);
    const to = await rotator.create(target.secret, contextFor(target), version);
    expect(target.account.live()).toEqual([
      'made by hand',
      `rotor-app-${String(target.account.number)}-${version.versionId}`,
    ]);
    await accepts(target, to);
  });

  test('is found on a later page of the list', async () => {
    const target = await server.provision();
    for (let n = 1; n <= 7; n++) target.account.newKey(`of another application ${String(n)}`);
    const version = newVersion();
    await rotator.create(target.secret, contextFor(target), version);
    await rotator.create(target.secret, contextFor(target), version);
    expect(target.account.live()).toHaveLength(9);
  });

  test('stays for good where there is no list, and the next ones work all the same', async () => {
    const target = await server.provision({ list: false });
    const version = newVersion();
    await rotator.create(target.secret, contextFor(target), version);
    await accepts(target, await rotator.create(target.secret, contextFor(target), version));
    expect(target.account.live()).toHaveLength(3);
  });

  test('takes the place of what stands under other labels, and never that of the key in use', async () => {
    const target = await server.provision();
    const { id: old, key } = target.account.newKey('replaced before');
    const previous = withMembers(target.secret, { apiKey: key, keyId: old });
    // A version that only another member tells from the one in use, and one of before the enrolment.
    const sameKey = withMembers(target.secret, { note: 'edited by hand' });
    const to = await create(target, [previous, sameKey, JSON.stringify({ token: 'x' })]);
    await accepts(target, target.secret);
    await accepts(target, to);
    await refuses(target, previous);
  });

  test('takes the place of one whose rotation went back, by a name that is this secret’s alone', async () => {
    const target = await server.provision();
    const mint = () =>
      rotator.create(target.secret, contextFor(target), { ...newVersion(), owner: 'owner-1' });
    const abandoned = await mint();
    const prefix = `rotor-app-${String(target.account.number)}-`;
    target.account.newKey(`${prefix}owner-1-by hand`);
    target.account.newKey(`${prefix}${crypto.randomUUID()}`);
    target.account.newKey(`rotor-${crypto.randomUUID()}`);
    await mint();
    await refuses(target, abandoned);
    expect(target.account.live()).toHaveLength(5);
  });

  test('leaves the keys of another secret alone whose policy is a copy of this one’s', async () => {
    const target = await server.provision();
    const { id, key } = target.account.newKey('of the other stage');
    const other = withMembers(target.secret, { apiKey: key, keyId: id });
    const rotate = (from: string, owner: string) =>
      rotator.create(from, contextFor(target), { ...newVersion(), owner });
    const [inUse, inUseElsewhere] = [await rotate(target.secret, 'stage-a'), await rotate(other, 'stage-b')];
    await rotate(inUse, 'stage-a');
    await rotate(inUseElsewhere, 'stage-b');
    await accepts(target, inUse);
    await accepts(target, inUseElsewhere);
  });

  test('leaves a key alone that somebody reads by a label of their own', async () => {
    const target = await server.provision();
    const owner = 'owner-1';
    const stable = await rotator.create(target.secret, contextFor(target), { ...newVersion(), owner });
    await rotator.create(target.secret, contextFor(target), { ...newVersion(), owner, pinned: [stable] });
    await accepts(target, stable);
    // Also where AWSPREVIOUS holds the same key.
    await rotator.create(target.secret, contextFor(target), {
      ...newVersion(),
      owner,
      others: [stable],
      pinned: [stable],
    });
    await accepts(target, stable);
  });

  test('ends none by its name where the list does not show the key in use', async () => {
    const target = await server.provision();
    const owner = 'owner-1';
    const inUse = await rotator.create(target.secret, contextFor(target), { ...newVersion(), owner });
    // The list calls keys by something else than `create` does, and would take the key in use for one that is left.
    const settings = {
      ...target.settings,
      list: { ...(target.settings['list'] as object), id: '/name' },
    };
    const refused = await rejection(
      rotator.create(inUse, contextFor(target, { settings }), { ...newVersion(), owner }),
    );
    expect(refused.name).toBe('TargetRefused');
    expect(refused.message).toContain('whether list.id is what create.id is');
    await accepts(target, inUse);
  });

  test('does not take the place of the key in use under a wrong id, as it was written down once', async () => {
    const target = await server.provision();
    const { id } = target.account.newKey('of another application');
    await create(target, [withMembers(target.secret, { keyId: id })]);
    expect(target.account.live()).toContain('of another application');
  });

  test('is refused where the issuer gives the key as its own id, which events would show', async () => {
    const target = await server.provision();
    server.issuer.plan({
      request: `POST ${at(target)}/keys`,
      answer: 201,
      body: JSON.stringify({ key: { id: 'keys/vendor_abcdefgh', value: 'vendor_abcdefgh' } }),
    });
    const refused = await rejection(create(target));
    expect(refused.message).toContain('create.id (/key/id)');
    expect(refused.message).not.toContain('vendor_');
    const { apiKey } = membersOf(target.secret);
    const byHand = withMembers(target.secret, { keyId: `id-of-${String(apiKey)}` });
    expect(() => rotator.principal(byHand, target.settings)).toThrow('field of the id: keyId');
  });

  test('is one too many where the issuer says so', async () => {
    const target = await server.provision();
    target.account.limit = 1;
    expect(await rejection(create(target))).toMatchObject({ name: 'OverlapExhausted', retryable: false });
  });

  test('keeps no key in a member beside its own', async () => {
    const target = await server.provision();
    const from = withMembers(target.secret, {
      url: `https://x.example.com/?key=${String(membersOf(target.secret)['apiKey'])}`,
    });
    const refused = await rejection(rotator.create(from, contextFor(target), newVersion()));
    expect(refused.name).toBe('SecretMalformed');
    expect(refused.message).toContain('url');
  });

  test('is not made where its place in the answer is described wrongly, and not quoted', async () => {
    const target = await server.provision();
    const settings = {
      ...target.settings,
      create: { ...(target.settings['create'] as object), id: '/key/uuid' },
    };
    const refused = await rejection(
      rotator.create(target.secret, contextFor(target, { settings }), newVersion()),
    );
    expect(refused.name).toBe('TargetRefused');
    expect(refused.message).toContain('create.id (/key/uuid)');
    expect(refused.message).not.toContain('vendor_');
  });
});

describe('a key that is ended', () => {
  test('was ended before: that is success', async () => {
    const target = await server.provision({ list: false });
    const previous = withMembers(target.secret, { apiKey: 'vendor_gone', keyId: 'key_gone' });
    await create(target, [previous]);
    expect(asked(target)).toContain('DELETE /keys/key_gone 404');
  });

  test('and still stands in the list has been asked for at a wrong address', async () => {
    const target = await server.provision();
    const { id } = target.account.newKey('replaced before');
    const settings = {
      ...target.settings,
      revoke: { url: `${server.issuer.origin}${at(target)}/kyes/{id}` },
    };
    const previous = withMembers(target.secret, { apiKey: 'vendor_replaced', keyId: id });
    const refused = await rejection(
      rotator.create(target.secret, contextFor(target, { settings }), {
        ...newVersion(),
        others: [previous],
      }),
    );
    expect(refused.message).toContain('see whether revoke.url is right');
    expect(target.account.live()).toHaveLength(2);
  });

  test('is none of those that a rotation itself has to do with', async () => {
    const target = await server.provision();
    const before = server.issuer.log.length;
    const to = await create(target);
    const change = { from: target.secret, to };
    await rotator.apply(change, contextFor(target), {});
    await accepts(target, to);
    await rotator.retire(change, contextFor(target));
    expect(asked(target, before)).toEqual(['GET /keys 200', 'POST /keys 201', 'GET /orders 200']);
  });
});

describe('an issuer that can bring keys back', () => {
  test('stops the old key at once, and has it again when the rotation goes back', async () => {
    const target = await server.provision({ reversible: true });
    const change = { from: target.secret, to: await create(target) };
    const back = { from: change.to, to: change.from };
    await rotator.apply(change, contextFor(target), {});
    await rotator.retire(change, contextFor(target));
    await rotator.retire(change, contextFor(target));
    await refuses(target, change.from);
    await rotator.apply(back, contextFor(target), {});
    await rotator.apply(back, contextFor(target), {});
    await accepts(target, change.from);
    await rotator.retire(back, contextFor(target));
    await refuses(target, change.to);
    await rotator.apply(change, contextFor(target), {});
    await accepts(target, change.to);
    expect(target.account.live()).toHaveLength(2);
  });

  test('needs its admin for that', async () => {
    const target = await server.provision({ reversible: true });
    const change = { from: target.secret, to: await create(target) };
    for (const attempt of [
      () => rotator.apply(change, contextFor(target, { admin: undefined }), {}),
      () => rotator.retire(change, contextFor(target, { admin: undefined })),
    ])
      expect((await rejection(attempt())).name).toBe('AdminMissing');
  });
});

describe('an issuer whose keys are managed with a token', () => {
  test('gives one for each verb, and is asked for it once', async () => {
    const target = await server.provision({ oauth: true });
    const before = server.issuer.log.length;
    await create(target);
    expect(asked(target, before)).toEqual(['POST /token 200', 'GET /keys 200', 'POST /keys 201']);
  });

  test('refuses a client whose secret was rotated, and takes the one that is read then', async () => {
    const target = await server.provision({ oauth: true });
    const context = contextFor(target, {
      admin: target.wrong(target.admin),
      readAdminAgain: () => Promise.resolve(target.admin),
    });
    await rotator.create(target.secret, context, newVersion());
    const outdated = { ...context, readAdminAgain: undefined };
    expect((await rejection(rotator.create(target.secret, outdated, newVersion()))).name).toBe(
      'AdminRejected',
    );
  });

  test('may be one whose keys manage themselves', async () => {
    const target = await server.provision();
    const settings = { ...target.settings, auth: { kind: 'bearer', from: 'secret' } };
    const self = contextFor(target, { settings, admin: undefined });
    // This one does not let them: 403 is said to a key that is known.
    expect((await rejection(rotator.create(target.secret, self, newVersion()))).name).toBe(
      'CredentialUnusable',
    );
    const asAdmin = withMembers(target.secret, { apiKey: membersOf(target.admin)['apiKey'] });
    expect(idOf(await rotator.create(asAdmin, self, newVersion()))).toMatch(/^key_/);
  });

  test.each([
    ['basic', { kind: 'basic', username: 'client_id', password: 'apiKey' }],
    [
      'a token in the form',
      { kind: 'oauth-client-credentials', clientAuth: 'client_secret_post', clientSecret: 'apiKey' },
    ],
  ])('is shown %s as the settings say', async (kind, auth) => {
    const target = await server.provision();
    const settings = {
      ...target.settings,
      auth: kind === 'basic' ? auth : { ...auth, tokenUrl: `${server.issuer.origin}${at(target)}/token` },
    };
    const attempt = rotator.create(target.secret, contextFor(target, { settings }), newVersion());
    // The issuer knows no Basic for keys; it says so, and the pair is not quoted.
    if (kind === 'basic') {
      const pair = Buffer.from(`rotor:${target.account.adminKey}`).toString('base64');
      const refused = await rejection(attempt);
      expect(refused.name).toBe('AdminRejected');
      expect(refused.message).not.toContain(pair);
    } else expect(idOf(await attempt)).toMatch(/^key_/);
  });
});

describe('an answer that is none', () => {
  const verifyWith = async (fault: Fault) => {
    const target = await server.provision();
    server.issuer.plan({ ...fault, request: `GET ${at(target)}/orders` });
    return { target, attempt: accepts(target, target.secret) };
  };
  const fault = (answer: number, more: Partial<Fault> = {}): Fault => ({ request: '', answer, ...more });

  test('for now, and the issuer says when to come back: it is asked again', async () => {
    const { target, attempt } = await verifyWith(fault(429, { retryAfter: '0' }));
    await attempt;
    expect(asked(target)).toEqual(['GET /orders 429', 'GET /orders 200']);
  });

  test('for a time that is too long is worth another try, and the time is told', async () => {
    const until = new Date(Date.now() + 3_600_000);
    const { attempt } = await verifyWith(fault(429, { retryAfter: until.toUTCString() }));
    const refused = await rejection(attempt);
    expect(refused).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    expect(refused.message).toContain(until.toISOString().slice(0, 16));
  });

  test('three times in a row is left to the workflow’s patience', async () => {
    const target = await server.provision();
    const busy = { request: `GET ${at(target)}/orders`, answer: 503, retryAfter: '0' };
    server.issuer.plan(busy, busy, busy);
    expect((await rejection(accepts(target, target.secret))).name).toBe('TargetUnreachable');
    expect(asked(target)).toHaveLength(3);
  });

  test('is given up when the verb has no time left to wait', async () => {
    const target = await server.provision();
    server.issuer.plan({ request: `GET ${at(target)}/orders`, answer: 429, retryAfter: '8' });
    const abort = new AbortController();
    const refused = rejection(rotator.verify(target.secret, contextFor(target, { signal: abort.signal })));
    while (asked(target).length === 0) await pause(5);
    await pause(100);
    abort.abort();
    // The end of the verb comes before any timer, however late that is.
    const late = new AbortController();
    const first = await Promise.race([refused, pause(4_000, undefined, { signal: late.signal })]);
    late.abort();
    expect(first).toMatchObject({ name: 'TargetUnreachable' });
    expect(asked(target)).toEqual(['GET /orders 429']);
  });

  test.each([
    [500, 'TargetUnreachable'],
    [502, 'TargetUnreachable'],
    [503, 'TargetUnreachable'],
    [429, 'TargetUnreachable'],
    [408, 'TargetUnreachable'],
    [401, 'CredentialRejected'],
    [403, 'CredentialRejected'],
    [400, 'TargetRefused'],
    [404, 'TargetRefused'],
    [422, 'TargetRefused'],
  ])('by status %i is %s', async (status, name) => {
    const { attempt } = await verifyWith(fault(status));
    const refused = await rejection(attempt);
    expect(refused.name).toBe(name);
    expect(refused.message).toContain(String(status));
  });

  test('because it is a redirect is not followed, and only its host is named', async () => {
    const { target, attempt } = await verifyWith(fault(302, { location: 'https://evil.test/?token=abc' }));
    const refused = await rejection(attempt);
    expect(refused.name).toBe('TargetRefused');
    expect(refused.message).toContain('redirect to evil.test:');
    expect(refused.message).not.toContain('abc');
    expect(asked(target)).toEqual(['GET /orders 302']);
  });

  test('quotes what the issuer says, on one line, cut off, and without the key', async () => {
    const target = await server.provision();
    const { apiKey } = membersOf(target.secret);
    server.issuer.plan({
      request: `GET ${at(target)}/orders`,
      answer: 422,
      body: `no\nsuch \u0007plan for ${String(apiKey)} ${'x'.repeat(2000)}`,
    });
    const refused = await rejection(accepts(target, target.secret));
    expect(refused.message).toContain('422: no such plan for [redacted] xxx');
    expect(refused.message.length).toBeLessThan(500);
  });

  test('quotes no key that is escaped, as servers in PHP, Java and .NET escape it', async () => {
    const target = await server.provision();
    const apiKey = 'ab/cd+ef=gh/ij';
    const secret = withMembers(target.secret, { apiKey });
    for (const echo of [
      apiKey.replaceAll('/', '\\/'),
      apiKey.replaceAll('+', '\\u002B').replaceAll('=', '\\u003d'),
      encodeURIComponent(apiKey).toLowerCase(),
    ]) {
      server.issuer.plan({ request: `GET ${at(target)}/orders`, answer: 400, body: `{"key":"${echo}"}` });
      expect((await rejection(accepts(target, secret))).message).toContain('400: {"key":"[redacted]"}');
    }
  });

  test('quotes no token that only this call has seen', async () => {
    const target = await server.provision({ oauth: true });
    const seen: string[] = [];
    // The issuer's answer is made of what it got, as debugging answers are.
    const settings = {
      ...target.settings,
      auth: {
        ...(target.settings['auth'] as object),
        tokenUrl: `${server.issuer.origin}${at(target)}/token`,
      },
    };
    server.issuer.plan({
      request: `GET ${at(target)}/keys`,
      answer: 400,
      echo: (text) => void seen.push(text),
    });
    const refused = await rejection(
      rotator.create(target.secret, contextFor(target, { settings }), newVersion()),
    );
    expect(seen).toHaveLength(1);
    expect(refused.message).toContain('Bearer [redacted]');
    expect(inspect(refused, { showHidden: true })).not.toContain(seen[0]);
  });

  test('but wants another protocol is no reason to wait', async () => {
    const target = await server.provision();
    server.issuer.plan({ request: `GET ${at(target)}/orders`, answer: 'upgrade' });
    const spent = startRunningTime();
    const refused = await rejection(accepts(target, target.secret));
    expect(refused).toMatchObject({
      name: 'TargetRefused',
      message: expect.stringContaining('101') as string,
    });
    expect(spent()).toBeLessThan(5_000);
  });

  test('of more than is bearable is broken off', async () => {
    const { attempt } = await verifyWith(fault(200, { body: 'x'.repeat(70_000) }));
    expect((await rejection(attempt)).message).toContain('more than 65536 bytes');
  });

  test('is no JSON where a key is to be in it: nothing of it is quoted', async () => {
    const target = await server.provision();
    server.issuer.plan({ request: `POST ${at(target)}/keys`, answer: 201, body: '<key>vendor_1</key>' });
    const refused = await rejection(create(target));
    expect(refused.name).toBe('TargetRefused');
    expect(refused.message).toContain('not JSON');
    expect(refused.message).not.toContain('vendor_1');
  });

  test('names a next page at another host, and nothing goes there', async () => {
    const target = await server.provision();
    server.issuer.plan({
      request: `GET ${at(target)}/keys`,
      answer: 200,
      body: JSON.stringify({ keys: [], next: 'https://evil.test/keys' }),
    });
    expect(await rejection(create(target))).toMatchObject({
      name: 'EgressRefused',
      message: expect.stringContaining('evil.test') as string,
    });
  });

  test('is not asked for with an admin’s credential at a host that the admin’s own secret does not name', async () => {
    const target = await server.provision({ oauth: true });
    const { host } = new URL(server.issuer.origin);
    const createAs = (hosts: readonly string[]) =>
      rotator.create(
        target.secret,
        contextFor(target, { admin: withMembers(target.admin, { hosts }) }),
        newVersion(),
      );
    expect((await rejection(createAs(['api.example.com']))).name).toBe('EgressRefused');
    expect(asked(target)).toEqual([]);
    expect(idOf(await createAs([host]))).toMatch(/^key_/);
  });

  test('is not asked for at a host that the settings do not name', async () => {
    const target = await server.provision();
    const settings = { ...target.settings, privateHosts: ['127.0.0.1:9'] };
    for (const attempt of [
      () => rotator.verify(target.secret, contextFor(target, { settings })),
      () => rotator.create(target.secret, contextFor(target, { settings }), newVersion()),
    ])
      expect((await rejection(attempt())).name).toBe('PolicyInvalid');
    expect(asked(target)).toEqual([]);
  });
});
