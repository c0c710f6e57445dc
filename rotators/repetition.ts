import { SecretMalformed } from '../domain/errors';
import { redactor } from './redaction';

/** Below this a value occurs by chance in a word. */
const tellingLength = 8;

/**
 * Lets a secret pass whose credential stands in its own members alone. Elsewhere, as in a URL with the password in it, the
 * new value would not get there: SecretMalformed.
 *
 * `own` are the members that are known to hold something else or the credential itself; `what` is its name in the message.
 */
export function refuseRepetition(
  secret: object,
  own: readonly string[],
  credential: string | readonly string[],
  what = 'credential',
): void {
  const values = [credential].flat().filter((value) => value.length >= tellingLength);
  const redact = redactor(values);
  const repeating = Object.entries(secret)
    .filter(([name]) => !own.includes(name))
    .filter(([, value]) => redact(JSON.stringify(value)) !== JSON.stringify(value))
    .map(([name]) => name);
  if (repeating.length > 0)
    throw new SecretMalformed(
      `secret repeats its ${what} in ${repeating.join(', ')}, which a rotation would leave out of date`,
    );
}

/** Whether an id, which is public, holds the credential itself. */
export function givesAway(id: string, credential: string): boolean {
  return id === credential || (credential.length >= tellingLength && id.includes(credential));
}
