import { asError, DriverUnsupported } from './errors';
import { type PostgresAddress, postgresAddress, postgresLogin } from './postgres-login';
import { RefusedLogins } from './refused-logins';
import type { NewVersion, RotatingSecret } from './rotating-secret';
import type { SecretMembers } from './secret-version';

/** What the pool needs of `pg.Client`. */
export interface PostgresClient {
  connect(callback: (error: Error | null | undefined) => void): void;
  end(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What it needs of a client that a pool has handed out. */
export interface PooledClient {
  release(destroy?: Error | boolean): void;
}

/** What it needs of `pg.Pool`. */
export interface PostgresPool {
  readonly idleCount: number;
  readonly ending: boolean;
  connect(
    callback: (
      error: Error | undefined,
      client: PooledClient | undefined,
      done: (destroy?: Error | boolean) => void,
    ) => void,
  ): void;
}

/** What is passed on to every connection. */
export interface ConnectionSettings extends PostgresAddress {
  readonly user?: string;
  readonly password?: string;
  readonly connectionTimeoutMillis?: number;
}

/** The module `pg`, as far as it is used; this client does not depend on it. */
export interface PostgresModule<Pool, Client, Options> {
  readonly Pool: new (config: Options & PostgresAddress & { readonly Client: new () => Client }) => Pool;
  readonly Client: new (config?: ConnectionSettings) => Client;
}

type Checkout<Client> = (
  error: Error | undefined,
  client?: Client,
  done?: (destroy?: unknown) => void,
) => void;

/**
 * A `pg.Pool` whose every new connection logs in as the secret says at that moment: user and password, for both
 * change with alternating users.
 *
 * Address and TLS come from the secret when the pool is made, unless `options` has them; `options` are those of
 * `pg.Pool`. A refused login is repeated with what `RotatingSecret.onRefused` finds, before the application sees an
 * error. When a new version is served, it is tried once, and then connections of older versions are closed: idle
 * ones at once, others when they are released. Queries and transactions under way are not touched.
 */
export async function rotatingPool<
  Pool extends PostgresPool,
  Client extends PostgresClient,
  Options extends object,
>(pg: PostgresModule<Pool, Client, Options>, secret: RotatingSecret, options: Options): Promise<Pool> {
  const logins = new Logins(secret);
  const address = postgresAddress((await secret.get()).value);
  const settings = { ...address, ...options };
  const RotatingClient = logins.follow(pg.Client);
  const pool = new pg.Pool({ ...settings, Client: RotatingClient });
  // Both the promises and the callbacks of pg.Pool, its query included, begin with this method.
  const connect = pool.connect.bind(pool);
  Object.defineProperty(pool, 'connect', {
    configurable: true,
    writable: true,
    value: (callback?: Checkout<PooledClient>) => {
      const checkout = logins.checkOut(connect);
      if (callback === undefined) return checkout;
      checkout.then(
        // Outside of the promise: what a callback throws is the application's, as with pg.Pool itself.
        (client) =>
          queueMicrotask(() =>
            callback(undefined, client, (destroy) =>
              client.release(destroy === true || destroy instanceof Error ? destroy : undefined),
            ),
          ),
        (error: unknown) => queueMicrotask(() => callback(asError(error), undefined, () => undefined)),
      );
      return undefined;
    },
  });
  const stop = secret.onNewVersion(async (change) => {
    if (pool.ending) {
      stop();
      return;
    }
    if (!change.proven) await tryLogin(new RotatingClient(settings));
    logins.moveTo(change);
    for (let idle = pool.idleCount; idle > 0; idle--)
      connect((_error, client) => client?.release(logins.isOutdated(client)));
  });
  return pool;
}

/** Which version each connection has logged in with. */
class Logins {
  private readonly versions = new WeakMap<object, string>();
  private readonly refused: RefusedLogins;
  private newest: string | undefined;

  constructor(private readonly secret: RotatingSecret) {
    this.refused = new RefusedLogins(secret);
  }

  moveTo({ version }: NewVersion<SecretMembers>): void {
    this.newest = version.versionId;
  }

  isOutdated(client: object): boolean {
    const version = this.versions.get(client);
    return this.newest !== undefined && version !== undefined && version !== this.newest;
  }

  /** The driver's class, with clients that look up whom to log in as when they connect. */
  follow<Client extends PostgresClient>(
    base: new (config?: ConnectionSettings) => Client,
  ): new (config?: ConnectionSettings) => Client {
    return new Proxy(base, {
      construct: (target, [config]: readonly (ConnectionSettings | undefined)[]) => {
        const client = new target(config);
        const connect = client.connect.bind(client);
        Object.defineProperty(client, 'connect', {
          configurable: true,
          writable: true,
          value: (callback?: (error?: Error) => void) => {
            const connected = this.logIn(client, connect);
            if (callback === undefined) return connected.then(() => client);
            connected.then(
              () => queueMicrotask(() => callback()),
              (error: unknown) => queueMicrotask(() => callback(asError(error))),
            );
            return undefined;
          },
        });
        return client;
      },
    });
  }

  /** A connection from the pool; again, as long as its login is refused and the secret knows another one. */
  async checkOut(connect: PostgresPool['connect']): Promise<PooledClient> {
    return this.drainOnRelease(await this.refused.repeat(() => checkOutOnce(connect)));
  }

  private async logIn(client: PostgresClient, connect: PostgresClient['connect']): Promise<void> {
    const { versionId, value } = await this.secret.get();
    setLogin(client, postgresLogin(value));
    this.versions.set(client, versionId);
    const login = new Promise<void>((resolve, reject) => {
      connect((error) => {
        if (error === null || error === undefined) {
          resolve();
          return;
        }
        this.refused.note(error, versionId);
        reject(error);
      });
    });
    await this.secret.duringLogin(versionId, login);
  }

  private drainOnRelease(client: PooledClient): PooledClient {
    const release = client.release.bind(client);
    client.release = (destroy) =>
      release(destroy instanceof Error || destroy === true ? destroy : this.isOutdated(client));
    return client;
  }
}

function checkOutOnce(connect: PostgresPool['connect']): Promise<PooledClient> {
  return new Promise((resolve, reject) => {
    connect((error, client) => {
      if (client !== undefined) resolve(client);
      else reject(error ?? new Error('the pool handed out nothing'));
    });
  });
}

/** Logs in, and out again. */
async function tryLogin(client: PostgresClient): Promise<void> {
  client.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    client.connect((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
  await client.end();
}

/**
 * Sets whom a client logs in as. `pg` takes a password from a function, but a user only when the client is made, and
 * a pool makes clients whenever it likes; `connectionParameters` is where it keeps both until it connects.
 */
function setLogin(client: PostgresClient, login: { readonly user: string; readonly password: string }): void {
  const parameters: unknown = Reflect.get(client, 'connectionParameters');
  if (typeof parameters !== 'object' || parameters === null || !('user' in parameters))
    throw new DriverUnsupported('this version of pg has no connectionParameters.user');
  Object.assign(parameters, login);
  Object.assign(client, login);
}

/**
 * A proof for `RotatingSecret` that opens one connection to PostgreSQL with the new value and closes it.
 *
 * An application that needs more than a login (a second database, a table) proves that in a function of its own.
 */
export function proveLogin(
  pg: { readonly Client: new (config?: ConnectionSettings) => PostgresClient },
  options: ConnectionSettings = {},
): (value: SecretMembers, signal: AbortSignal) => Promise<void> {
  return async (value, signal) => {
    const client = new pg.Client({
      ...postgresAddress(value),
      connectionTimeoutMillis: 5_000,
      ...options,
      ...postgresLogin(value),
    });
    // When the attempt has run out of time, nobody waits for the connection any more.
    signal.addEventListener('abort', () => void client.end().catch(() => undefined), { once: true });
    await tryLogin(client);
  };
}
