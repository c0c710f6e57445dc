import { setTimeout as pause } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import type { ApplicationSession } from '../../../local/targets/target';
import { startMysqlTargets, type MysqlTarget, type MysqlTargets } from '../../../local/targets/mysql-target';
import { asAdmin } from '../../../rotators/mysql/connection';
import { mysqlAlternatingDefinition } from '../../../rotators/mysql/definition';
import { watchSessions } from '../../../rotators/mysql/sessions';
import { rotators } from '../../../rotators/registry';
import type { Usage } from '../../../rotators/rotator';
import { contextFor, inGoodTime, membersOf, newVersion, rejection } from '../context';

describe('watching the sessions of a MariaDB user', () => {
  let targets: MysqlTargets;
  let target: MysqlTarget;

  beforeAll(async () => {
    targets = await startMysqlTargets();
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision({ adminArn: 'arn:of:admin' });
  });

  /** Watches on a clock that only pauses move, and runs one of the steps in each pause. */
  async function watch(
    watchMs: number,
    steps: readonly (() => Promise<void>)[],
  ): Promise<{ usage: Usage; pauses: readonly number[] }> {
    const secret = mysqlAlternatingDefinition.secret.parse(JSON.parse(target.secret));
    const context = {
      admin: mysqlAlternatingDefinition.admin.parse(JSON.parse(target.admin)),
      readAdminAgain: undefined,
      signal: inGoodTime(),
    };
    const pauses: number[] = [];
    let now = 0;
    const usage = await asAdmin(secret, [], context, (session) =>
      watchSessions(session, secret.username, { since: new Date(0), watchMs }, context.signal, {
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

  test('what was open before the watch is open, however busy it is; what logs in during the watch has begun', async () => {
    const old = await target.login(target.secret, 'pooled');
    let hasty: ApplicationSession | undefined;
    const before = Date.now();
    const { usage } = await watch(1_500, [
      async () => void (hasty = await target.login(target.secret, 'hasty')),
      () => old.work(),
    ]);
    expect(usage.begun).toMatchObject([{ application: 'hasty', clientAddress: '127.0.0.1', count: 1 }]);
    expect(Date.parse(usage.begun[0]?.newestBegan ?? '')).toBeGreaterThan(before - 2_000);
    // Neither server says when a session began, and a wrong time would be worse than none.
    expect(usage.open).toEqual([
      {
        application: 'pooled',
        clientAddress: '127.0.0.1',
        count: 1,
        newestBegan: null,
        oldestBegan: null,
        openSeconds: null,
      },
    ]);
    expect(usage.begun[0]?.openSeconds).toBeGreaterThanOrEqual(0);
    await old.close();
    await hasty?.close();
  });

  test('a login that ended between two looks is remembered, an old session that ended is not', async () => {
    const old = await target.login(target.secret, 'pooled');
    let hasty: ApplicationSession | undefined;
    const { usage } = await watch(1_500, [
      async () => void (hasty = await target.login(target.secret, 'hasty')),
      async () => {
        await old.close();
        await hasty?.close();
        await gone(targets, String(membersOf(target.secret)['username']));
      },
    ]);
    expect(usage).toMatchObject({ begun: [{ application: 'hasty' }], open: [] });
  });

  test('sessions are counted by application and address', async () => {
    const sessions: ApplicationSession[] = [];
    const { usage } = await watch(500, [
      async () => {
        for (const name of ['web', 'web', 'mail']) sessions.push(await target.login(target.secret, name));
      },
    ]);
    expect(usage.begun.map(({ application, count }) => `${application ?? ''} ${count}`).sort()).toEqual([
      'mail 1',
      'web 2',
    ]);
    for (const session of sessions) await session.close();
  });

  test('without the right to read what applications call themselves they are nameless', async () => {
    const admin = String(membersOf(target.admin)['username']);
    await targets.asSuperuser(`revoke select on performance_schema.session_connect_attrs from ${admin}`);
    const session = await target.login(target.secret, 'web');
    const { usage } = await watch(0, []);
    expect(usage.open).toMatchObject([{ application: null, clientAddress: '127.0.0.1' }]);
    await session.close();
  });

  test('without PROCESS usage and reset are refused by name, not answered with nobody', async () => {
    const rotator = rotators['mysql-alternating'];
    const context = contextFor(target);
    const create = () => rotator.create(target.secret, context, { versionId: 'next', others: [] });
    const to = await create();
    await rotator.apply({ from: target.secret, to }, context, {});
    await targets.asSuperuser(`revoke process on *.* from ${String(membersOf(target.admin)['username'])}`);
    const session = await target.login(to, 'web');
    for (const attempt of [
      () => rotator.usage(to, { since: new Date(0), watchMs: 0 }, context),
      async () =>
        rotator.apply({ from: target.secret, to: await create() }, context, { replacedAt: new Date(0) }),
    ]) {
      const refusal = await rejection(attempt());
      expect(refusal.name).toBe('PermissionMissing');
      expect(refusal.message).toContain('grant it PROCESS');
    }
    await session.close();
  });

  test('a user whose name differs in case alone is another one', async () => {
    const user = String(membersOf(target.secret)['username']);
    const other = await targets.provision({ user: user.toUpperCase() });
    const session = await other.login(other.secret, 'web');
    expect((await watch(0, [])).usage).toMatchObject({ begun: [], open: [] });
    await session.close();
  });

  test('a running event of the user is no session: nobody has logged in, and nothing is ended', async () => {
    const { username, dbname } = membersOf(target.secret);
    const [user, event] = [String(username), `${String(dbname)}.nap`];
    const running = () =>
      targets.asSuperuser(
        `select id from information_schema.processlist where user = '${user}' and info like '%sleep%'`,
      );
    await targets.asSuperuser(
      'set global event_scheduler = on',
      `grant event on ${String(dbname)}.* to ${user}`,
      `create definer=${user}@'%' event ${event} on schedule at now() do select sleep(600)`,
    );
    try {
      while ((await running()).length === 0) await pause(20);
      expect((await watch(0, [])).usage).toMatchObject({ begun: [], open: [] });
      const context = contextFor(target);
      const rotator = rotators['mysql-alternating'];
      const to = await rotator.create(target.secret, context, newVersion());
      await rotator.apply({ from: target.secret, to }, context, {});
      await rotator.retire({ from: target.secret, to }, context);
      expect(await rotator.end(target.secret, context)).toEqual([]);
      expect(await running()).toHaveLength(1);
    } finally {
      await targets.asSuperuser('set global event_scheduler = off');
      for (const { id } of await running()) await targets.asSuperuser(`kill ${String(id)}`);
    }
  });

  describe('ending them', () => {
    const rotator = rotators['mysql-alternating'];
    const end = () => rotator.end(target.secret, contextFor(target));
    const user = () => String(membersOf(target.secret)['username']);
    const admin = () => String(membersOf(target.admin)['username']);

    /** Moves to the clone, and stops the first user. */
    async function retireFirst(): Promise<void> {
      const context = contextFor(target);
      const to = await rotator.create(target.secret, context, newVersion());
      await rotator.apply({ from: target.secret, to }, context, {});
      await rotator.retire({ from: target.secret, to }, context);
    }

    test('a running statement and an open transaction are no way out, and a user in other letters is not touched', async () => {
      const other = await targets.provision({ user: user().toUpperCase() });
      const bystander = await other.login(other.secret, 'bystander');
      const { host, port, dbname, password } = mysqlAlternatingDefinition.secret.parse(
        JSON.parse(target.secret),
      );
      const open = async () => {
        const session = await createConnection({
          host,
          port: Number(port),
          database: String(dbname),
          user: user(),
          password,
        });
        session.on('error', () => undefined);
        return session;
      };
      const [running, waiting] = [await open(), await open()];
      await waiting.query('start transaction');
      await waiting.query(`insert into orders (item) values ('never committed')`);
      const slept = rejection(running.query('select sleep(600)'));
      await retireFirst();
      const ended = await end();
      expect(ended.reduce((sum, { count }) => sum + count, 0)).toBe(2);
      expect(ended.map(({ openSeconds }) => openSeconds)).toEqual(ended.map(() => null));
      await slept;
      await rejection(waiting.query('commit'));
      const [row] = await targets.asSuperuser(
        `select count(*) as n from ${String(dbname)}.orders where item = 'never committed'`,
      );
      expect(Number(row?.['n'])).toBe(0);
      await bystander.work();
      await bystander.close();
    });

    test('without CONNECTION ADMIN it is refused by name, with the grants, and the stopped user stays stopped', async () => {
      await targets.asSuperuser(`revoke connection admin on *.* from ${admin()}`);
      const session = await target.login(target.secret, 'left');
      await retireFirst();
      const refusal = await rejection(end());
      expect(refusal.name).toBe('PermissionMissing');
      expect(refusal.message).toMatch(/grant it CONNECTION_ADMIN .*CONNECTION ADMIN.*mysql\.rds_kill/);
      await session.work();
      expect(await target.live()).toBe(1);
      await targets.asSuperuser(`grant connection admin on *.* to ${admin()}`);
      expect(await end()).toMatchObject([{ application: 'left', count: 1 }]);
      await rejection(session.work());
    });

    test('where an account of that name by socket may log in, nothing is ended: its sessions look like the others', async () => {
      const bySocket = `'${user()}'@'10.9.9.9'`;
      await targets.asSuperuser(`create user ${bySocket} identified via unix_socket`);
      const session = await target.login(target.secret, 'left');
      await retireFirst();
      const refusal = await rejection(end());
      expect(refusal.name).toBe('PrincipalInUse');
      expect(refusal.message).toContain(`\`${user()}\`@\`10.9.9.9\` by unix_socket`);
      await session.work();
      await targets.asSuperuser(`alter user ${bySocket} account lock`);
      expect(await end()).toMatchObject([{ application: 'left', count: 1 }]);
      await rejection(session.work());
    });

    test('where nobody may KILL, as on Amazon RDS, its procedure does it', async () => {
      await targets.asSuperuser(
        `revoke connection admin on *.* from ${admin()}`,
        'create procedure mysql.rds_kill(in thread bigint) sql security definer kill connection thread',
        `grant execute on procedure mysql.rds_kill to ${admin()}`,
      );
      const session = await target.login(target.secret, 'left');
      await retireFirst();
      expect(await end()).toMatchObject([{ application: 'left', count: 1 }]);
      expect(await end()).toEqual([]);
      await rejection(session.work());
      await targets.asSuperuser('drop procedure mysql.rds_kill');
    });
  });
});

/** Waits until the server has taken notice of the end of all sessions of a user. */
async function gone(targets: MysqlTargets, user: string): Promise<void> {
  for (;;) {
    const rows = await targets.asSuperuser(
      `select id from information_schema.processlist where user = '${user}'`,
    );
    if (rows.length === 0) return;
  }
}
