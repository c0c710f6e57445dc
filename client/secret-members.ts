import { SecretUnreadable } from './errors';
import type { SecretMembers } from './secret-version';

/** Reads a member that has to be a text. SecretUnreadable names the member and does not quote it. */
export function memberText(secret: SecretMembers, member: string): string {
  const value = secret[member];
  if (typeof value !== 'string' || value === '')
    throw new SecretUnreadable(`member ${member} of the secret is not a text, or empty`);
  return value;
}

/** Reads member `port`, which AWS's shapes have as a number or as a text. */
export function memberPort({ port: value }: SecretMembers): number {
  const port = typeof value === 'string' ? Number(value) : value;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw new SecretUnreadable('member port of the secret is not a port number');
  return port;
}

/** Whom AWS's documented shape of a database's secret logs in as. */
export function memberLogin(secret: SecretMembers): { readonly user: string; readonly password: string } {
  return { user: memberText(secret, 'username'), password: memberText(secret, 'password') };
}
