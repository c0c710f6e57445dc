import { SamePrincipal, SecretMalformed, UserNameTooLong } from '../../domain/errors';
import type { Change } from '../rotator';
import type { PostgresSecret } from './definition';

const suffix = '_clone';

/** PostgreSQL's NAMEDATALEN less the closing zero: bytes, not characters; what is longer is cut off without an error. */
const longestName = 63;

/** The two users of a rotation with alternating users, and which of them is to get the new password. */
export interface Pair {
  /** The user that the secret was made with: owner of everything, whichever of the two is in use. */
  readonly base: string;
  readonly clone: string;
  readonly from: string;
  readonly to: string;
}

/** Names the user that the next secret uses: `app_clone` after `app`, `app` after `app_clone`. UserNameTooLong. */
export function otherUser(username: string): string {
  const { base, clone } = pairOf(username);
  return username === clone ? base : clone;
}

/** Names the user that owns everything: `app` for both `app` and `app_clone`. */
export function baseOf(username: string): string {
  return username.endsWith(suffix) && username !== suffix ? username.slice(0, -suffix.length) : username;
}

/** The user itself for `app`, `app` for `app_clone`, and the clone's name. UserNameTooLong. */
export function pairOf(username: string): Pick<Pair, 'base' | 'clone'> {
  const base =
    username.endsWith(suffix) && username !== suffix ? username.slice(0, -suffix.length) : username;
  const clone = `${base}${suffix}`;
  if (Buffer.byteLength(clone) > longestName)
    throw new UserNameTooLong(
      `user ${base} has a name of ${Buffer.byteLength(base)} bytes; beyond ${longestName - suffix.length} PostgreSQL ` +
        `cuts ${suffix} off, and the new password would land on another user`,
    );
  return { base, clone };
}

/** Reads a change between two alternating users. SamePrincipal, UserNameTooLong, SecretMalformed. */
export function alternatingPair({ from, to }: Change<PostgresSecret>): Pair {
  if (from.username === to.username)
    throw new SamePrincipal(
      `both versions of the secret name user ${from.username}; alternating users needs two`,
    );
  if (otherUser(from.username) !== to.username)
    throw new SecretMalformed(
      `the versions of the secret name users ${from.username} and ${to.username}, which do not alternate`,
    );
  return { ...pairOf(from.username), from: from.username, to: to.username };
}

/** Makes sure that a change in place stays with one user. SecretMalformed, UserNameTooLong. */
export function singleUser({ from, to }: Change<PostgresSecret>): string {
  if (from.username !== to.username)
    throw new SecretMalformed(
      `the versions of the secret name users ${from.username} and ${to.username}; a change in place keeps the user`,
    );
  return untruncated(from.username);
}

/** The name itself, if PostgreSQL takes all of it. UserNameTooLong. */
export function untruncated(username: string): string {
  if (Buffer.byteLength(username) > longestName)
    throw new UserNameTooLong(`user ${username} has a name beyond PostgreSQL's ${longestName} bytes`);
  return username;
}
