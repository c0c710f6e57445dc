import { refuseRepetition } from '../repetition';
import { documentedMembers, type MysqlSecret } from './definition';

/**
 * Builds the next value of a secret: the old one with another user name and password, everything else kept.
 *
 * A member that repeats the password, such as a connection URL, would go out of date unnoticed: SecretMalformed.
 */
export function replacement(
  from: MysqlSecret,
  { username, password }: Pick<MysqlSecret, 'username' | 'password'>,
): MysqlSecret {
  refuseRepetition(from, documentedMembers, from.password, 'password');
  return { ...from, username, password };
}
