import { randomBytes } from 'node:crypto';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { startMysql, type MysqlOptions, type MysqlServer } from './mysql';
import { applicationMark, loginsIn } from './mysql-logins';
import { newPassword, sensitiveIn } from './secret-text';
import type { RehearsalTarget, TargetKind, TargetServer } from './target';

/** MariaDB or MySQL, for both of its rotators. */
export const mysqlKind: TargetKind = {
  facts: {
    claimed: true,
    sessionsOutlive: true,
    connectionsPerVerb: 1,
    adminIsPrincipal: true,
    required: ['host', 'username', 'password'],
  },
  start: async () => mysqlTargets(await startMysql({ log: 'all' })),
};

/** What to provision: names and password matter to tests of what is hard to quote. */
export interface Provision {
  readonly adminArn?: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Hosts under which the user has an account. */
  readonly hosts: readonly string[];
}

/** A credential of MySQL: there is always an admin, and an address. */
export interface MysqlTarget extends RehearsalTarget {
  readonly admin: string;
  unreachable(secret: string): {
    readonly secret: string;
    readonly settings: Readonly<Record<string, unknown>>;
  };
}

/** A server, and what it takes to make credentials on it. */
export interface MysqlTargets extends TargetServer {
  readonly server: MysqlServer;
  provision(options?: Partial<Provision>): Promise<MysqlTarget>;
  /** Runs statements as the superuser, each by itself, and returns the rows of the last. */
  asSuperuser(...statements: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** Starts a server and offers credentials on it. */
export async function startMysqlTargets(options: MysqlOptions = {}): Promise<MysqlTargets> {
  return mysqlTargets(await startMysql(options));
}

function mysqlTargets(server: MysqlServer): MysqlTargets {
  // A server that was there before may hold what an earlier run has left.
  const run = server.dataDir === undefined ? `_${randomBytes(3).toString('hex')}` : '';
  let session: Promise<Connection> | undefined;
  let count = 0;
  const asSuperuser = async (...statements: readonly string[]) => {
    session ??= connectSuperuser(server);
    const connection = await session;
    let rows: RowDataPacket[] = [];
    for (const statement of statements) [rows] = await connection.query<RowDataPacket[]>(statement);
    return rows;
  };
  return {
    server,
    asSuperuser,
    provision: async (options = {}) => {
      count += 1;
      const suffix = `${count === 1 ? '' : `_${String(count)}`}${run}`;
      const wanted = {
        user: `app${suffix}`,
        password: newPassword(),
        database: `shop${suffix}`,
        hosts: ['%'],
        ...options,
      };
      return provision(server, wanted, `rotor_admin${suffix}`, asSuperuser);
    },
    logText: () => server.logText(),
    logins: async () => loginsIn(() => server.logText()),
    stop: async () => {
      await (await session)?.end();
      await server.stop();
    },
  };
}

/** The log is looked through for passwords later: what the superuser does is not the rotation's. Its sql_mode is the usual one, whatever the server's is. */
async function connectSuperuser(server: MysqlServer): Promise<Connection> {
  const { superuser, password } = server;
  const session = await connect({ server, user: superuser, password, application: 'rehearsal' });
  await session.query(`set session sql_log_off = 1, sql_mode = 'STRICT_TRANS_TABLES'`);
  return session;
}

/**
 * What rotators/mysql/README.md asks an administrator to run once, for the admin of a user whose rights are those on one
 * database: change users, see their accounts and their sessions, end these, and pass on the rights that the user has.
 */
export function adminStatements(admin: string, password: string, database: string): readonly string[] {
  const name = account(admin, '%');
  return [
    `create user ${name} identified by ${literal(password)}`,
    `grant create user, process, connection admin on *.* to ${name}`,
    `grant select on mysql.* to ${name}`,
    `grant select on performance_schema.session_connect_attrs to ${name}`,
    `grant all on ${identifier(database)}.* to ${name} with grant option`,
  ];
}

async function provision(
  server: MysqlServer,
  { user, password, database, hosts, adminArn }: Provision,
  admin: string,
  asSuperuser: MysqlTargets['asSuperuser'],
): Promise<MysqlTarget> {
  const adminPassword = newPassword();
  const orders = `${identifier(database)}.orders`;
  await asSuperuser(
    `create database if not exists ${identifier(database)} character set utf8mb4`,
    `create table if not exists ${orders}
       (id bigint auto_increment primary key, item text not null, at timestamp not null default now())`,
    `insert into ${orders} (item) values ${Array.from({ length: 100 }, (_, n) => `('item ${String(n)}')`).join()}`,
    ...hosts.flatMap((host) => [
      `create user ${account(user, host)} identified by ${literal(password)}`,
      `grant select, insert, update, delete, create view on ${identifier(database)}.* to ${account(user, host)}`,
    ]),
    ...adminStatements(admin, adminPassword, database),
  );
  const place = { engine: 'mysql', host: server.host, port: server.port };
  return {
    secret: JSON.stringify({
      ...place,
      username: user,
      password,
      dbname: database,
      ...(adminArn === undefined ? {} : { masterarn: adminArn }),
    }),
    admin: JSON.stringify({ ...place, username: admin, password: adminPassword }),
    login: async (text, application) => {
      const credential = read(text);
      const session = await connect({
        server,
        user: credential.username,
        password: credential.password,
        database,
        application,
      });
      return {
        work: async () => {
          await session.query(`insert into orders (item) values ('one more')`);
          await session.query('select count(*) from orders');
        },
        close: () => session.end(),
      };
    },
    isRefusedLogin: (error) =>
      typeof error === 'object' &&
      error !== null &&
      'errno' in error &&
      // ER_ACCESS_DENIED_ERROR; ER_ACCOUNT_HAS_BEEN_LOCKED of MySQL and of MariaDB.
      (error.errno === 1045 || error.errno === 3118 || error.errno === 4151),
    wrong: (text) => JSON.stringify({ ...read(text), password: newPassword() }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({ secret: JSON.stringify({ ...read(text), port: 9 }), settings: {} }),
    sensitive: (text) => sensitiveIn(text, 'password'),
    live: async () => {
      const names = [user, `${user}_clone`].map(literal).join(', ');
      const rows = await asSuperuser(
        `select distinct User from mysql.global_priv
          where User in (${names}) and coalesce(json_value(Priv, '$.account_locked'), 'false') not in ('1', 'true')`,
      );
      return rows.length;
    },
  };
}

interface Login {
  readonly server: MysqlServer;
  readonly user: string;
  readonly password: string;
  readonly application: string;
  readonly database?: string;
}

async function connect({ server, application, ...login }: Login): Promise<Connection> {
  const session = await createConnection({
    ...login,
    host: server.host,
    port: server.port,
    connectAttributes: { program_name: application },
  });
  session.on('error', () => undefined);
  await session.query(applicationMark(application));
  return session;
}

/** Quotes an account's name: between backquotes nothing but the backquote itself has a meaning. */
export function account(user: string, host: string): string {
  return `${identifier(user)}@${identifier(host)}`;
}

/** Quotes a name. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Quotes a text, for a session with the usual sql_mode. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function read(text: string): { readonly username: string; readonly password: string } {
  return JSON.parse(text) as { readonly username: string; readonly password: string };
}
