import { UserNameTooLong } from '../../domain/errors';
import { alternatingPairOf, baseOf, cloneSuffix, onlyUserOf, otherOf, type Pair } from '../principals';
import type { Change } from '../rotator';
import type { PostgresSecret } from './definition';

/** PostgreSQL's NAMEDATALEN less the closing zero: bytes, not characters; what is longer is cut off without an error. */
const longestName = 63;

/** Names the user that the next secret uses: `app_clone` after `app`, `app` after `app_clone`. UserNameTooLong. */
export function otherUser(username: string): string {
  return otherOf(pairOf(username), username);
}

/** The user itself for `app`, `app` for `app_clone`, and the clone's name. UserNameTooLong. */
export function pairOf(username: string): Pick<Pair, 'base' | 'clone'> {
  const base = baseOf(username);
  const clone = `${base}${cloneSuffix}`;
  if (Buffer.byteLength(clone) > longestName)
    throw new UserNameTooLong(
      `user ${base} has a name of ${Buffer.byteLength(base)} bytes; beyond ${longestName - cloneSuffix.length} PostgreSQL ` +
        `cuts ${cloneSuffix} off, and the new password would land on another user`,
    );
  return { base, clone };
}

/** Reads a change between two alternating users. SamePrincipal, UserNameTooLong, SecretMalformed. */
export function alternatingPair(change: Change<PostgresSecret>): Pair {
  return alternatingPairOf(change, () => pairOf(change.from.username));
}

/** Makes sure that a change in place stays with one user. SecretMalformed, UserNameTooLong. */
export function singleUser(change: Change<PostgresSecret>): string {
  return untruncated(onlyUserOf(change));
}

/** The name itself, if PostgreSQL takes all of it. UserNameTooLong. */
export function untruncated(username: string): string {
  if (Buffer.byteLength(username) > longestName)
    throw new UserNameTooLong(`user ${username} has a name beyond PostgreSQL's ${longestName} bytes`);
  return username;
}
