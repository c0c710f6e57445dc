import type { ConnectionOptions } from 'node:tls';
import { memberLogin, memberPort, memberText } from './secret-members';
import type { SecretMembers } from './secret-version';

/** Where and how a PostgreSQL client connects, in the words of `pg`. */
export interface PostgresAddress {
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly ssl?: boolean | ConnectionOptions;
}

/** As whom. */
export interface PostgresLogin {
  readonly user: string;
  readonly password: string;
}

/** Reads user and password from a secret of AWS's documented shape. SecretUnreadable names the member that lacks. */
export function postgresLogin(secret: SecretMembers): PostgresLogin {
  return memberLogin(secret);
}

/**
 * Reads the address from such a secret, as far as it has one. A secret that asks for TLS gets TLS with a verified
 * certificate; `ssl` of the caller's own options, with RDS's authorities for example, goes before that.
 */
export function postgresAddress(secret: SecretMembers): PostgresAddress {
  const { host, port, dbname, ssl } = secret;
  return {
    ...(host === undefined ? {} : { host: memberText(secret, 'host') }),
    ...(port === undefined ? {} : { port: memberPort(secret) }),
    ...(dbname === undefined ? {} : { database: memberText(secret, 'dbname') }),
    ...(ssl === undefined ? {} : { ssl: ssl === true || ssl === 'true' }),
  };
}
