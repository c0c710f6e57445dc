import { randomBytes } from 'node:crypto';
import pg, { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { rotatingPool } from '../../client';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres';
import { newPassword, sensitiveIn } from './secret-text';
import type { Logins, RehearsalTarget, TargetKind, TargetServer } from './target';

/** PostgreSQL, for both of its rotators. */
export const postgresKind: TargetKind = {
  facts: {
    claimed: true,
    sessionsOutlive: true,
    connectionsPerVerb: 1,
    adminIsPrincipal: true,
    required: ['host', 'username', 'password'],
  },
  start: async () => postgresTargets(await startPostgres({ log: 'ddl' })),
};

/** What to provision: names and password matter to tests of what is hard to quote. */
export interface Provision {
  readonly adminArn?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A credential of PostgreSQL: there is always an admin, and an address. */
export interface PostgresTarget extends RehearsalTarget {
  readonly admin: string;
  unreachable(secret: string): {
    readonly secret: string;
    readonly settings: Readonly<Record<string, unknown>>;
  };
}

/** A server, and what it takes to make credentials on it. */
export interface PostgresTargets extends TargetServer {
  readonly server: PostgresServer;
  provision(options?: Partial<Provision>): Promise<PostgresTarget>;
  /** Runs statements as the superuser. */
  asSuperuser<Row extends object>(statement: string, database?: string): Promise<readonly Row[]>;
}

/** Starts a server and offers credentials on it. */
export async function startPostgresTargets(options: PostgresOptions): Promise<PostgresTargets> {
  return postgresTargets(await startPostgres(options));
}

function postgresTargets(server: PostgresServer): PostgresTargets {
  // A server that was there before may hold what an earlier run has left.
  const run = server.dataDir === undefined ? `_${randomBytes(3).toString('hex')}` : '';
  const databases = new Map<string, Promise<void>>();
  const sessions = new Map<string, Promise<Client>>();
  let count = 0;
  const asSuperuser = async <Row extends object>(statement: string, database = 'postgres') => {
    const session =
      sessions.get(database) ??
      connect({
        server,
        user: server.superuser,
        password: server.password,
        database,
        application: 'rehearsal',
        // The log is looked through for passwords later; these statements are not the rotation's.
        options: '-c log_statement=none',
      });
    sessions.set(database, session);
    return (await (await session).query<Row>(statement)).rows;
  };
  // A database costs a quarter of a second, a schema nothing: one database for all, unless a test asks for its own.
  const ensureDatabase = async (name: string) => {
    const made =
      databases.get(name) ??
      asSuperuser(`create database ${escapeIdentifier(name)}`)
        .then(() => asSuperuser(`revoke connect on database ${escapeIdentifier(name)} from public`))
        .then(() => undefined);
    databases.set(name, made);
    await made;
  };
  return {
    server,
    asSuperuser,
    provision: async (options = {}) => {
      count += 1;
      const suffix = `${count === 1 ? '' : `_${String(count)}`}${run}`;
      const wanted = { user: `app${suffix}`, password: newPassword(), database: `shop${run}`, ...options };
      await ensureDatabase(wanted.database);
      return provision(server, wanted, `rotor_admin${suffix}`, asSuperuser);
    },
    logText: () => server.logText(),
    logins: async () => loginsIn(await server.logText()),
    stop: async () => {
      for (const session of sessions.values()) await (await session).end();
      await server.stop();
    },
  };
}

/**
 * What rotators/postgres/README.md asks an administrator to run once, for the admin of a user: create roles, change this
 * one user (from PostgreSQL 16 that takes its ADMIN OPTION), see since when sessions are open, and end them.
 */
export function adminStatements(
  admin: string,
  password: string,
  user: string,
  version: number,
): readonly string[] {
  const [adminName, userName] = [escapeIdentifier(admin), escapeIdentifier(user)];
  return [
    `create role ${adminName} login createrole password ${escapeLiteral(password)}`,
    `grant pg_read_all_stats, pg_signal_backend to ${adminName}`,
    ...(version >= 160_000
      ? [`grant ${userName} to ${adminName} with admin true, inherit false, set false`]
      : []),
  ];
}

async function provision(
  server: PostgresServer,
  { user, password, database, adminArn }: Provision,
  admin: string,
  asSuperuser: PostgresTargets['asSuperuser'],
): Promise<PostgresTarget> {
  const adminPassword = newPassword();
  const [version] = await asSuperuser<{ number: number }>(
    `select current_setting('server_version_num')::int as number`,
  );
  const [userName, databaseName] = [escapeIdentifier(user), escapeIdentifier(database)];
  await asSuperuser(`create role ${userName} login password ${escapeLiteral(password)}`);
  for (const statement of adminStatements(admin, adminPassword, user, version?.number ?? 0))
    await asSuperuser(statement);
  // CONNECT is the user's and not everybody's, so that a clone has it only by way of its membership.
  await asSuperuser(`grant connect on database ${databaseName} to ${userName}`);
  await asSuperuser(
    `create schema authorization ${userName};
     set role ${userName};
     create table orders (id bigint generated always as identity primary key, item text not null, at timestamptz not null default now());
     insert into orders (item) select 'item ' || n from generate_series(1, 100) as n;
     reset role`,
    database,
  );
  const place = { host: server.host, port: server.port };
  const secret = {
    engine: 'postgres',
    ...place,
    username: user,
    password,
    dbname: database,
    ...(adminArn === undefined ? {} : { masterarn: adminArn }),
  };
  return {
    secret: JSON.stringify(secret),
    admin: JSON.stringify({ engine: 'postgres', ...place, username: admin, password: adminPassword }),
    login: async (text, application) => {
      const { username, password: secretPassword } = read(text);
      const client = await connect({
        server,
        user: username,
        password: secretPassword,
        database,
        application,
      });
      return {
        work: async () => {
          await client.query(`insert into orders (item) values ('one more')`);
          await client.query('select count(*) from orders');
        },
        close: () => client.end(),
      };
    },
    serve: async (rotating, application) => {
      const pool = await rotatingPool(pg, rotating, { max: 2, application_name: application });
      pool.on('error', () => undefined);
      return {
        work: async () => {
          await pool.query(`insert into orders (item) values ($1)`, [application]);
          await pool.query('select count(*) from orders');
        },
        close: () => pool.end(),
      };
    },
    isRefusedLogin: (error) =>
      typeof error === 'object' &&
      error !== null &&
      'code' in error &&
      (error.code === '28P01' || error.code === '28000'),
    wrong: (text) => JSON.stringify({ ...read(text), password: newPassword() }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({ secret: JSON.stringify({ ...read(text), port: 9 }), settings: {} }),
    sensitive: (text) => sensitiveIn(text, 'password'),
    live: async () => {
      const names = [user, `${user}_clone`].map((name) => escapeLiteral(name)).join(', ');
      const [row] = await asSuperuser<{ live: number }>(
        `select count(*)::int as live from pg_roles where rolcanlogin and rolname in (${names})`,
      );
      return row?.live ?? 0;
    },
  };
}

/** Reads the server's log; its lines are PostgreSQL's own, in English since the server runs in locale C. */
function loginsIn(log: string): Logins {
  const accepted = log.matchAll(
    /connection authorized: user=(.+?) database=.*?(?: application_name=(.*?))?(?: SSL enabled.*)?$/gm,
  );
  const refused = log.matchAll(
    /FATAL: {2}(?:password authentication failed for user "(.+)"|role "(.+)" is not permitted to log in|role "(.+)" does not exist)$/gm,
  );
  return {
    accepted: [...accepted].map(([, user = '', application = '']) => ({ user, application })),
    refused: [...refused].map(([, password, disabled, unknown]) => ({
      user: password ?? disabled ?? unknown ?? '',
    })),
  };
}

interface Login {
  readonly server: PostgresServer;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly application: string;
  readonly options?: string;
}

async function connect({ server, application, ...login }: Login): Promise<Client> {
  const client = new Client({
    ...login,
    host: server.host,
    port: server.port,
    application_name: application,
    ssl: server.certificate === undefined ? false : { ca: server.certificate },
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function read(text: string): { readonly username: string; readonly password: string } {
  return JSON.parse(text) as { readonly username: string; readonly password: string };
}
