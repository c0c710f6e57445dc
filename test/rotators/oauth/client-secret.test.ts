import { once } from 'node:events';
import { createServer } from 'node:http';
import {
  issuerSettings,
  newSecret,
  startHttpTargets,
  type HttpTargets,
} from '../../../local/targets/http-target';
import { startOauthTargets, type OauthTarget, type OauthTargets } from '../../../local/targets/oauth-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, inGoodTime, membersOf, newVersion, withMembers } from '../context';

const rotator = rotators['oauth-client-secret'];
const named = (name: string, part = '') =>
  expect.objectContaining({ name, message: expect.stringContaining(part) as string }) as Error;

describe('a client for every rotation', () => {
  let server: OauthTargets;

  beforeAll(async () => {
    server = await startOauthTargets();
  });
  afterAll(() => server.stop());

  const create = (target: OauthTarget, from: string, others: readonly string[] = []) =>
    rotator.create(from, contextFor(target), { ...newVersion(), others });
  const accepts = (target: OauthTarget, secret: string) => rotator.verify(secret, contextFor(target));
  const withSettings = (target: OauthTarget, changes: Readonly<Record<string, unknown>>) =>
    contextFor(target, { settings: { ...target.settings, ...changes } });

  test('is found through the metadata of the issuer', async () => {
    const target = await server.provision({ discovery: true });
    await accepts(target, await create(target, target.secret));
  });

  test('is refused where the metadata are those of another issuer', async () => {
    const target = await server.provision({ discovery: true });
    const context = withSettings(target, { issuer: `${String(target.settings['issuer'])}/` });
    await expect(rotator.verify(target.secret, context)).rejects.toEqual(
      named('TargetRefused', 'another issuer'),
    );
  });

  test('is refused where there are no metadata', async () => {
    const target = await server.provision({ discovery: true });
    const context = withSettings(target, { issuer: `${String(target.settings['issuer'])}/nothing/here` });
    await expect(rotator.verify(target.secret, context)).rejects.toEqual(
      named('TargetRefused', 'no metadata'),
    );
  });

  test('keeps what belongs to it, and nothing that belonged to the one before', async () => {
    const target = await server.provision();
    const from = withMembers(target.secret, { client_secret_expires_at: 1, client_id_issued_at: 1 });
    const before = membersOf(from);
    const after = membersOf(await create(target, from));
    for (const member of [
      'client_id',
      'client_secret',
      'registration_access_token',
      'registration_client_uri',
    ]) {
      expect(after[member]).toEqual(expect.any(String));
      expect(after[member]).not.toBe(before[member]);
    }
    expect(after['client_secret_expires_at']).toBe(0);
    expect(after['url']).toBe(before['url']);
  });

  test('is deleted by its own token two rotations later, where the server has no more than the standards', async () => {
    const target = await server.provision({ standardsOnly: true });
    const second = await create(target, target.secret);
    const third = await create(target, second, [target.secret]);
    await expect(accepts(target, target.secret)).rejects.toEqual(named('CredentialRejected'));
    await accepts(target, second);
    await accepts(target, third);
    // Again, as after a crash: it is gone, and so is its token.
    await create(target, second, [target.secret]);
  });

  test('is not deleted while another version of the same client is in use', async () => {
    const target = await server.provision({ standardsOnly: true });
    await create(target, target.secret, [withMembers(target.secret, { note: 'edited by hand' })]);
    await accepts(target, target.secret);
  });

  test('that has no token to be deleted with is named for as long as it works', async () => {
    const target = await server.provision({ standardsOnly: true });
    const byHand = withMembers(target.secret, { registration_access_token: undefined });
    const second = await create(target, target.secret);
    const before = (await server.server.clients()).length;
    await expect(create(target, second, [byHand])).rejects.toEqual(
      named('TargetRefused', `${String(membersOf(byHand)['client_id'])}, which an earlier rotation replaced`),
    );
    expect(await server.server.clients()).toHaveLength(before);
    await create(target, second, [target.secret]);
    // It is gone now, and so the next rotation goes on.
    await create(target, second, [byHand]);
  });

  test('stays where somebody reads it by a label of their own', async () => {
    for (const standardsOnly of [true, false]) {
      const target = await server.provision({ standardsOnly });
      const owner = 'owner-1';
      const second = await rotator.create(target.secret, contextFor(target), { ...newVersion(), owner });
      const options = { ...newVersion(), owner, others: [second], pinned: [second] };
      await rotator.create(target.secret, contextFor(target), options);
      await accepts(target, second);
    }
  });

  test('that still works and whose token is refused is named', async () => {
    const target = await server.provision({ standardsOnly: true });
    const left = withMembers(target.secret, { registration_access_token: newSecret() });
    const second = await create(target, target.secret);
    await expect(create(target, second, [left])).rejects.toEqual(
      named('TargetRefused', String(membersOf(target.secret)['client_id'])),
    );
  });

  test('is deleted nowhere but at a host of the settings', async () => {
    const target = await server.provision({ standardsOnly: true });
    const left = withMembers(target.secret, { registration_client_uri: 'https://evil.test/reg/1' });
    const second = await create(target, target.secret);
    await expect(create(target, second, [left])).rejects.toEqual(named('EgressRefused', 'evil.test'));
  });

  test('is logged in by the form where the settings say so', async () => {
    const target = await server.provision();
    const context = withSettings(target, { clientAuth: 'client_secret_post' });
    const to = await rotator.create(target.secret, context, newVersion());
    await rotator.verify(to, context);
  });

  test('that may not have the scope of the test is no wrong secret', async () => {
    const target = await server.provision();
    for (const [scope, told] of [
      ['openid', 'invalid_scope'],
      // Unknown to the server, which gives a token for the rest.
      ['orders payments', 'gets no scope payments'],
    ] as const)
      await expect(
        rotator.verify(target.secret, withSettings(target, { parameters: { scope } })),
      ).rejects.toEqual(named('CredentialUnusable', told));
  });

  test('is registered only with what the server knows, and the server’s word for it is passed on', async () => {
    const target = await server.provision();
    const context = withSettings(target, { metadata: { grant_types: ['magic'] } });
    await expect(rotator.create(target.secret, context, newVersion())).rejects.toEqual(
      named('TargetRefused', 'invalid_client_metadata'),
    );
  });

  test('needs an initial access token where not everybody may register', async () => {
    const target = await server.provision({ standardsOnly: true });
    const context = withSettings(target, { auth: undefined });
    await expect(rotator.create(target.secret, context, newVersion())).rejects.toEqual(
      named('AdminMissing', 'name auth in the settings'),
    );
  });

  test('is asked of nobody who lets nobody register', () => {
    const { settings } = rotator.example;
    for (const [changes, field] of [
      [{ registrationEndpoint: undefined }, 'registrationEndpoint'],
      [{ tokenEndpoint: undefined }, 'tokenEndpoint'],
      [{ tokenEndpoint: 'https://evil.test/token' }, 'tokenEndpoint'],
      [{ metadata: { client_name: '{admin.client_secret}' } }, 'metadata'],
      [{ list: { url: 'https://login.example.com/clients', id: '/id', name: '/name' } }, 'revoke'],
      [{ mode: 'magic' }, 'mode'],
      [{ metadata: { client_uri: 'https://example.com/{id}' } }, 'metadata: has no value for {id}'],
      [
        { revoke: { url: 'https://login.example.com/clients/{secret.client_id}' } },
        'revoke: does not say which key it is for',
      ],
      [
        {
          metadata: { client_name: 'shop' },
          list: { url: 'https://login.example.com/clients', id: '/client_id', name: '/client_name' },
          revoke: { url: 'https://login.example.com/clients/{id}' },
        },
        'metadata.client_name: lacks {name}',
      ],
    ] as const)
      expect(() => rotator.traits({ ...settings, ...changes })).toThrow(
        named('PolicyInvalid', `field ${field}`),
      );
  });
});

