import { refuseRepetition } from '../repetition';
import { knownMembers, type RedisSecret } from './definition';

/**
 * Builds the next value of a secret: the old one with another password, everything else kept.
 *
 * A member that repeats the password, such as a connection URL, would go out of date unnoticed: SecretMalformed.
 */
export function replacement(from: RedisSecret, password: string): RedisSecret {
  refuseRepetition(from, knownMembers, from.password, 'password');
  return { ...from, password };
}
