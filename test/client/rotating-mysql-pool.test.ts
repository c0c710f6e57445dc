import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ClientEvent } from '../../client/client-event';
import { RefreshResponder } from '../../client/refresh-responder';
import { proveMysqlLogin, rotatingMysqlPool } from '../../client/rotating-mysql-pool';
import { RotatingSecret } from '../../client/rotating-secret';
import { type MysqlServer, startMysql } from '../../local/targets/mysql';
import { FakeEventBus } from './fake-event-bus';
import { FakeSecretsManager } from './fake-secrets-manager';
import { gateBefore } from './gate';
import { patientClock, patientConnectMs as connectTimeout } from './patient-clock';
import { refreshEvent } from './refresh-event';

let server: MysqlServer;
let admin: mysql.Connection;

beforeAll(async () => {
  server = await startMysql();
  const { host, port, superuser: user, password } = server;
  admin = await mysql.createConnection({ host, port, user, password, connectTimeout });
  await admin.query('CREATE DATABASE shop');
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

const newPassword = () => randomBytes(12).toString('base64url');

/** An application on two users of its own, which serves v1 as the first of them. */
async function prepare(name: string, address: { readonly port?: number } = {}) {
  const users = [name, `${name}_clone`] as const;
  const passwords = [newPassword(), newPassword()] as const;
  for (const [index, user] of users.entries()) {
    await admin.query('CREATE USER ?@? IDENTIFIED BY ?', [user, '%', passwords[index] ?? '']);
    await admin.query('GRANT ALL ON shop.* TO ?@?', [user, '%']);
  }
  const aws = new FakeSecretsManager(patientClock);
  const value = (index: 0 | 1, password: string = passwords[index]) => ({
    engine: 'mysql',
    host: server.host,
    port: server.port,
    dbname: 'shop',
    username: users[index],
    password,
  });
  aws.put('v1', value(0), 'AWSCURRENT');
  const events: ClientEvent[] = [];
  const on = (event: ClientEvent) => void events.push(event);
  const secret = RotatingSecret.json({
    secretId: 'shop/db',
    secretsManager: aws,
    // No look of its own comes between those that are counted.
    maxAgeSeconds: 600,
    clock: patientClock,
    prove: proveMysqlLogin(mysql, { connectTimeout }),
    on,
  });
  const bus = new FakeEventBus();
  const responder = new RefreshResponder({
    consumer: 'orders',
    secret,
    instances: 'one',
    eventBridge: bus,
    on,
  });
  const pool = await rotatingMysqlPool(mysql, secret, { connectionLimit: 5, connectTimeout, ...address });
  return { users, passwords, aws, value, secret, pool, bus, responder, events };
}

async function whoami(from: Pick<mysql.Pool, 'query'>): Promise<string> {
  const [rows] = await from.query<mysql.RowDataPacket[]>("SELECT substring_index(user(), '@', 1) AS name");
  return String(rows[0]?.['name']);
}

/** Waits for something that the server does in its own time. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not become so within a minute');
    await delay(20);
  }
}

async function sessionsOf(user: string): Promise<number> {
  const [rows] = await admin.query<mysql.RowDataPacket[]>(
    'SELECT count(*) AS count FROM information_schema.processlist WHERE user = ?',
    [user],
  );
  return Number(rows[0]?.['count']);
}

const lock = (user: string) => admin.query('ALTER USER ?@? ACCOUNT LOCK', [user, '%']);

describe('rotatingMysqlPool on a real MariaDB', () => {
  test('goes through rotations between two users without a failed query or a refused login', async () => {
    const { users, aws, value, pool, bus, responder, events } = await prepare('walk');
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);
    const state = { running: true };
    let queries = 0;
    const failures: unknown[] = [];
    const seen = new Set<string>();
    const load = Array.from({ length: 8 }, async () => {
      while (state.running) {
        try {
          seen.add(await whoami(pool));
          queries++;
        } catch (error) {
          failures.push(error);
        }
        await delay(1);
      }
    });
    for (let rotation = 0; rotation < 4; rotation++) {
      const [index, old] = rotation % 2 === 0 ? ([1, 0] as const) : ([0, 1] as const);
      const password = newPassword();
      await admin.query('ALTER USER ?@? IDENTIFIED BY ? ACCOUNT UNLOCK', [users[index], '%', password]);
      aws.put(`r${rotation}`, value(index, password), 'AWSCURRENT');
      const detail = { taskToken: `t${rotation}`, rotationId: `r${rotation}` };
      const answered = await responder.handleRefreshRequest(refreshEvent(Date.now(), detail));
      expect(answered).toEqual({ outcome: 'loaded', versionId: `r${rotation}` });
      await until(async () => (await sessionsOf(users[old])) === 0);
      await lock(users[old]);
      const before = queries;
      await until(() => queries > before + 2);
    }
    state.running = false;
    await Promise.all(load);
    await pool.end();
    process.off('warning', onWarning);
    expect(failures).toEqual([]);
    expect(warnings).toEqual([]);
    expect(queries).toBeGreaterThan(10);
    expect(seen).toEqual(new Set(users));
    expect(bus.outcomes).toEqual(['loaded', 'loaded', 'loaded', 'loaded']);
    expect(events.filter(({ type }) => type.endsWith('failed') || type.endsWith('refused'))).toEqual([]);
    // Connections are closed with a word; what just goes away is written down by the server.
    expect(await server.logText()).not.toMatch(/Aborted connection|Access denied for user 'walk/);
  });

  test('acknowledges nothing while a connection logs in with the version before', async () => {
    const gate = await gateBefore(server);
    const { users, aws, value, pool, responder } = await prepare('late', { port: gate.port });
    const query = whoami(pool);
    await delay(50);
    aws.put('v2', value(1), 'AWSCURRENT');
    const state = { answered: false };
    const answered = responder.handleRefreshRequest(refreshEvent(Date.now())).then(async () => {
      state.answered = true;
      await admin.query('ALTER USER ?@? ACCOUNT LOCK', [users[0], '%']);
    });
    await delay(200);
    expect(state.answered).toBe(false);
    gate.open();
    expect(await query).toBe(users[0]);
    await answered;
    await pool.end();
    gate.close();
  });

  test('answers a refused login with the current version before the application sees an error', async () => {
    const { users, aws, value, pool } = await prepare('stale');
    aws.put('v2', value(1), 'AWSCURRENT');
    await lock(users[0]);
    const names = await Promise.all(Array.from({ length: 12 }, () => whoami(pool)));
    expect(new Set(names)).toEqual(new Set([users[1]]));
    // One for the first look, one for all the refusals.
    expect(aws.reads.filter((stage) => stage === 'AWSCURRENT')).toHaveLength(2);
    await pool.end();
  });

  test('bridges the gap of a single user by AWSPENDING', async () => {
    const { users, aws, value, pool, events } = await prepare('gap');
    const password = newPassword();
    aws.put('v2', value(0, password), 'AWSPENDING');
    await admin.query('ALTER USER ?@? IDENTIFIED BY ?', [users[0], '%', password]);
    expect(await whoami(pool)).toBe(users[0]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'version-served', stage: 'AWSPENDING' }));
    await pool.end();
  });

  test('gives the refusal to the application where nothing works, and loses no place in the pool', async () => {
    const { users, pool, passwords } = await prepare('dead');
    await lock(users[0]);
    for (let round = 0; round < 4; round++) {
      const ends = await Promise.allSettled(Array.from({ length: 8 }, () => pool.getConnection()));
      expect(ends.map((end) => end.status === 'rejected' && (end.reason as { errno: number }).errno)).toEqual(
        Array.from({ length: 8 }, () => 4151),
      );
      expect(JSON.stringify(ends)).not.toContain(passwords[0]);
    }
    await admin.query('ALTER USER ?@? ACCOUNT UNLOCK', [users[0], '%']);
    expect(await whoami(pool)).toBe(users[0]);
    await pool.end();
  });

  test('leaves a transaction under way alone, and closes its connection when it is released', async () => {
    const { users, aws, value, pool, responder } = await prepare('busy');
    const connection = await pool.getConnection();
    await connection.beginTransaction();
    aws.put('v2', value(1), 'AWSCURRENT');
    await responder.handleRefreshRequest(refreshEvent(Date.now()));
    expect(await whoami(connection)).toBe(users[0]);
    await connection.commit();
    expect(await sessionsOf(users[0])).toBe(1);
    connection.release();
    await until(async () => (await sessionsOf(users[0])) === 0);
    expect(await whoami(pool)).toBe(users[1]);
    await pool.end();
  });

  test('serves those who wait for a place when outdated connections are closed', async () => {
    const { users, aws, value, pool, responder } = await prepare('queue');
    const held = await Promise.all(Array.from({ length: 5 }, () => pool.getConnection()));
    const waiting = Array.from({ length: 3 }, () => whoami(pool));
    aws.put('v2', value(1), 'AWSCURRENT');
    await responder.handleRefreshRequest(refreshEvent(Date.now()));
    for (const connection of held) connection.release();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set([users[1]]));
    await until(async () => (await sessionsOf(users[0])) === 0);
    await pool.end();
  });

  test('keeps its connections while the new version cannot log in', async () => {
    const { users, aws, value, pool, secret, events } = await prepare('wary');
    await whoami(pool);
    aws.put('v2', value(1, 'not-the-password'), 'AWSCURRENT');
    await secret.refresh();
    await until(() => events.some(({ type }) => type === 'hook-failed'));
    expect(await whoami(pool)).toBe(users[0]);
    await pool.end();
  });

  test('serves callbacks, execute and streams as mysql2 does', async () => {
    const { users, secret } = await prepare('calls');
    const pool = await rotatingMysqlPool(mysqlCallbacks, secret, { connectTimeout });
    const name = await new Promise<unknown>((resolve, reject) => {
      pool.execute<mysqlCallbacks.RowDataPacket[]>('SELECT ? AS n', ['x'], (error, rows) =>
        error === null ? resolve(rows[0]?.['n']) : reject(error),
      );
    });
    expect(name).toBe('x');
    const rows = await pool.query("SELECT substring_index(user(), '@', 1) AS name").stream().toArray();
    expect(rows).toEqual([{ name: users[0] }]);
    expect(await whoami(pool.promise())).toBe(users[0]);
    await new Promise<void>((resolve) => pool.end(() => resolve()));
  });

  test('refuses a secret that lacks a member, by the name of that member', async () => {
    const { aws, value } = await prepare('lacks');
    const { password: _, ...rest } = value(0);
    aws.put('v2', { ...value(0), port: 'none' }, 'AWSCURRENT');
    const secret = RotatingSecret.json({ secretId: 'shop/db', secretsManager: aws });
    await expect(rotatingMysqlPool(mysql, secret, {})).rejects.toMatchObject({
      name: 'SecretUnreadable',
      message: 'member port of the secret is not a port number',
    });
    aws.put('v3', rest, 'AWSCURRENT');
    await secret.refresh();
    await expect(rotatingMysqlPool(mysql, secret, {})).rejects.toMatchObject({ name: 'SecretUnreadable' });
  });

  test('never connects in the clear where the secret asks for TLS', async () => {
    const { aws, value, secret } = await prepare('clear');
    aws.put('v2', { ...value(0), ssl: true }, 'AWSCURRENT');
    await secret.refresh();
    const pool = await rotatingMysqlPool(mysql, secret, { connectTimeout });
    await expect(whoami(pool)).rejects.toMatchObject({ code: 'HANDSHAKE_NO_SSL_SUPPORT' });
    await pool.end();
  });

  test('refuses a module that makes something else', async () => {
    const { secret } = await prepare('other');
    await expect(rotatingMysqlPool({ createPool: () => ({}) }, secret, {})).rejects.toMatchObject({
      name: 'DriverUnsupported',
    });
  });
});

describe('proveMysqlLogin on a real MariaDB', () => {
  test.each([
    ['mysql2/promise', mysql],
    ['mysql2', mysqlCallbacks],
  ])('with %s lets a refused login be a refusal that names the cause and no password', async (_, module) => {
    const { users, value } = await prepare(`prove${_.length}`);
    const prove = proveMysqlLogin(module, { connectTimeout });
    await prove(value(0));
    const refusal: unknown = await prove(value(1, 'the-wrong-password')).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ errno: 1045, message: expect.stringContaining(users[1]) as string });
    expect(JSON.stringify(refusal)).not.toContain('the-wrong-password');
  });
});
