import { refuseRepetition } from '../repetition';
import { documentedMembers, type PostgresSecret } from './definition';
import { untruncated } from './principals';

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
  refuseRepetition(from, documentedMembers, from.password, 'password');
  return { ...from, username, password };
}