describe('metadata of a server', () => {
  let answers: Readonly<Record<string, { readonly status: number; readonly document?: object }>>;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? '-'}`);
    const { status, document } = answers[request.url ?? ''] ?? { status: 404 };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  let issuer: string;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    issuer = `http://127.0.0.1:${String(address.port)}`;
  });
  afterAll(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  beforeEach(() => (asked.length = 0));

  const secret = JSON.stringify({
    client_id: 'app',
    client_secret: 'a-secret-of-the-client',
    note: 'private',
  });
  const context = () => ({
    admin: JSON.stringify({ initial_access_token: 'token-of-the-admin' }),
    readAdminAgain: undefined,
    signal: inGoodTime(),
    password: () => '',
    settings: {
      mode: 'registration',
      privateHosts: [new URL(issuer).host],
      issuer,
      auth: { kind: 'bearer', member: 'initial_access_token' },
    },
  });
  const place = '/.well-known/openid-configuration';
  const otherPlace = '/.well-known/oauth-authorization-server';

  test.each(['/register?note={secret.note}', '/{admin.initial_access_token}'])(
    'are no template: nothing is sent to %s',
    async (path) => {
      answers = { [place]: { status: 200, document: { issuer, registration_endpoint: `${issuer}${path}` } } };
      await expect(rotator.create(secret, context(), newVersion())).rejects.toEqual(
        named('TargetRefused', 'name no registration endpoint'),
      );
      expect(asked).toEqual([`GET ${place} -`]);
    },
  );

  test.each([
    ['https://evil.test/token', 'EgressRefused', 'evil.test'],
    ['http://169.254.169.254/latest', 'EgressRefused', '169.254.169.254'],
    ['no address', 'TargetRefused', 'name no token endpoint'],
  ])('send no credential to %s', async (token_endpoint, name, told) => {
    answers = { [place]: { status: 200, document: { issuer, token_endpoint } } };
    await expect(rotator.verify(secret, context())).rejects.toEqual(named(name, told));
    expect(asked).toEqual([`GET ${place} -`]);
  });

  test.each([401, 403, 405])('may be at the other place where the first answers %i', async (status) => {
    const document = { issuer, token_endpoint: `${issuer}/token` };
    answers = { [place]: { status }, [otherPlace]: { status: 200, document } };
    await rotator.verify(secret, context()).catch(() => undefined);
    expect(asked.map((line) => line.split(' ')[1])).toEqual([place, otherPlace, '/token']);
    answers = { [place]: { status }, [otherPlace]: { status } };
    await expect(rotator.verify(secret, context())).rejects.toEqual(named('TargetRefused', 'no metadata'));
  });

  test('are asked for again later where the server is busy', async () => {
    answers = { [place]: { status: 503 } };
    await expect(rotator.verify(secret, context())).rejects.toEqual(named('TargetUnreachable', '503'));
  });

  test('may lead to a server that knows no RFC 7592, whose client is kept all the same', async () => {
    const document = {
      issuer,
      registration_endpoint: `${issuer}/register`,
      token_endpoint: `${issuer}/token`,
    };
    const registered = { client_id: 'new', client_secret: 'a-secret-of-the-new-client' };
    answers = {
      [place]: { status: 200, document },
      '/register': { status: 201, document: registered },
    };
    expect(membersOf(await rotator.create(secret, context(), newVersion()))).toEqual({
      note: 'private',
      ...registered,
    });
    expect(asked.at(-1)).toBe('POST /register Bearer token-of-the-admin');
  });

  test('lead to a token that cannot be sent: that is said, and not tried again', async () => {
    answers = { [place]: { status: 200, document: { issuer } } };
    const left = withMembers(secret, {
      client_id: 'left',
      registration_access_token: 'a\ntoken',
      registration_client_uri: `${issuer}/register/left`,
    });
    await expect(rotator.create(secret, context(), { ...newVersion(), others: [left] })).rejects.toEqual(
      named('TargetRefused', 'DELETE of client left'),
    );
  });
});

