import { randomInt } from 'node:crypto';
import { PolicyInvalid } from './errors';
import type { PasswordRules } from './policy';

const classes = {
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  digit: '0123456789',
  // Unreserved in URLs (RFC 3986, section 2.3), and quiet in shells, JSON and connection strings.
  punctuation: '-_.~',
} as const;

/** Bits of entropy below which a policy is refused. */
export const leastEntropyBits = 128;

/**
 * Draws a password: every character uniform over the allowed ones, from the platform's CSPRNG.
 *
 * A draw that lacks a required class is thrown away whole and drawn anew, so that what remains is uniform over all
 * passwords that fulfil the rules. The default, 32 of 62 characters, has 190 bits.
 */
export function drawPassword(rules: PasswordRules): string {
  const allowed = (text: string) =>
    Array.from(text).filter((character) => !rules.excludeCharacters.includes(character));
  const wanted = rules.require.map((name) => allowed(classes[name]));
  const empty = rules.require.find((_, index) => wanted[index]?.length === 0);
  if (empty !== undefined)
    throw new PolicyInvalid(`password: excludeCharacters leaves nothing of the required class ${empty}`);
  const alphabet = [
    ...new Set([...allowed(classes.lower + classes.upper + classes.digit), ...wanted.flat()]),
  ];
  const bits = rules.length * Math.log2(Math.max(1, alphabet.length));
  if (bits < leastEntropyBits)
    throw new PolicyInvalid(
      `password: ${rules.length} of ${alphabet.length} characters have ${Math.floor(bits)} bits, ${leastEntropyBits} are needed`,
    );
  for (;;) {
    const drawn = Array.from({ length: rules.length }, () => alphabet[randomInt(alphabet.length)] ?? '');
    if (wanted.every((characters) => drawn.some((character) => characters.includes(character))))
      return drawn.join('');
  }
}
