import { Client } from 'pg';
import { AdminMissing, TargetUnreachable } from '../../domain/errors';
import { adminsOwn, checkServerAdmin, withAdmin } from '../admin';
import type { RotatorContext } from '../rotator';
import { tlsFor } from '../tls';
import type { PostgresAdmin, PostgresSecret } from './definition';
import { classified } from './errors';

type Context = RotatorContext<PostgresAdmin>;

const defaultPort = 5432;

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
  const { admin, signal } = context;
  if (admin === undefined)
    throw new AdminMissing(`changing user ${secret.username} needs an admin, and no secret of one is named`);
  return withAdmin(admin, context, isSameLogin, (credential) => {
    checkServerAdmin(credential, secret, principals, defaultPort);
    return connected(secret, credential, credential, signal, work);
  });
}

/** Runs the work as one transaction: after a crash at any point all of it has happened, or nothing. */
export async function inTransaction<Result>(session: Session, work: () => Promise<Result>): Promise<Result> {
  // A lock that a migration holds for minutes must not use up the function's time.
  await session.query("begin; set local lock_timeout = '5s'");
  const result = await work();
  await session.query('commit');
  return result;
}

/** Opens a session at the secret's host, as the secret's own user or as the admin. */
async function connected<Result>(
  secret: PostgresSecret,
  login: PostgresSecret | PostgresAdmin,
  admin: PostgresAdmin | undefined,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const port = Number(secret.port ?? defaultPort);
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
    ssl: tlsFor(secret.host, secret, admin) ?? false,
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

function isSameLogin(one: PostgresAdmin, other: PostgresAdmin): boolean {
  return one.username === other.username && one.password === other.password;
}
