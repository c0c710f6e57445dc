import { createHash } from 'node:crypto';
import { rotators } from '../../../rotators/registry';
import { inGoodTime, membersOf, newVersion, rejection } from '../context';

const rotator = rotators.generated;
const strong = 'k'.repeat(10) + 'Qz4_9'.repeat(7);
const context = (settings: Readonly<Record<string, unknown>> = {}) => ({
  admin: undefined,
  readAdminAgain: undefined,
  signal: inGoodTime(),
  password: () => 'drawn-by-the-policy',
  settings,
});
const valueFor = async (settings: Readonly<Record<string, unknown>>) =>
  String(
    membersOf(await rotator.create(JSON.stringify({ value: strong }), context(settings), newVersion()))[
      'value'
    ],
  );

test.each([
  [{}, /^[\w-]{43}$/],
  [{ format: 'hex', bytes: 64 }, /^[0-9a-f]{128}$/],
  [{ format: 'base64', bytes: 24 }, /^[A-Za-z0-9+/]{32}$/],
  [{ prefix: 'whsec_', format: 'base64', bytes: 24 }, /^whsec_[A-Za-z0-9+/]{32}$/],
  [{ format: 'password' }, /^drawn-by-the-policy$/],
])('with the settings %j a value looks like %s', async (settings, form) => {
  expect(await valueFor(settings)).toMatch(form);
  if (!('format' in settings) || settings.format !== 'password')
    expect(await valueFor(settings)).not.toBe(await valueFor(settings));
});

test.each([
  [{ bytes: 15 }, 'bytes'],
  [{ bytes: 16.5 }, 'bytes'],
  [{ format: 'rot13' }, 'format'],
  [{ member: '' }, 'member'],
])('the settings %j are refused by name', (settings, field) => {
  expect(() => rotator.traits(settings)).toThrow(`field ${field}`);
});

test('the value may stand in another member, and every other member stays', async () => {
  const from = JSON.stringify({ cookie: strong, value: 'untouched', list: [1] });
  const to = membersOf(await rotator.create(from, context({ member: 'cookie' }), newVersion()));
  expect(to).toEqual({
    cookie: expect.stringMatching(/^[\w-]{43}$/) as string,
    value: 'untouched',
    list: [1],
  });
});

test('a value that stands in a second member too would be out of date there', async () => {
  const from = JSON.stringify({ value: strong, header: `t=${strong}` });
  const refused = await rejection(rotator.create(from, context(), newVersion()));
  expect(refused.name).toBe('SecretMalformed');
  expect(refused.message).toContain('header');
});

describe('events call a value', () => {
  const bytes = createHash('sha512').update('thirty-two and more bytes').digest();
  const drawn = bytes.subarray(0, 32).toString('base64url');
  const nameOf = (value: string, settings: Readonly<Record<string, unknown>> = {}) =>
    rotator.principal(JSON.stringify({ value, other: 1 }), settings);

  test('by its fingerprint', () => {
    expect(nameOf(drawn)).toBe(createHash('sha256').update(drawn).digest('hex').slice(0, 8));
    expect(nameOf(`whsec_${drawn}`, { prefix: 'whsec_' })).toMatch(/^[0-9a-f]{8}$/);
    expect(nameOf(bytes.toString('hex'), { format: 'hex', bytes: 64 })).toMatch(/^[0-9a-f]{8}$/);
  });

  test.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['is short', 'correct horse', {}],
    ['is a long sentence', 'correct horse battery staple, and the year of 2026', {}],
    ['has the very length of one that was drawn', 'this-is-our-secret-for-the-webhook-receiver', {}],
    ['lacks the prefix', drawn, { prefix: 'whsec_' }],
    ['is a password, as people choose them', drawn, { format: 'password' }],
    ['has another length', drawn, { bytes: 64 }],
  ])('by no name where it %s, and so may be guessed', async (_, value, settings) => {
    expect(nameOf(value, settings)).toBe('unnamed');
    const to = await rotator.create(JSON.stringify({ value }), context(settings), newVersion());
    expect(membersOf(to)['value']).not.toBe(value);
  });
});

test('the same value twice is not retired', async () => {
  const change = {
    from: JSON.stringify({ value: strong }),
    to: JSON.stringify({ value: strong, note: 'x' }),
  };
  expect((await rejection(rotator.retire(change, context()))).name).toBe('SamePrincipal');
});
