import { asError, DriverUnsupported } from './errors';
import { type MysqlAddress, mysqlAddress } from './mysql-login';
import { RefusedLogins } from './refused-logins';
import type { NewVersion, RotatingSecret } from './rotating-secret';
import { memberLogin } from './secret-members';
import type { SecretMembers, SecretVersion } from './secret-version';

/** Settings of one connection of `mysql2`. */
export interface MysqlSettings extends MysqlAddress {
  readonly user?: string;
  readonly password?: string;
  readonly connectTimeout?: number;
}

/** The module `mysql2` or `mysql2/promise`, as far as it is used; this client does not depend on it. */
export interface MysqlModule<Pool, Options> {
  createPool(config: Options): Pool;
}

/** What is needed of a connection, the callback module's own. */
interface MysqlConnection {
  readonly config: object;
  end(): void;
  destroy(): void;
  once(event: 'end' | 'error', listener: () => void): unknown;
}

type Checkout = (error: Error | null, connection?: MysqlConnection) => unknown;

/** What is needed of a pool, the callback module's own. */
interface MysqlPool {
  readonly config: { connectionConfig: object };
  getConnection(callback: Checkout): void;
  releaseConnection(connection: MysqlConnection): void;
  end(callback?: (error: Error | null) => unknown): void;
  on(event: 'connection' | 'acquire' | 'release', listener: (connection: MysqlConnection) => void): unknown;
}

/** Where the settings of a connection carry the version that it logs in with. */
const versionOf = Symbol('version of the secret');

/**
 * A pool of `mysql2`, made by the module that is passed (`mysql2` or `mysql2/promise`), whose every new connection logs
 * in as the secret says at that moment: user and password, for both change with alternating users.
 *
 * Address and TLS come from the secret when the pool is made, unless `options` has them; `options` are those of
 * `createPool`. A refused login is repeated with what `RotatingSecret.onRefused` finds, before the application sees an
 * error. When a new version is served, it is tried once, and then connections of older versions are closed: idle
 * ones at once, others when they are released. Queries and transactions under way are not touched.
 */
export async function rotatingMysqlPool<Pool extends object, Options extends object>(
  mysql: MysqlModule<Pool, Options>,
  secret: RotatingSecret,
  options: Options,
): Promise<Pool> {
  const first = await secret.get();
  const settings = { ...mysqlAddress(first.value), ...options };
  const pool = mysql.createPool(settings);
  const prove = (value: SecretMembers) => tryLogin(mysql, { ...settings, ...memberLogin(value) });
  new Following(corePoolOf(pool), secret, first, prove).begin();
  return pool;
}

/** A pool, and the version that it logs in with next. */
class Following {
  private readonly refused: RefusedLogins;
  private readonly idle = new Set<MysqlConnection>();
  private readonly closing = new WeakSet<MysqlConnection>();
  /** Callbacks that are on their way already, and come back when the pool takes them out of its queue. */
  private readonly own = new WeakSet<Checkout>();
  private readonly connect: MysqlPool['getConnection'];
  private readonly takeBack: MysqlPool['releaseConnection'];
  private settings: { readonly versionId: string; readonly config: object };
  private newest: string | undefined;

  constructor(
    private readonly pool: MysqlPool,
    private readonly secret: RotatingSecret,
    first: SecretVersion<SecretMembers>,
    private readonly prove: (value: SecretMembers) => Promise<void>,
  ) {
    this.refused = new RefusedLogins(secret);
    this.connect = pool.getConnection.bind(pool);
    this.takeBack = pool.releaseConnection.bind(pool);
    this.settings = settingsOf(pool.config.connectionConfig, first);
  }

  begin(): void {
    const { pool } = this;
    // The driver takes user and password from here when it makes a connection, and from nowhere else.
    Object.defineProperty(pool.config, 'connectionConfig', { get: () => this.settings.config });
    pool.on('connection', (connection) => {
      for (const end of ['end', 'error'] as const) connection.once(end, () => this.idle.delete(connection));
    });
    pool.on('release', (connection) => this.idle.add(connection));
    pool.on('acquire', (connection) => this.idle.delete(connection));
    const stop = this.secret.onNewVersion((change) => this.moveTo(change));
    const end = pool.end.bind(pool);
    // Both the promises and the callbacks of mysql2, query and execute included, go through these.
    pool.getConnection = (callback) => this.checkOut(callback);
    pool.releaseConnection = (connection) => {
      if (this.isOutdated(connection) && !this.closing.has(connection)) this.close(connection);
      else this.takeBack(connection);
    };
    pool.end = (callback) => {
      stop();
      end(callback);
    };
  }