describe('a client with two secrets', () => {
  let server: HttpTargets;

  beforeAll(async () => {
    server = await startHttpTargets();
  });
  afterAll(() => server.stop());

  /** The issuer's keys are secrets of the client `app` at its token endpoint. */
  const provision = (reversible = false) => {
    const account = server.issuer.newAccount();
    const { id, key } = account.newKey('made by hand');
    const { host, origin } = new URL(server.issuer.origin);
    const base = `${origin}/accounts/${String(account.number)}`;
    const settings = {
      mode: 'two-secrets',
      tokenEndpoint: `${base}/token`,
      ...issuerSettings(origin, account, { reversible }),
      privateHosts: [host],
    };
    const context = {
      admin: JSON.stringify({ apiKey: account.adminKey }),
      readAdminAgain: undefined,
      signal: inGoodTime(),
      password: () => '',
      settings,
    };
    const secret = JSON.stringify({ client_id: 'app', client_secret: key, client_secret_id: id });
    return { account, settings, context, secret };
  };

  test('keeps its id, and both secrets work until the next rotation', async () => {
    const { account, settings, context, secret } = provision();
    const second = await rotator.create(secret, context, newVersion());
    const change = { from: secret, to: second };
    await rotator.apply(change, context, {});
    await rotator.verify(second, context);
    await rotator.retire(change, context);
    await rotator.verify(secret, context);
    expect(membersOf(second)['client_id']).toBe('app');
    expect(rotator.principal(second, settings)).not.toBe(rotator.principal(secret, settings));
    expect(rotator.traits(settings)).toMatchObject({ overlap: 'two-credentials', retirement: 'deferred' });
    await rotator.create(second, context, { ...newVersion(), others: [secret] });
    await expect(rotator.verify(secret, context)).rejects.toEqual(named('CredentialRejected'));
    expect(account.live()).toHaveLength(2);
  });

  test('stops the old one at once where the provider can bring it back', async () => {
    const { context, secret } = provision(true);
    const second = await rotator.create(secret, context, newVersion());
    await rotator.retire({ from: secret, to: second }, context);
    await expect(rotator.verify(secret, context)).rejects.toEqual(named('CredentialRejected'));
    await rotator.apply({ from: second, to: secret }, context, {});
    await rotator.verify(secret, context);
  });

  test('needs to know the id of its secret', async () => {
    const { context, secret } = provision();
    const without = withMembers(secret, { client_secret_id: undefined });
    await expect(rotator.create(without, context, newVersion())).rejects.toEqual(
      named('SecretMalformed', 'client_secret_id'),
    );
  });

  test('has two different ones, or nothing is stopped', async () => {
    const { context, secret } = provision(true);
    await expect(rotator.retire({ from: secret, to: secret }, context)).rejects.toEqual(
      named('SamePrincipal'),
    );
    await rotator.verify(secret, context);
  });
});
