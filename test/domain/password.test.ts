import * as fc from 'fast-check';
import { drawPassword } from '../../domain/password';
import type { PasswordRules } from '../../domain/policy';
import { thrownBy } from './thrown';

const classes = {
  lower: /[a-z]/,
  upper: /[A-Z]/,
  digit: /[0-9]/,
  punctuation: /[-_.~]/,
} as const;
const names = ['lower', 'upper', 'digit', 'punctuation'] as const;
const defaults: PasswordRules = { length: 32, excludeCharacters: '', require: ['lower', 'upper', 'digit'] };
const alphanumeric = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

test('every draw has the length, each required class and none of the excluded characters', () => {
  const rules = fc.record({
    length: fc.integer({ min: 40, max: 128 }),
    excludeCharacters: fc
      .uniqueArray(fc.constantFrom(...Array.from(alphanumeric), '/', '"', '@'), { maxLength: 9 })
      .map((characters) => characters.join('')),
    require: fc.uniqueArray(fc.constantFrom(...names)),
  });
  fc.assert(
    fc.property(rules, (given) => {
      const drawn = drawPassword(given);
      expect(drawn).toHaveLength(given.length);
      for (const name of given.require) expect(drawn).toMatch(classes[name]);
      for (const character of given.excludeCharacters) expect(drawn).not.toContain(character);
    }),
  );
});

test('without other rules only letters and digits occur, which neither URLs nor shells change', () => {
  for (let draw = 0; draw < 200; draw++) expect(drawPassword(defaults)).toMatch(/^[A-Za-z0-9]{32}$/);
});

test('no two of a thousand draws are equal', () => {
  expect(new Set(Array.from({ length: 1000 }, () => drawPassword(defaults)))).toHaveProperty('size', 1000);
});

test('characters are uniform over the alphabet where no class is required', () => {
  const counts = new Map(Array.from(alphanumeric).map((character) => [character, 0]));
  const draws = 1000;
  for (let draw = 0; draw < draws; draw++)
    for (const character of drawPassword({ ...defaults, length: 62, require: [] }))
      counts.set(character, (counts.get(character) ?? 0) + 1);
  expect(counts.size).toBe(62);
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - draws) ** 2 / draws, 0);
  // 61 degrees of freedom: 130 is exceeded by chance once in more than a million runs.
  expect(chiSquare).toBeLessThan(130);
});

test('a modulo bias would be seen: the bound refuses an alphabet whose first characters are drawn more often', () => {
  const draws = 62_000;
  const biased = Array.from({ length: 62 }, (_, index) => (draws / 256) * (index < 256 % 62 ? 5 : 4));
  const chiSquare = biased.reduce((sum, count) => sum + (count - draws / 62) ** 2 / (draws / 62), 0);
  expect(chiSquare).toBeGreaterThan(130);
});

test('a policy below 128 bits is refused, with the figures', () => {
  expect(thrownBy(() => drawPassword({ ...defaults, length: 21 }))).toEqual({
    name: 'PolicyInvalid',
    message: 'password: 21 of 62 characters have 125 bits, 128 are needed',
  });
  expect(drawPassword({ ...defaults, length: 22 })).toHaveLength(22);
});

test('excluding all of a required class is refused by its name', () => {
  expect(thrownBy(() => drawPassword({ ...defaults, excludeCharacters: '0123456789' }))).toEqual({
    name: 'PolicyInvalid',
    message: 'password: excludeCharacters leaves nothing of the required class digit',
  });
});

test('excluding every character is refused and does not draw for ever', () => {
  expect(
    thrownBy(() => drawPassword({ length: 128, excludeCharacters: alphanumeric, require: [] })).name,
  ).toBe('PolicyInvalid');
});
