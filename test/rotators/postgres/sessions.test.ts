import type { ApplicationSession, RehearsalTarget } from '../../../local/targets/target';
import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { asAdmin } from '../../../rotators/postgres/connection';
import { alternatingDefinition } from '../../../rotators/postgres/definition';
import { watchSessions } from '../../../rotators/postgres/sessions';
import type { Usage } from '../../../rotators/rotator';

describe('watching the sessions of a PostgreSQL user', () => {
  let targets: PostgresTargets;
  let target: RehearsalTarget;

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
      signal: AbortSignal.timeout(20_000),
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
      expect(Date.parse(newestBegan)).toBeGreaterThanOrEqual(Date.parse(oldestBegan));
    for (const session of sessions) await session.close();
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
