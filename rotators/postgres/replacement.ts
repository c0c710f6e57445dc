import { SecretMalformed } from '../../domain/errors';
import { redactor } from '../redaction';
import { documentedMembers, type PostgresSecret } from './definition';
import { untruncated } from './principals';

/** Below this a password occurs by chance in a word. */
const tellingLength = 8;

/**
 * Builds the next value of a secret: the old one with another user name and password, everything else kept.
 *
 * A member that repeats the password, such as a connection URL, would go out of date unnoticed: SecretMalformed.
 */
export function replacement(
  from: PostgresSecret,
  { username, password }: Pick<PostgresSecret, 'username' | 'password'>,
): PostgresSecret {
  untruncated(username);
  const redact = redactor([from.password]);
  const repeating = Object.entries(from)
    .filter(
      ([name, value]) =>
        !documentedMembers.includes(name) && redact(JSON.stringify(value)) !== JSON.stringify(value),
    )
    .map(([name]) => name);
  if (from.password.length >= tellingLength && repeating.length > 0)
    throw new SecretMalformed(
      `secret repeats its password in ${repeating.join(', ')}, which a rotation would leave out of date`,
    );
  return { ...from, username, password };
}
