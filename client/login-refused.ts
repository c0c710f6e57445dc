/** SQLSTATEs of PostgreSQL for a login that is not accepted: invalid_password, invalid_authorization_specification. */
const postgresStates = new Set(['28P01', '28000']);

/** Errors of MySQL and MariaDB for the same: ER_ACCESS_DENIED_ERROR, ER_ACCESS_DENIED_NO_PASSWORD_ERROR. */
const mysqlNumbers = new Set([1045, 1698]);

/** Tells whether a driver's error says that the credential was refused, for PostgreSQL and MySQL. */
export function isLoginRefused(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && typeof error.code === 'string' && postgresStates.has(error.code)) return true;
  return 'errno' in error && typeof error.errno === 'number' && mysqlNumbers.has(error.errno);
}
