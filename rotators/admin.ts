import {
  AdminIsTheSecret,
  AdminRejected,
  CredentialRejected,
  CredentialUnusable,
  PermissionMissing,
  SecretMalformed,
  type RotorError,
} from '../domain/errors';
import type { RotatorContext } from './rotator';

/** Where a server's secret, or its admin's, says that the server is, and as whom to log in. */
interface ServerLogin {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly username: string;
}

/**
 * Works as the admin. One that is refused is read once more, since it may have been rotated meanwhile: AdminRejected only
 * if the fresh one is refused too.
 *
 * `isSame` tells whether two of its secrets log in alike: trying that again would be one more refused login, and bring the
 * admin nearer to a lock-out.
 */
export async function withAdmin<Admin, Result>(
  admin: Admin,
  { readAdminAgain }: Pick<RotatorContext<Admin>, 'readAdminAgain'>,
  isSame: (one: Admin, other: Admin) => boolean,
  attempt: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  try {
    return await attempt(admin);
  } catch (error) {
    if (!(error instanceof AdminRejected) || readAdminAgain === undefined) throw error;
    const fresh = await readAdminAgain();
    if (isSame(fresh, admin)) throw error;
    return await attempt(fresh);
  }
}

/** The admin's refusal has names of its own: its remedy is another secret's. */
export function adminsOwn(refusal: RotorError): RotorError {
  if (refusal instanceof CredentialRejected) return new AdminRejected(refusal.message);
  if (refusal instanceof CredentialUnusable) return new PermissionMissing(refusal.message);
  return refusal;
}

/**
 * The admin's password goes to the admin's own host only: whoever may edit an application's secret could otherwise have
 * it sent to a server of their own. An admin that is one of the users in rotation would lock itself out half-way.
 * SecretMalformed, AdminIsTheSecret.
 */
export function checkServerAdmin(
  admin: ServerLogin,
  secret: ServerLogin & { readonly host: string },
  principals: readonly string[],
  defaultPort: number,
): void {
  const portOf = ({ port }: ServerLogin) => Number(port ?? defaultPort);
  const elsewhere = admin.host !== undefined && admin.host.toLowerCase() !== secret.host.toLowerCase();
  if (elsewhere || (admin.port !== undefined && portOf(admin) !== portOf(secret)))
    throw new SecretMalformed(
      `the secret names ${secret.host}:${portOf(secret)} and its admin's names ` +
        `${admin.host ?? secret.host}:${portOf(admin)}; host and port have to be the same`,
    );
  if (principals.includes(admin.username))
    throw new AdminIsTheSecret(
      `the admin for ${secret.username} is ${admin.username}, which the rotation itself changes`,
    );
}
