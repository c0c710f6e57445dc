import { rotators } from '../../../rotators/registry';

const rotator = rotators['http-api-key'];
const valid = rotator.example.settings;
const request = (url: string) => ({ url });

/** What is said about the example's settings with these fields changed. */
function complaint(changes: Readonly<Record<string, unknown>>): string {
  try {
    rotator.traits({ ...valid, ...changes });
    return '';
  } catch (error) {
    return String(error);
  }
}

describe('settings of an issuer', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['a host that they do not name', { hosts: ['example.com'] }, 'create.url'],
    [
      'a token from a host that they do not name',
      { auth: { kind: 'oauth-client-credentials', tokenUrl: 'https://evil.test/token' } },
      'auth.tokenUrl',
    ],
    ['a host with a path', { hosts: ['api.example.com/v1'] }, 'hosts.0'],
    ['a host with a user', { hosts: ['me@api.example.com'] }, 'hosts.0'],
    ['a host in capitals, which no URL has', { hosts: ['API.example.com'] }, 'hosts.0'],
    ['plain HTTP to another machine', { revoke: request('http://api.example.com/{id}') }, 'revoke.url'],
    ['another protocol', { revoke: request('file:///etc/passwd') }, 'revoke.url'],
    ['a user in a URL', { revoke: request('https://a:b@api.example.com/{id}') }, 'revoke.url'],
    ['a host that a placeholder fills', { revoke: request('https://{id}.example.com/') }, 'revoke.url'],
    ['a misspelt placeholder', { revoke: request('https://api.example.com/{ids}') }, 'revoke.url'],
    [
      'a misspelt placeholder in a body',
      { create: { ...request('https://api.example.com/'), body: { a: ['{nmae}'] }, key: '/k', id: '/i' } },
      'create.body',
    ],
    ['the key in a URL', { test: request('https://api.example.com/?key={secret.apiKey}') }, 'test.url'],
    [
      'an admin’s token in a URL',
      { revoke: request('https://api.example.com/{id}?token={admin.apiKey}') },
      'revoke.url',
    ],
    ['a test that uses no key', { test: request('https://api.example.com/me') }, 'test'],
    [
      'a test with the admin’s secret, which a test has not got',
      {
        test: {
          ...request('https://api.example.com/me'),
          headers: { a: '{secret.apiKey}', b: '{admin.apiKey}' },
        },
      },
      'test',
    ],
    [
      'a header that Node sets',
      { revoke: { ...request('https://api.example.com/'), headers: { Host: 'a' } } },
      'revoke.headers',
    ],
    ['disable without enable', { disable: request('https://api.example.com/{id}') }, 'enable'],
    [
      'two bodies',
      { revoke: { ...request('https://api.example.com/{id}'), body: {}, form: {} } },
      'revoke.form',
    ],
    [
      'a redirect that counts as done',
      { revoke: { ...request('https://api.example.com/'), done: [302] } },
      'revoke.done.0',
    ],
    [
      'no JSON pointer',
      { create: { ...request('https://api.example.com/'), key: 'key', id: '/id' } },
      'create.key',
    ],
    [
      'a field of a request that there is not',
      { revoke: { ...request('https://api.example.com/'), verb: 'GET' } },
      'revoke.verb',
    ],
    ['a revocation that says no key', { revoke: request('https://api.example.com/v1/keys') }, 'revoke'],
    [
      'a revocation of the key in use',
      { revoke: request('https://api.example.com/v1/keys/{secret.keyId}?not={id}') },
      'revoke: is for {id}; {secret.keyId} is the key in use',
    ],
    [
      'a key to be stopped that is not said',
      {
        disable: { ...request('https://api.example.com/off'), body: { id: '{secret.keyId}' } },
        enable: request('https://api.example.com/{id}'),
      },
      'disable: does not say which key it is for: {id}',
    ],
    [
      'an id where there is none yet',
      { create: { ...request('https://api.example.com/{id}'), body: '{name}', key: '/k', id: '/i' } },
      'create: has no value for {id}',
    ],
    [
      'a list that can find no name',
      { create: { ...request('https://api.example.com/'), key: '/k', id: '/i' } },
      'create: does not give the key its {name}',
    ],
    [
      'an id that is the key',
      { create: { ...request('https://api.example.com/'), body: '{name}', key: '/k', id: '/k' } },
      'create.id: is the key itself',
    ],
    ['one member for key and id', { secret: { key: 'apiKey', id: 'apiKey' } }, 'secret.id: is the member'],
    ['an unknown kind of auth', { auth: { kind: 'magic' } }, 'auth'],
  ])('with %s are refused, and the field is named', (_, changes, field) => {
    expect(complaint(changes)).toMatch(/^(?:Error|PolicyInvalid): settings of the rotator: /);
    expect(complaint(changes)).toContain(`field ${field}`);
  });

  test.each([
    [{ hosts: ['api.example.com/v1'] }, 'hosts.0: must be a host as URLs have it'],
    [{ revoke: request('http://api.example.com/{id}') }, 'revoke.url: must be an HTTPS address'],
    [
      { revoke: request('https://api.example.com/{ids}') },
      '{secret.member}, {admin.member}, {id} and {name}',
    ],
    [{ auth: { kind: 'bearer', from: 'me' } }, 'auth.from: must be one of admin, secret'],
    [{ hosts: 'api.example.com' }, 'hosts: must be of type array'],
    [{ prefix: 'a b' }, 'prefix: must have 3 to 40 letters'],
    [{ create: { ...request('https://api.example.com/'), key: 'key', id: '/id' } }, 'must be a JSON pointer'],
    [{ revoke: { ...request('https://api.example.com/{id}'), done: [302] } }, 'is a redirect'],
  ])('%j are refused with what would be right', (changes, rule) => {
    expect(complaint(changes)).toContain(rule);
  });

  test.each<[string, Readonly<Record<string, unknown>>]>([
    [
      'the id of the key in a header, as half of a credential that manages itself',
      {
        auth: undefined,
        revoke: {
          ...request('https://api.example.com/{id}'),
          headers: { 'x-key-id': '{secret.keyId}', 'x-key': '{secret.apiKey}' },
        },
      },
    ],
    [
      'a member in a URL that inUrls names',
      { inUrls: ['team'], revoke: request('https://api.example.com/{admin.team}/{id}') },
    ],
    [
      'the key in a query where inUrls allows it',
      { inUrls: ['apiKey'], test: request('https://api.example.com/?key={secret.apiKey}') },
    ],
    [
      'plain HTTP to this machine',
      { privateHosts: ['127.0.0.1:8080'], revoke: request('http://127.0.0.1:8080/{id}') },
    ],
    [
      'braces of GraphQL that are no placeholder',
      {
        revoke: {
          ...request('https://api.example.com/'),
          body: { query: 'mutation { end }', variables: { key: '{id}' } },
        },
      },
    ],
  ])('with %s are taken', (_, changes) => {
    expect(complaint(changes)).toBe('');
  });

  test('say whether an admin is needed, and whether a retired key can come back', () => {
    const traits = (changes: object) => {
      const { admin, retirement } = rotator.traits({ ...valid, ...changes });
      return { admin, retirement };
    };
    expect(traits({})).toEqual({ admin: 'required', retirement: 'deferred' });
    expect(traits({ auth: { kind: 'bearer', from: 'secret' } }).admin).toBe('none');
    expect(traits({ auth: undefined }).admin).toBe('none');
    const withHeader = {
      ...request('https://api.example.com/{id}'),
      headers: { 'x-admin': '{admin.apiKey}' },
    };
    expect(traits({ auth: undefined, revoke: withHeader }).admin).toBe('required');
    const both = {
      disable: request('https://api.example.com/{id}'),
      enable: request('https://api.example.com/{id}'),
    };
    expect(traits(both).retirement).toBe('reversible');
  });
});
