import { UserNameTooLong } from '../../domain/errors';
import { alternatingPairOf, baseOf, cloneSuffix, otherOf, type Pair } from '../principals';
import type { Change } from '../rotator';
import type { MysqlSecret } from './definition';

/**
 * Characters, by the engine that the secret names; names are of the basic plane, so each is one UTF-16 unit. Neither server
 * cuts anything off: what is too long after all, it refuses.
 */
const longestName = { mysql: 32, 'aurora-mysql': 32, mariadb: 128 } as const satisfies Record<
  MysqlSecret['engine'],
  number
>;

/** Names the user that the next secret uses: `app_clone` after `app`, `app` after `app_clone`. UserNameTooLong. */
export function otherUser(secret: MysqlSecret): string {
  return otherOf(pairOf(secret), secret.username);
}

/** The user itself for `app`, `app` for `app_clone`, and the clone's name. UserNameTooLong. */
export function pairOf({ engine, username }: MysqlSecret): Pick<Pair, 'base' | 'clone'> {
  const base = baseOf(username);
  const clone = `${base}${cloneSuffix}`;
  if (clone.length > longestName[engine])
    throw new UserNameTooLong(
      `user ${base} has a name of ${base.length} characters; for its clone it may have ` +
        `${longestName[engine] - cloneSuffix.length} at most`,
    );
  return { base, clone };
}

/** Reads a change between two alternating users. SamePrincipal, UserNameTooLong, SecretMalformed. */
export function alternatingPair(change: Change<MysqlSecret>): Pair {
  return alternatingPairOf(change, () => pairOf(change.from));
}
