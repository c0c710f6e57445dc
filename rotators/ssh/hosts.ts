import { AdminIsTheSecret, AdminRejected, CredentialRejected } from '../../domain/errors';
import { firstAccepted, withSessions } from '../everywhere';
import { withAdmin } from '../admin';
import type { RotatorContext } from '../rotator';
import { open, publicBlob, type Session } from './connection';
import { parsePublicKey, type SshAdmin, type SshHost, type SshSecret, type SshSettings } from './definition';

export type Context = RotatorContext<SshAdmin, SshSettings>;

/**
 * Logs in at every host with the first of the keys that it accepts, works with all of them, and logs out.
 * CredentialRejected where none is accepted.
 */
export function asUser<Result>(
  hosts: readonly SshHost[],
  [first, ...others]: readonly [SshSecret, ...SshSecret[]],
  { signal }: Context,
  work: (sessions: readonly Session[]) => Promise<Result>,
): Promise<Result> {
  return withSessions(hosts, work, (host) =>
    firstAccepted([first, ...others], (secret) => open(host, secret, signal)),
  );
}

/**
 * Logs in at every host as the admin, works with all of them, and logs out.
 *
 * An admin that is refused is read once more, since it may have been rotated meanwhile: AdminRejected only if the fresh
 * one is refused too. An admin whose key is one of `keys` is AdminIsTheSecret.
 */
export async function asAdmin<Result>(
  hosts: readonly SshHost[],
  keys: readonly SshSecret[],
  admin: SshAdmin,
  { signal, readAdminAgain }: Context,
  work: (sessions: readonly Session[]) => Promise<Result>,
): Promise<Result> {
  const isSame = (one: SshAdmin, other: SshAdmin) =>
    one.username === other.username && one.privateKey === other.privateKey;
  return withAdmin(admin, { readAdminAgain }, isSame, async (credential) => {
    const own = publicBlob(credential.privateKey, "the admin's private key");
    if (keys.some(({ publicKey }) => parsePublicKey(publicKey).blob === own))
      throw new AdminIsTheSecret('the admin has the key that the rotation itself changes');
    return withSessions(hosts, work, (host) =>
      open(host, credential, signal).catch((error: unknown) => {
        // The admin's refusal has a name of its own: its remedy is another secret's.
        throw error instanceof CredentialRejected ? new AdminRejected(error.message) : error;
      }),
    );
  });
}
