import { atPointer, textAt } from '../../../rotators/http/pointer';
import { pauseAsked } from '../../../rotators/http/connection';
import { render, renderJson, type Values } from '../../../rotators/http/templates';

const values = (secret: object, id?: string): Values => ({
  secret,
  admin: undefined,
  ...(id === undefined ? {} : { id }),
});

describe('a value in a template', () => {
  test('is encoded in a URL, so that it stays in its segment or its parameter', () => {
    const url = 'https://api.example.com/keys/{id}?team={secret.team}';
    expect(render(url, values({ team: 'a&b=c#d' }, '../admin?x/%2e'), 'url')).toBe(
      'https://api.example.com/keys/..%2Fadmin%3Fx%2F%252e?team=a%26b%3Dc%23d',
    );
  });

  test.each(['', '.', '..', '\ud800'])(
    'is refused in a URL as %j, which would make it another address',
    (id) => {
      expect(() => render('https://api.example.com/keys/{id}', values({}, id), 'url')).toThrow(
        expect.objectContaining({ name: 'TargetRefused' }) as Error,
      );
    },
  );

  test.each(['a\r\nx-admin: 1', 'a\nb', 'a\0b', 'ключ'])('is refused in a header as %j', (key) => {
    let message = '';
    try {
      render('Bearer {secret.key}', values({ key }), 'header');
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('{secret.key}');
    expect(message).not.toContain(key);
  });

  test('is no syntax of the JSON that it stands in', () => {
    const body = { name: '{secret.name}', list: ['x {id}', 1, null, true], '{id}': {} };
    expect(renderJson(body, values({ name: '","admin":true,"x":"' }, '7'))).toEqual({
      name: '","admin":true,"x":"',
      list: ['x 7', 1, null, true],
      '{id}': {},
    });
  });

  test('is not looked through for placeholders of its own', () => {
    expect(render('{secret.a}', values({ a: '{secret.b}', b: 'hidden' }), 'text')).toBe('{secret.b}');
  });

  test.each([{}, { team: '' }, { team: null }, { team: { name: 'x' } }])(
    'is missed in %j, by its name',
    (secret) => {
      expect(() => render('{secret.team}', values(secret), 'text')).toThrow('{secret.team}');
    },
  );

  test('is no member that every object inherits', () => {
    expect(() => render('{secret.constructor}', values({}), 'text')).toThrow('{secret.constructor}');
  });
});

describe('a JSON pointer', () => {
  const document = { 'a/b': [{ 'm~n': 17 }], key: 'k', empty: '' };

  test.each([
    ['', document],
    ['/a~1b/0/m~0n', 17],
    ['/a~1b/1', undefined],
    ['/key/length', undefined],
    ['/constructor', undefined],
  ])('%j finds what RFC 6901 says', (pointer, expected) => {
    expect(atPointer(document, pointer)).toEqual(expected);
  });

  test('gives ids that are numbers as text, and nothing for what is no id', () => {
    expect(textAt(document, '/a~1b/0/m~0n')).toBe('17');
    expect([textAt(document, '/a~1b'), textAt(document, '/empty')]).toEqual([undefined, undefined]);
  });

  test.each(['{"id":1234567890123456789}', '{"id":1.5}', '{"id":1e400}'])(
    'gives no id for %s, which would be rounded to that of another key',
    (text) => {
      expect(textAt(JSON.parse(text), '/id')).toBeUndefined();
    },
  );
});

describe('a request to wait', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  test.each([
    [429, '7', 7_000],
    [503, '0', 0],
    [429, 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    [429, 'Wed, 31 Dec 2025 23:00:00 GMT', 0],
    [429, 'soon', undefined],
    [429, undefined, undefined],
    [500, '7', undefined],
    [429, '999999999', 86_400_000],
    [429, '9'.repeat(400), 86_400_000],
    [429, '-5', undefined],
    [429, '1.5', undefined],
    [429, '2026-01-01', undefined],
  ])('with status %s and Retry-After %s means %s ms', (status, retryAfter, expected) => {
    expect(pauseAsked({ status, retryAfter }, now)).toBe(expected);
  });
});
