import { memberPort, memberText } from './secret-members';
import type { SecretMembers } from './secret-version';

/** Where and how a MySQL client connects, in the words of `mysql2`. */
export interface MysqlAddress {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly ssl?: { readonly rejectUnauthorized: true; readonly verifyIdentity: true };
}

/**
 * Reads the address from a secret of AWS's documented shape, as far as it has one. A secret that asks for TLS gets TLS
 * with a verified certificate **and host name**, which `mysql2` leaves out by default; `ssl` of the caller's own
 * options, with RDS's authorities for example, goes before that.
 */
export function mysqlAddress(secret: SecretMembers): MysqlAddress {
  const { host, port, dbname, ssl } = secret;
  return {
    ...(host === undefined ? {} : { host: memberText(secret, 'host') }),
    ...(port === undefined ? {} : { port: memberPort(secret) }),
    ...(dbname === undefined ? {} : { database: memberText(secret, 'dbname') }),
    ...(ssl === true || ssl === 'true' ? { ssl: { rejectUnauthorized: true, verifyIdentity: true } } : {}),
  };
}
