import { AdminIsTheSecret, AdminRejected, CredentialRejected, SecretMalformed } from '../../domain/errors';
import { firstAccepted, withSessions } from '../everywhere';
import { withAdmin } from '../admin';
import type { RotatorContext } from '../rotator';
import { tlsFor } from '../tls';
import { open, type Address, type Login, type Session } from './connection';
import { userOf, type RedisAdmin, type RedisSecret, type RedisSettings } from './definition';

export type Context = RotatorContext<RedisAdmin, RedisSettings>;

/**
 * Opens a session at every server of `secret` as the first of the logins that it accepts, works with all of them, and
 * closes them. CredentialRejected where none is accepted.
 */
export async function asUser<Result>(
  secret: RedisSecret,
  logins: readonly RedisSecret[],
  { settings, signal }: Context,
  work: (sessions: readonly Session[]) => Promise<Result>,
): Promise<Result> {
  return withSessions(addressesOf(secret, undefined, settings), work, (address) =>
    firstAccepted(logins, (login) => open(address, loginOf(login), signal)),
  );
}

/**
 * Opens a session at every server as the admin, works with all of them, and closes them.
 *
 * An admin that is refused is read once more, since it may have been rotated meanwhile: AdminRejected only if the fresh
 * one is refused too. An admin that is the user in rotation is AdminIsTheSecret; one of other servers, SecretMalformed.
 */
export async function asAdmin<Result>(
  secret: RedisSecret,
  admin: RedisAdmin,
  { settings, signal, readAdminAgain }: Context,
  work: (sessions: readonly Session[]) => Promise<Result>,
): Promise<Result> {
  const isSame = (one: RedisAdmin, other: RedisAdmin) =>
    userOf(one) === userOf(other) && one.password === other.password;
  return withAdmin(admin, { readAdminAgain }, isSame, async (credential) => {
    const addresses = addressesOf(secret, credential, settings);
    checkAdmin(credential, secret, addresses);
    return withSessions(addresses, work, (address) =>
      open(address, loginOf(credential), signal).catch((error: unknown) => {
        // The admin's refusal has a name of its own: its remedy is another secret's.
        throw error instanceof CredentialRejected ? new AdminRejected(error.message) : error;
      }),
    );
  });
}

function loginOf(secret: RedisSecret | RedisAdmin): Login {
  return { username: userOf(secret), password: secret.password };
}

/** The secret's own server first, then those of the settings, each once. */
function addressesOf(
  secret: RedisSecret,
  admin: RedisAdmin | undefined,
  { nodes = [] }: RedisSettings,
): readonly Address[] {
  const all = new Map([[nameOf(secret.host, secret.port), placeOf(secret)]]);
  for (const node of nodes) all.set(node.toLowerCase(), parseNode(node));
  return [...all.values()].map((place) => {
    const tls = tlsFor(place.host, secret, admin);
    return tls === undefined ? place : { ...place, tls };
  });
}

function placeOf({ host, port }: Pick<RedisSecret, 'host' | 'port'>): { host: string; port: number } {
  return { host, port: Number(port ?? 6379) };
}

function parseNode(node: string): { host: string; port: number } {
  const split = node.lastIndexOf(':');
  return { host: node.slice(0, split).replace(/^\[|\]$/g, ''), port: Number(node.slice(split + 1)) };
}

function nameOf(host: string, port: RedisSecret['port']): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${shown}:${Number(port ?? 6379)}`.toLowerCase();
}

/**
 * The admin's password goes to the admin's own servers only: whoever may edit an application's secret or its policy could
 * otherwise have it sent to a server of their own. An admin that is the user in rotation would lock itself out half-way.
 */
function checkAdmin(admin: RedisAdmin, secret: RedisSecret, addresses: readonly Address[]): void {
  if (admin.host !== undefined) {
    const own = new Set([
      nameOf(admin.host, admin.port),
      ...(admin.nodes ?? []).map((node) => node.toLowerCase()),
    ]);
    const foreign = addresses.map(({ host, port }) => nameOf(host, port)).filter((name) => !own.has(name));
    if (foreign.length > 0)
      throw new SecretMalformed(
        `the admin's secret is for ${[...own].join(', ')} and does not name ${foreign.join(', ')}`,
      );
  }
  if (userOf(admin) === userOf(secret))
    throw new AdminIsTheSecret(
      `the admin for ${userOf(secret)} is ${userOf(admin)}, which the rotation itself changes`,
    );
}
