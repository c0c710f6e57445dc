import { SamePrincipal, SecretMalformed } from '../domain/errors';
import type { Change } from './rotator';

/** What the second of two alternating users has behind the name of the first. */
export const cloneSuffix = '_clone';

/** The two users of a rotation with alternating users, and which of them is to get the new password. */
export interface Pair {
  /** The user that the secret was made with: the one whose rights count, whichever of the two is in use. */
  readonly base: string;
  readonly clone: string;
  readonly from: string;
  readonly to: string;
}

type Users = Change<{ readonly username: string }>;

/** Names the first of two alternating users: `app` for both `app` and `app_clone`. */
export function baseOf(username: string): string {
  return username.endsWith(cloneSuffix) && username !== cloneSuffix
    ? username.slice(0, -cloneSuffix.length)
    : username;
}

/** Names the user that takes its turn after this one. */
export function otherOf({ base, clone }: Pick<Pair, 'base' | 'clone'>, username: string): string {
  return username === clone ? base : clone;
}

/** Reads a change between two alternating users, whose names the engine makes. SamePrincipal, SecretMalformed. */
export function alternatingPairOf({ from, to }: Users, names: () => Pick<Pair, 'base' | 'clone'>): Pair {
  if (from.username === to.username)
    throw new SamePrincipal(
      `both versions of the secret name user ${from.username}; alternating users needs two`,
    );
  const pair = names();
  if (otherOf(pair, from.username) !== to.username)
    throw new SecretMalformed(
      `the versions of the secret name users ${from.username} and ${to.username}, which do not alternate`,
    );
  return { ...pair, from: from.username, to: to.username };
}

/** Makes sure that a change in place stays with one user. SecretMalformed. */
export function onlyUserOf({ from, to }: Users): string {
  if (from.username !== to.username)
    throw new SecretMalformed(
      `the versions of the secret name users ${from.username} and ${to.username}; a change in place keeps the user`,
    );
  return from.username;
}
