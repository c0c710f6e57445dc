import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import type { PostgresTarget } from '../../../local/targets/postgres-target';
import type { ApplicationSession } from '../../../local/targets/target';
import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { asAdmin } from '../../../rotators/postgres/connection';
import { alternatingDefinition } from '../../../rotators/postgres/definition';
import { watchSessions } from '../../../rotators/postgres/sessions';
import { rotators } from '../../../rotators/registry';
import type { Usage } from '../../../rotators/rotator';
import { contextFor, inGoodTime, membersOf, newVersion, rejection } from '../context';

/** By how much two clocks may differ that are read to the millisecond. */
const roundingMs = 2;

describe('watching the sessions of a PostgreSQL user', () => {
  let targets: PostgresTargets;
  let target: PostgresTarget;

  beforeAll(async () => {
    targets = await startPostgresTargets({});
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision({ adminArn: 'arn:of:admin' });
  });

  /** Watches on a clock that only pauses move, and runs one of the steps in each pause. */
  async function watch(
    watchMs: number,
    steps: readonly (() => Promise<void>)[],
    since = new Date(0),
  ): Promise<{ usage: Usage; pauses: readonly number[] }> {
    const secret = alternatingDefinition.secret.parse(JSON.parse(target.secret));
    const context = {
      admin: alternatingDefinition.admin.parse(JSON.parse(target.admin)),
      readAdminAgain: undefined,
      settings: {},
      signal: inGoodTime(),
      password: () => '',
    };
    const pauses: number[] = [];
    let now = 0;
    const usage = await asAdmin(secret, [], context, (session) =>
      watchSessions(session, secret.username, { since, watchMs }, context.signal, {
        now: () => now,
        pause: async (ms) => {
          await steps[pauses.length]?.();
          pauses.push(ms);
          now += ms;
        },
      }),
    );
    return { usage, pauses };
  }

  test('looks are at most half a second apart, and the last one is taken when the time is up', async () => {
    const { usage, pauses } = await watch(1_200, []);
    expect(pauses).toEqual([500, 500, 200]);
    expect(usage).toEqual({ begun: [], open: [], looks: 4 });
  });

  test('two looks are taken even if there is no time to watch', async () => {
    expect((await watch(0, [])).usage.looks).toBe(2);
  });

  test('a login that ended between two looks is remembered', async () => {
    let session: ApplicationSession;
    const { usage } = await watch(1_500, [
      async () => void (session = await target.login(target.secret, 'hasty')),
      async () => {
        await session.close();
        await gone(targets, 'hasty');
      },
    ]);
    expect(usage.begun).toMatchObject([{ application: 'hasty', clientAddress: '127.0.0.1', count: 1 }]);
    expect(usage.open).toEqual([]);
  });

  test('a session that was open before and has ended counts no more', async () => {
    const session = await target.login(target.secret, 'pooled');
    const { usage } = await watch(
      500,
      [
        async () => {
          await session.close();
          await gone(targets, 'pooled');
        },
      ],
      new Date(Date.now() + 60_000),
    );
    expect(usage).toMatchObject({ begun: [], open: [] });
  });

  test('sessions are counted by application, with the oldest and the youngest', async () => {
    const sessions = [];
    for (const name of ['web', 'web', 'mail']) sessions.push(await target.login(target.secret, name));
    const { usage } = await watch(0, []);
    expect(usage.begun.map(({ application, count }) => `${application ?? ''} ${count}`).sort()).toEqual([
      'mail 1',
      'web 2',
    ]);
    for (const { oldestBegan, newestBegan } of usage.begun)
      expect(Date.parse(newestBegan ?? '')).toBeGreaterThanOrEqual(Date.parse(oldestBegan ?? ''));
    for (const session of sessions) await session.close();
  });

  test('how long the oldest has been open is said by the server’s own clock', async () => {
    const before = Date.now();
    const session = await target.login(target.secret, 'pooled');
    const after = Date.now();
    for (let seconds = 0; seconds < 1;) {
      const least = Date.now() - after;
      const [seen] = (await watch(0, [], new Date(Date.now() + 60_000))).usage.open;
      const most = Date.now() - before;
      expect(seen).toMatchObject({ application: 'pooled' });
      seconds = seen?.openSeconds ?? Number.NaN;
      expect(seconds).toBeGreaterThanOrEqual(Math.floor((least - roundingMs) / 1_000));
      expect(seconds).toBeLessThanOrEqual(Math.floor((most + roundingMs) / 1_000));
      expect(Date.now() - Date.parse(seen?.oldestBegan ?? '')).toBeGreaterThanOrEqual(
        seconds * 1_000 - roundingMs,
      );
      await pause(50);
    }
    await session.close();
  });

  describe('ending them', () => {
    const rotator = rotators['postgres-alternating'];
    const end = () => rotator.end(target.secret, contextFor(target));
    const username = () => String(membersOf(target.secret)['username']);

    /** Moves to the clone, and stops the first user. */
    async function retireFirst(): Promise<void> {
      const context = contextFor(target);
      const to = await rotator.create(target.secret, context, newVersion());
      await rotator.apply({ from: target.secret, to }, context, {});
      await rotator.retire({ from: target.secret, to }, context);
    }

    /** A session of the first user that has run the statements; `lost` resolves when the server ends it. */
    async function busy(application: string, ...statements: readonly string[]) {
      const { host, port, dbname, password } = alternatingDefinition.secret.parse(JSON.parse(target.secret));
      const client = new Client({
        host,
        port: Number(port),
        database: String(dbname),
        user: username(),
        password,
        application_name: application,
      });
      const lost = new Promise<void>((resolve) => client.once('end', resolve));
      client.on('error', () => undefined);
      await client.connect();
      for (const statement of statements) await client.query(statement);
      return { client, lost };
    }

    test('a running statement, an open transaction and a changed role are no way out', async () => {
      const other = await targets.provision();
      const name = String(membersOf(other.secret)['username']);
      await targets.asSuperuser(`grant "${name}" to "${username()}"`);
      const sessions = [
        await busy('transaction', 'begin', 'select count(*) from orders', 'lock orders'),
        await busy('as another', `set role "${name}"`),
        await busy('statement'),
      ];
      const sleeping = rejection(sessions[2]?.client.query('select pg_sleep(600)') ?? Promise.resolve());
      const bystander = await other.login(other.secret, 'bystander');
      await retireFirst();
      const ended = await end();
      expect(ended.map(({ application }) => application).sort()).toEqual([
        'as another',
        'statement',
        'transaction',
      ]);
      for (const { lost } of sessions) await lost;
      expect((await sleeping).message).toMatch(/terminating connection/);
      await bystander.work();
      await bystander.close();
    });

    test('without pg_signal_backend it is refused by name, with the grant, and the stopped user stays stopped', async () => {
      const admin = String(membersOf(target.admin)['username']);
      await targets.asSuperuser(`revoke pg_signal_backend from "${admin}"`);
      const session = await target.login(target.secret, 'left');
      await retireFirst();
      const refusal = await rejection(end());
      expect(refusal.name).toBe('PermissionMissing');
      expect(refusal.message).toContain('grant it pg_signal_backend');
      await session.work();
      expect(await target.live()).toBe(1);
      await targets.asSuperuser(`grant pg_signal_backend to "${admin}"`);
      expect(await end()).toMatchObject([{ application: 'left', count: 1 }]);
      await rejection(session.work());
    });
  });
});

/** Waits until the server has taken notice of a session's end. */
async function gone(targets: PostgresTargets, application: string): Promise<void> {
  for (;;) {
    const rows = await targets.asSuperuser(
      `select 1 from pg_stat_activity where application_name = '${application}'`,
    );
    if (rows.length === 0) return;
  }
}
