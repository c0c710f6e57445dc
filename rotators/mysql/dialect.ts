import { TargetRefused } from '../../domain/errors';
import type { Session } from './connection';
import { mariadb } from './mariadb';
import { mysql } from './mysql';
import type { PasswordPlugin } from './verifiers';

/** One account of a user: MySQL has one for each host that the user may come from. */
export interface Account {
  readonly user: string;
  readonly host: string;
  /** The plugin that checks the password; `undefined` where there are several, one of which is enough. */
  readonly plugin: string | undefined;
  /** What the server stores of the password. */
  readonly verifier: string;
  readonly isLocked: boolean;
  /** What else the account has, as clauses of ALTER USER: TLS, limits, expiry. */
  readonly clauses: string;
  /** Quoted, in the order of their names. */
  readonly defaultRoles: readonly string[];
}

/** What MariaDB and MySQL say in different words. */
export interface Dialect {
  readonly name: 'MariaDB' | 'MySQL';
  /** The accounts of a user, by host. PermissionMissing. */
  accountsOf(session: Session, user: string): Promise<readonly Account[]>;
  /** The clause of CREATE USER and ALTER USER that sets a password by what the server stores of it. */
  identified(plugin: PasswordPlugin, verifier: string): string;
  /** The statement with which a user changes the password of its own account. */
  changeOwnPassword(password: string): string;
  /** The statement that says which roles are active from login on. */
  setDefaultRoles(account: string, roles: readonly string[]): string;
  /** Whether the replaced password can be kept: RETAIN CURRENT PASSWORD. */
  readonly keepsTwoPasswords: boolean;
}

/** Tells which of them a server speaks, and refuses one that is too old to lock accounts. */
export function dialectOf({ version }: Pick<Session, 'version'>): Dialect {
  const [major = 0, minor = 0, patch = 0] = version.split(/[^\d]+/).map(Number);
  const isAtLeast = (...wanted: readonly [number, number, number]) =>
    major !== wanted[0] ? major > wanted[0] : minor !== wanted[1] ? minor > wanted[1] : patch >= wanted[2];
  const isMariadb = /mariadb/i.test(version);
  if (!(isMariadb ? isAtLeast(10, 4, 2) : isAtLeast(5, 7, 6)))
    throw new TargetRefused(
      `the server is version ${version}; accounts can be locked from MySQL 5.7.6 and MariaDB 10.4.2 on`,
    );
  if (isMariadb) return mariadb;
  return mysql({ hasRoles: isAtLeast(8, 0, 0), keepsTwoPasswords: isAtLeast(8, 0, 14) });
}
