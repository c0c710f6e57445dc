import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { ClientEvent } from '../../client/client-event';
import { RefreshResponder } from '../../client/refresh-responder';
import { proveLogin, rotatingPool } from '../../client/rotating-pool';
import { RotatingSecret } from '../../client/rotating-secret';
import { type PostgresServer, startPostgres } from '../../local/targets/postgres';
import { FakeEventBus } from './fake-event-bus';
import { FakeSecretsManager } from './fake-secrets-manager';
import { gateBefore } from './gate';
import { patientClock, patientConnectMs } from './patient-clock';
import { refreshEvent } from './refresh-event';

let server: PostgresServer;
let admin: pg.Client;

beforeAll(async () => {
  server = await startPostgres();
  admin = new pg.Client({
    host: server.host,
    port: server.port,
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await admin.connect();
});

afterAll(async () => {
  await admin.end();
  await server.stop();
});

const newPassword = () => randomBytes(12).toString('base64url');

/** An application on two users of its own, which serves v1 as the first of them. */
async function prepare(name: string, options: pg.PoolConfig = {}) {
  const users = [name, `${name}_clone`] as const;
  const passwords = [newPassword(), newPassword()] as const;
  for (const [index, user] of users.entries())
    await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD '${passwords[index] ?? ''}'`);
  const aws = new FakeSecretsManager(patientClock);
  const value = (index: 0 | 1, password: string = passwords[index]) => ({
    engine: 'postgres',
    host: server.host,
    port: server.port,
    dbname: 'postgres',
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
    prove: proveLogin(pg, { connectionTimeoutMillis: patientConnectMs }),
    on,
  });
  // An idle connection is closed by the client, and by nothing else.
  const pool = await rotatingPool(pg, secret, { max: 5, idleTimeoutMillis: 0, ...options });
  pool.on('error', (error) => events.push({ type: 'hook-failed', error: error.name }));
  const bus = new FakeEventBus();
  const responder = new RefreshResponder({
    consumer: 'orders',
    secret,
    instances: 'one',
    eventBridge: bus,
    on,
  });
  return { users, passwords, aws, value, secret, pool, bus, responder, events };
}

const whoami = 'SELECT session_user AS name';

/** Waits for something that the server does in its own time. */
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not become so within a minute');
    await delay(20);
  }
}

async function sessionsOf(user: string): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = $1',
    [user],
  );
  return rows[0]?.count ?? -1;
}

async function refusalsOf(user: string): Promise<number> {
  const log = await server.logText();
  return log.split('\n').filter((line) => line.includes('FATAL') && line.includes(`"${user}"`)).length;
}

describe('rotatingPool on a real PostgreSQL', () => {
  test('goes through rotations between two users without a failed query or a refused login', async () => {
    const { users, aws, value, pool, bus, responder, events } = await prepare('walk');
    const state = { running: true };
    let queries = 0;
    const failures: unknown[] = [];
    const seen = new Set<string>();
    const load = Array.from({ length: 8 }, async () => {
      while (state.running) {
        try {
          const { rows } = await pool.query<{ name: string }>(whoami);
          seen.add(rows[0]?.name ?? '');
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
      await admin.query(`ALTER ROLE ${users[index]} LOGIN PASSWORD '${password}'`);
      aws.put(`r${rotation}`, value(index, password), 'AWSCURRENT');
      const detail = { taskToken: `t${rotation}`, rotationId: `r${rotation}` };
      const answered = await responder.handleRefreshRequest(refreshEvent(Date.now(), detail));
      expect(answered).toEqual({ outcome: 'loaded', versionId: `r${rotation}` });
      await admin.query(`ALTER ROLE ${users[old]} NOLOGIN`);
      await until(async () => (await sessionsOf(users[old])) === 0);
      const before = queries;
      await until(() => queries > before + 2);
    }
    state.running = false;
    await Promise.all(load);
    await pool.end();
    expect(failures).toEqual([]);
    expect(queries).toBeGreaterThan(10);
    expect(seen).toEqual(new Set(users));
    expect(bus.outcomes).toEqual(['loaded', 'loaded', 'loaded', 'loaded']);
    expect(events.filter(({ type }) => type.endsWith('failed') || type.endsWith('refused'))).toEqual([]);
    expect((await refusalsOf(users[0])) + (await refusalsOf(users[1]))).toBe(0);
  });

  test('acknowledges nothing while a connection logs in with the version before', async () => {
    const gate = await gateBefore(server);
    const { users, aws, value, pool, responder } = await prepare('late', { port: gate.port });
    const query = pool.query<{ name: string }>(whoami);
    await until(() => pool.totalCount === 1);
    aws.put('v2', value(1), 'AWSCURRENT');
    const state = { answered: false };
    const answered = responder.handleRefreshRequest(refreshEvent(Date.now())).then(async () => {
      state.answered = true;
      await admin.query(`ALTER ROLE ${users[0]} NOLOGIN`);
    });
    await delay(200);
    expect(state.answered).toBe(false);
    gate.open();
    expect((await query).rows).toEqual([{ name: users[0] }]);
    await answered;
    expect(await refusalsOf(users[0])).toBe(0);
    await pool.end();
    gate.close();
  });

  test('answers a refused login with the current version before the application sees an error', async () => {
    const { users, aws, value, pool } = await prepare('stale');
    aws.put('v2', value(1), 'AWSCURRENT');
    await admin.query(`ALTER ROLE ${users[0]} NOLOGIN`);
    const results = await Promise.all(Array.from({ length: 5 }, () => pool.query<{ name: string }>(whoami)));
    expect(new Set(results.map(({ rows }) => rows[0]?.name))).toEqual(new Set([users[1]]));
    // One for the first look, one for all five refusals.
    expect(aws.reads.filter((stage) => stage === 'AWSCURRENT')).toHaveLength(2);
    await pool.end();
  });

  test('bridges the gap of a single user by AWSPENDING', async () => {
    const { users, aws, value, pool, events } = await prepare('gap');
    const password = newPassword();
    aws.put('v2', value(0, password), 'AWSPENDING');
    await admin.query(`ALTER ROLE ${users[0]} PASSWORD '${password}'`);
    expect((await pool.query(whoami)).rows).toEqual([{ name: users[0] }]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'version-served', stage: 'AWSPENDING' }));
    await pool.end();
  });

  test('gives the refusal to the application where nothing works', async () => {
    const { users, pool } = await prepare('dead');
    await admin.query(`ALTER ROLE ${users[0]} NOLOGIN`);
    await expect(pool.query(whoami)).rejects.toMatchObject({ code: '28000' });
    await expect(pool.connect()).rejects.toMatchObject({ code: '28000' });
    const answer = await new Promise<unknown>((resolve) => pool.connect((error) => resolve(error)));
    expect(answer).toMatchObject({ code: '28000' });
    expect(pool.totalCount).toBe(0);
    await pool.end();
  });

  test('leaves a transaction under way alone, and closes its connection when it is released', async () => {
    const { users, aws, value, pool, responder } = await prepare('busy');
    const client = await pool.connect();
    await client.query('BEGIN');
    aws.put('v2', value(1), 'AWSCURRENT');
    await responder.handleRefreshRequest(refreshEvent(Date.now()));
    expect((await client.query(whoami)).rows).toEqual([{ name: users[0] }]);
    await client.query('COMMIT');
    expect(await sessionsOf(users[0])).toBe(1);
    client.release();
    await until(async () => (await sessionsOf(users[0])) === 0);
    expect((await pool.query(whoami)).rows).toEqual([{ name: users[1] }]);
    await pool.end();
  });

  test('keeps its connections while the new version cannot log in', async () => {
    const { users, aws, value, pool, secret, events } = await prepare('wary');
    await pool.query(whoami);
    aws.put('v2', value(1, 'not-the-password'), 'AWSCURRENT');
    await secret.refresh();
    await until(() => events.some(({ type }) => type === 'hook-failed'));
    expect((await pool.query(whoami)).rows).toEqual([{ name: users[0] }]);
    await pool.end();
  });

  test('serves callbacks as pg.Pool does', async () => {
    const { users, pool } = await prepare('calls');
    const rows = await new Promise<unknown>((resolve, reject) => {
      pool.query(whoami, (error: Error | undefined, result) =>
        error ? reject(error) : resolve(result.rows),
      );
    });
    expect(rows).toEqual([{ name: users[0] }]);
    const released = await new Promise<number>((resolve, reject) => {
      pool.connect((error, client, done) => {
        if (error || client === undefined) {
          reject(error ?? new Error('no client'));
          return;
        }
        done();
        resolve(pool.idleCount);
      });
    });
    expect(released).toBe(1);
    await pool.end();
  });

  test('refuses a secret that lacks a member, by the name of that member', async () => {
    const { aws, value } = await prepare('lacks');
    const { password: _, ...rest } = value(0);
    aws.put('v2', { ...rest, port: 'none' }, 'AWSCURRENT');
    const secret = RotatingSecret.json({ secretId: 'shop/db', secretsManager: aws });
    await expect(rotatingPool(pg, secret, {})).rejects.toMatchObject({
      name: 'SecretUnreadable',
      message: 'member port of the secret is not a port number',
    });
    aws.put('v3', rest, 'AWSCURRENT');
    await secret.refresh();
    const pool = await rotatingPool(pg, secret, {});
    await expect(pool.query(whoami)).rejects.toMatchObject({
      message: 'member password of the secret is not a text, or empty',
    });
    await pool.end();
  });
});

describe('proveLogin on a real PostgreSQL', () => {
  test('lets a refused login be a refusal that names the cause and no password', async () => {
    const { aws, value, responder, bus, secret } = await prepare('prove');
    await secret.get();
    aws.put('v2', value(1, 'the-wrong-password'), 'AWSCURRENT');
    const answered = await responder.handleRefreshRequest(refreshEvent(Date.now()));
    expect(answered).toEqual({ outcome: 'refused', versionId: 'v2' });
    expect(bus.taken.map(({ ack }) => ack.reason)).toEqual([
      'error 28P01: password authentication failed for user "prove_clone"',
    ]);
    expect((await secret.get()).versionId).toBe('v1');
  });
});
