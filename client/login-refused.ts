/** SQLSTATEs of PostgreSQL for a login that is not accepted: invalid_password, invalid_authorization_specification. */
const postgresStates = new Set(['28P01', '28000']);

/**
 * Errors of MySQL and MariaDB for the same: ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR, then an account
 * that is locked (ER_ACCOUNT_HAS_BEEN_LOCKED of each), or blocked after wrong passwords (3955 of MySQL, 4150 of MariaDB).
 */
const mysqlNumbers = new Set([1045, 1698, 3118, 4151, 3955, 4150]);

/** Tells whether a driver's error says that the credential was refused, for PostgreSQL and MySQL. */
export function isLoginRefused(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string' && postgresStates.has(error.code)) return true;
  return 'errno' in error && typeof error.errno === 'number' && mysqlNumbers.has(error.errno);
}

/** Logins for one use of a credential: cached, AWSCURRENT read again, AWSPENDING, AWSCURRENT once more. */
export const mostLogins = 4;
