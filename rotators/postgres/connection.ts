import { Client } from 'pg';
import {
  AdminIsTheSecret,
  AdminMissing,
  AdminRejected,
  CredentialRejected,
  CredentialUnusable,
  PermissionMissing,
  SecretMalformed,
  TargetUnreachable,
  type RotorError,
} from '../../domain/errors';
import type { RotatorContext } from '../rotator';
import type { PostgresAdmin, PostgresSecret } from './definition';
import { classified } from './errors';

type Context = RotatorContext<PostgresAdmin>;

/** Far below a function's deadline, so that a security group that drops packets is told from a slow server. */
const connectTimeoutMs = 5_000;

/** A session that a verb works with. */
export interface Session {
  /** Runs one statement; errors have names of domain/errors.ts. */
  query<Row extends object>(statement: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** Opens one session as the user of the secret, works with it, and closes it. CredentialRejected. */
export function asUser<Result>(
  secret: PostgresSecret,
  { signal }: Context,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  return connected(secret, secret, undefined, signal, work);
}

/**
 * Opens one session as the admin at the secret's host, works with it, and closes it.
 *
 * An admin that is refused is read once more, since it may have been rotated meanwhile: AdminRejected only if the fresh
 * one is refused too. An admin that is one of `principals` is AdminIsTheSecret; one of another host, SecretMalformed.
 */
export async function asAdmin<Result>(
  secret: PostgresSecret,
  principals: readonly string[],
  context: Context,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { admin, readAdminAgain, signal } = context;
  if (admin === undefined)
    throw new AdminMissing(`changing user ${secret.username} needs an admin, and no secret of one is named`);
  const attempt = async (credential: PostgresAdmin) => {
    checkAdmin(credential, secret, principals);
    return connected(secret, credential, credential, signal, work);
  };
  try {
    return await attempt(admin);
  } catch (error) {
    if (!(error instanceof AdminRejected) || readAdminAgain === undefined) throw error;
    const fresh = await readAdminAgain();
    // The same password again would be one more refused login, and bring the admin nearer to a lock-out.
    if (fresh.username === admin.username && fresh.password === admin.password) throw error;
    return await attempt(fresh);
  }
}

/** Runs the work as one transaction: after a crash at any point all of it has happened, or nothing. */
export async function inTransaction<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  // A lock that a migration holds for minutes must not use up the function's time.
  await session.query("begin; set local lock_timeout = '5s'");
  const result = await work();
  await session.query('commit');
  return result;
}

/** Whether a host can only be this machine, where nobody listens in on the way. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}

/** Opens a session at the secret's host, as the secret's own user or as the admin. */
async function connected<Result>(
  secret: PostgresSecret,
  login: PostgresSecret | PostgresAdmin,
  admin: PostgresAdmin | undefined,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const port = portOf(secret);
  const where = `${secret.host}:${String(port)} as ${login.username}`;
  if (signal.aborted) throw new TargetUnreachable(`${where}: no time left to connect`);
  const client = new Client({
    host: secret.host,
    port,
    // Roles belong to the whole server, so the admin works from its own database and needs no CONNECT on others.
    database: login.dbname ?? 'postgres',
    user: login.username,
    password: login.password,
    application_name: 'rotor',
    connectionTimeoutMillis: connectTimeoutMs,
    ssl: tlsOf(secret, admin),
  });
  // A connection that is lost between two statements says so by an event, which would end the process unheard.
  client.on('error', () => undefined);
  const abandon = () => client.connection.stream.destroy();
  signal.addEventListener('abort', abandon, { once: true });
  try {
    await client.connect().catch((error: unknown) => {
      const refusal = classified(error, where, 'login');
      throw admin === undefined ? refusal : adminsOwn(refusal);
    });
    return await work({
      query: async <Row extends object>(statement: string, values?: readonly unknown[]) => {
        const asked =
          values === undefined ? client.query<Row>(statement) : client.query<Row>(statement, [...values]);
        const { rows } = await asked.catch((error: unknown) => {
          throw classified(error, where, 'work');
        });
        return rows;
      },
    });
  } finally {
    signal.removeEventListener('abort', abandon);
    await client.end().catch(() => undefined);
  }
}

/** The admin's refusal has names of its own: its remedy is another secret's. */
function adminsOwn(refusal: RotorError): RotorError {
  if (refusal instanceof CredentialRejected) return new AdminRejected(refusal.message);
  if (refusal instanceof CredentialUnusable) return new PermissionMissing(refusal.message);
  return refusal;
}

/**
 * TLS as the secret says, and never less: `true` is TLS with a verified certificate, `false` is none, and a secret that
 * says nothing gets none on this machine's own loopback and TLS everywhere else. Nothing falls back to plain text.
 */
function tlsOf(
  { host, ssl, sslrootcert }: PostgresSecret,
  admin: PostgresAdmin | undefined,
): false | { readonly ca?: string } {
  const wanted = [ssl, admin?.ssl].some((flag) => flag === true || flag === 'true');
  const declined = ssl === false || ssl === 'false' || isLoopback(host);
  if (!wanted && declined) return false;
  const ca = sslrootcert ?? admin?.sslrootcert;
  return ca === undefined ? {} : { ca };
}

function portOf({ port }: Pick<PostgresAdmin, 'port'>): number {
  return Number(port ?? 5432);
}

/**
 * The admin's password goes to the admin's own host only: whoever may edit an application's secret could otherwise have
 * it sent to a server of their own. An admin that is one of the users in rotation would lock itself out half-way.
 */
function checkAdmin(admin: PostgresAdmin, secret: PostgresSecret, principals: readonly string[]): void {
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
