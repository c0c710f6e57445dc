import net from 'node:net';
import { createConnection, type Connection, type SslOptions } from 'mysql2';
import { AdminMissing, TargetUnreachable, TlsUnavailable, type RotorError } from '../../domain/errors';
import { adminsOwn, checkServerAdmin, withAdmin } from '../admin';
import type { RotatorContext } from '../rotator';
import { tlsFor } from '../tls';
import type { MysqlAdmin, MysqlSecret } from './definition';
import { classified, type Phase } from './errors';

type Context = RotatorContext<MysqlAdmin>;

/** What a query answers for each row; the reader says what it expects of a column. */
export type Row = Readonly<Record<string, unknown>>;

const defaultPort = 3306;

/** Far below a function's deadline, so that a security group that drops packets is told from a slow server. */
const connectTimeoutMs = 5_000;

/** A migration's lock must not use up the function's time. */
const lockTimeoutSeconds = 5;

/** A session that a verb works with. */
export interface Session {
  /** As the server says it: `8.0.36`, `10.11.6-MariaDB-log`. */
  readonly version: string;
  /** The server numbers sessions in the order in which they begin. */
  readonly id: number;
  /** Runs one statement; errors have names of domain/errors.ts. */
  query(statement: string): Promise<readonly Row[]>;
}

/** Opens one session as the user of the secret, works with it, and closes it. CredentialRejected. */
export function asUser<Result>(
  secret: MysqlSecret,
  { signal }: Pick<Context, 'signal'>,
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
  secret: MysqlSecret,
  principals: readonly string[],
  { admin, readAdminAgain, signal }: Pick<Context, 'admin' | 'readAdminAgain' | 'signal'>,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  if (admin === undefined)
    throw new AdminMissing(`changing user ${secret.username} needs an admin, and no secret of one is named`);
  return withAdmin(admin, { readAdminAgain }, isSameLogin, (credential) => {
    checkServerAdmin(credential, secret, principals, defaultPort);
    return connected(secret, credential, credential, signal, work);
  });
}

/** Opens a session at the secret's host, as the secret's own user or as the admin. */
async function connected<Result>(
  secret: MysqlSecret,
  login: MysqlSecret | MysqlAdmin,
  admin: MysqlAdmin | undefined,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const port = Number(secret.port ?? defaultPort);
  const where = `${secret.host}:${String(port)} as ${login.username}`;
  if (signal.aborted) throw new TargetUnreachable(`${where}: no time left to connect`);
  const ssl = tlsOf(secret, admin, where);
  const client = createConnection({
    host: secret.host,
    port,
    // Accounts belong to the whole server: the admin needs no database, unless its secret names one.
    ...(login.dbname === undefined ? {} : { database: login.dbname }),
    user: login.username,
    password: login.password,
    charset: 'utf8mb4_general_ci',
    connectAttributes: { program_name: 'rotor' },
    connectTimeout: connectTimeoutMs,
    ...(ssl === undefined ? {} : { ssl }),
  });
  // A connection that is lost between two statements says so by an event, which would end the process unheard.
  client.on('error', () => undefined);
  const abandon = () => client.destroy();
  signal.addEventListener('abort', abandon, { once: true });
  const line = { isOpen: false };
  const isOpen = () => line.isOpen && !signal.aborted;
  const failure = (error: unknown, phase: Phase): RotorError => {
    if (signal.aborted) return new TargetUnreachable(`${where}: no time left to wait for an answer`);
    const refusal = classified(error, where, phase);
    if (refusal instanceof TargetUnreachable) line.isOpen = false;
    return admin === undefined || phase === 'work' ? refusal : adminsOwn(refusal);
  };
  const ask = (statement: string, phase: Phase) =>
    answer(client, signal, statement).catch((error: unknown) => {
      throw failure(error, phase);
    });
  try {
    await handshake(client, signal).catch((error: unknown) => {
      throw failure(error, 'login');
    });
    line.isOpen = true;
    return await work(await prepared((statement, phase = 'work') => ask(statement, phase)));
  } finally {
    signal.removeEventListener('abort', abandon);
    if (isOpen()) await goodbye(client);
    else client.destroy();
  }
}

/**
 * Makes a session what the rest of this folder relies on: texts without backslash escapes, names between backquotes, and
 * no account that comes into being because a GRANT names it.
 */
async function prepared(
  ask: (statement: string, phase?: Phase) => Promise<readonly Row[]>,
): Promise<Session> {
  // An account whose password has expired gets in, and is refused every statement: that is known at the door, too.
  const [row] = await ask('select /* rotor */ version() as version, connection_id() as id', 'login');
  const version = String(row?.['version']);
  // MySQL 8 has no such accounts any more, nor the mode.
  const modes =
    /^8|^9|^[1-9]\d/.test(version) && !/mariadb/i.test(version)
      ? 'NO_BACKSLASH_ESCAPES'
      : 'NO_BACKSLASH_ESCAPES,NO_AUTO_CREATE_USER';
  await ask(
    `set session sql_mode = '${modes}', sql_quote_show_create = 1, ` +
      `lock_wait_timeout = ${lockTimeoutSeconds}, innodb_lock_wait_timeout = ${lockTimeoutSeconds}`,
  );
  return { version, id: Number(row?.['id']), query: (statement) => ask(statement) };
}

function handshake(client: Connection, signal: AbortSignal): Promise<void> {
  return settled(signal, (done) => client.connect((error) => done(error, undefined)));
}

function answer(client: Connection, signal: AbortSignal, statement: string): Promise<readonly Row[]> {
  return settled(signal, (done) => {
    client.query(statement, (error, rows) => done(error, rowsIn(rows)));
  });
}

/** The driver calls nobody back whose connection was destroyed. */
function settled<Result>(
  signal: AbortSignal,
  start: (done: (error: unknown, result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new TargetUnreachable('no time left'));
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    start((error, result) => {
      signal.removeEventListener('abort', stop);
      if (error === null || error === undefined) resolve(result);
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- classified by whoever asked
      else reject(error);
    });
  });
}

/** Says goodbye where that is still possible: a server counts clients that leave without it as aborted. */
function goodbye(client: Connection): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      client.destroy();
      resolve();
    };
    const patience = setTimeout(end, 1_000);
    client.end(() => {
      clearTimeout(patience);
      end();
    });
  });
}

/** A statement that answers no rows answers one object. */
function rowsIn(answered: unknown): readonly Row[] {
  const rows: readonly unknown[] = Array.isArray(answered) ? answered : [];
  return rows.filter(isRow);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** TLS as for every server; the driver knows no other form of it. TlsUnavailable where it could not verify. */
function tlsOf(secret: MysqlSecret, admin: MysqlAdmin | undefined, where: string): SslOptions | undefined {
  const tls = tlsFor(secret.host, secret, admin);
  if (tls === undefined) return undefined;
  // The driver would compare the certificate with `localhost` in the place of an address.
  if (net.isIP(secret.host) !== 0)
    throw new TlsUnavailable(
      `${where}: a certificate can be verified for a host's name only, and the secret names an address`,
    );
  return { rejectUnauthorized: true, verifyIdentity: true, minVersion: 'TLSv1.2', ...tls };
}

function isSameLogin(one: MysqlAdmin, other: MysqlAdmin): boolean {
  return one.username === other.username && one.password === other.password;
}