  /** A connection from the pool; again, as long as its login is refused and the secret knows another one. */
  private checkOut(callback: Checkout): void {
    if (this.own.has(callback)) {
      void this.connectNow(callback);
      return;
    }
    const checkOutOnce = () =>
      new Promise<MysqlConnection>((resolve, reject) => {
        const take: Checkout = (error, connection) =>
          connection === undefined || error !== null ? reject(asError(error)) : resolve(connection);
        this.own.add(take);
        void this.connectNow(take);
      });
    this.refused.repeat(checkOutOnce).then(
      // Outside of the promise: what a callback throws is the application's, as with mysql2 itself.
      (connection) => queueMicrotask(() => callback(null, connection)),
      (error: unknown) => queueMicrotask(() => callback(asError(error))),
    );
  }

  private async connectNow(take: Checkout): Promise<void> {
    try {
      const version = await this.secret.get();
      if (this.settings.versionId !== version.versionId)
        this.settings = settingsOf(this.settings.config, version);
    } catch (error) {
      take(asError(error));
      return;
    }
    const { versionId } = this.settings;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const noting: Checkout = (error, connection) => {
      if (error instanceof Error) this.refused.note(error, versionId);
      end();
      take(error ?? null, connection);
    };
    this.own.add(noting);
    const before = this.connections();
    this.connect(noting);
    // Whoever waits for a connection that is in use, or gets an idle one, does not log in.
    if (this.connections() > before) void this.secret.duringLogin(versionId, ended);
  }

  /** How many connections the pool has or is making. */
  private connections(): number {
    const all: unknown = Reflect.get(this.pool, '_allConnections');
    return typeof all === 'object' && all !== null && 'length' in all ? Number(all.length) : 0;
  }

  private async moveTo({ version, proven }: NewVersion<SecretMembers>): Promise<void> {
    if (!proven) await this.prove(version.value);
    this.newest = version.versionId;
    for (const connection of [...this.idle]) if (this.isOutdated(connection)) this.close(connection);
  }

  private isOutdated({ config }: MysqlConnection): boolean {
    const version: unknown = Reflect.get(config, versionOf);
    return this.newest !== undefined && version !== undefined && version !== this.newest;
  }

  /** Says goodbye where the driver can, since a server counts and logs what just goes away. */
  private close(connection: MysqlConnection): void {
    this.closing.add(connection);
    this.idle.delete(connection);
    if ('gracefulEnd' in connection.config) {
      connection.config.gracefulEnd = true;
      connection.end();
    } else connection.destroy();
  }
}

/** A copy of a pool's settings with the login of a version; the prototype is the driver's. */
function settingsOf(config: object, { versionId, value }: SecretVersion<SecretMembers>) {
  const copy = Object.create(
    Object.getPrototypeOf(config) as object,
    Object.getOwnPropertyDescriptors(config),
  ) as object;
  return { versionId, config: Object.assign(copy, memberLogin(value), { [versionOf]: versionId }) };
}

/** The pool that a promise pool stands on, or the pool itself. */
function corePoolOf(pool: object): MysqlPool {
  const core: unknown = 'pool' in pool ? pool.pool : pool;
  if (!isMysqlPool(core))
    throw new DriverUnsupported('this version of mysql2 makes pools without config.connectionConfig');
  return core;
}

function isMysqlPool(pool: unknown): pool is MysqlPool {
  if (typeof pool !== 'object' || pool === null || !('config' in pool)) return false;
  const { config } = pool;
  return (
    typeof config === 'object' &&
    config !== null &&
    'connectionConfig' in config &&
    ['getConnection', 'releaseConnection', 'end', 'on'].every(
      (method) => typeof Reflect.get(pool, method) === 'function',
    )
  );
}

/**
 * A proof for `RotatingSecret` that opens one connection to MySQL or MariaDB with the new value and closes it.
 *
 * An application that needs more than a login (a second database, a table) proves that in a function of its own.
 */
export function proveMysqlLogin(
  mysql: MysqlModule<object, MysqlSettings>,
  options: MysqlSettings = {},
): (value: SecretMembers) => Promise<void> {
  return (value) =>
    tryLogin(mysql, { ...mysqlAddress(value), connectTimeout: 5_000, ...options, ...memberLogin(value) });
}

/** Logs in, and out again: a pool of one connection, since both modules make pools alike. */
async function tryLogin<Settings extends object>(
  mysql: MysqlModule<object, Settings>,
  settings: Settings,
): Promise<void> {
  const pool = corePoolOf(mysql.createPool({ ...settings, connectionLimit: 1 }));
  try {
    await new Promise<void>((resolve, reject) => {
      pool.getConnection((error) => (error === null ? resolve() : reject(asError(error))));
    });
  } finally {
    await new Promise<void>((resolve) => pool.end(() => resolve()));
  }
}
