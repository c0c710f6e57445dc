import type { ConnectionOptions } from 'node:tls';
import { SecretUnreadable } from './errors';
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
  return { user: text(secret, 'username'), password: text(secret, 'password') };
}

/**
 * Reads the address from such a secret, as far as it has one. A secret that asks for TLS gets TLS with a verified
 * certificate; `ssl` of the caller's own options, with RDS's authorities for example, goes before that.
 */
export function postgresAddress(secret: SecretMembers): PostgresAddress {
  const { host, port, dbname, ssl } = secret;
  return {
    ...(host === undefined ? {} : { host: text(secret, 'host') }),
    ...(port === undefined ? {} : { port: portNumber(port) }),
    ...(dbname === undefined ? {} : { database: text(secret, 'dbname') }),
    ...(ssl === undefined ? {} : { ssl: ssl === true || ssl === 'true' }),
  };
}

function text(secret: SecretMembers, member: string): string {
  const value = secret[member];
  if (typeof value !== 'string' || value === '')
    throw new SecretUnreadable(`member ${member} of the secret is not a text, or empty`);
  return value;
}

function portNumber(value: unknown): number {
  const port = typeof value === 'string' ? Number(value) : value;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new SecretUnreadable('member port of the secret is not a port number');
  return port;
}
