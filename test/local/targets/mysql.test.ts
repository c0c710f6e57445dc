import * as fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { startMysqlTargets, type MysqlTargets } from '../../../local/targets/mysql-target';
import { startMysql } from '../../../local/targets/mysql';

const exists = (file: string) =>
  fs.access(file).then(
    () => true,
    () => false,
  );

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const pidOf = async (dataDir: string | undefined) =>
  Number(await fs.readFile(path.join(dataDir ?? '', '..', 'server.pid'), 'utf8'));

// A server of ROTOR_TEST_MYSQL_URL is as it is.
const isOwn = process.env['ROTOR_TEST_MYSQL_URL'] === undefined;

(isOwn ? describe : describe.skip)('a MariaDB server of one’s own', () => {
  let targets: MysqlTargets;

  beforeAll(async () => {
    targets = await startMysqlTargets({ log: 'all' });
  });
  afterAll(() => targets.stop());

  test('listens on the loopback interface alone, and does not run as root', async () => {
    const [row] = await targets.asSuperuser('select @@bind_address as address');
    expect(row).toEqual({ address: '127.0.0.1' });
    const status = await fs.readFile(`/proc/${String(await pidOf(targets.server.dataDir))}/status`, 'utf8');
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).not.toBe('0');
  });

  test('has one superuser, who has a password', async () => {
    const { host, port, superuser } = targets.server;
    await expect(createConnection({ host, port, user: superuser, password: '' })).rejects.toMatchObject({
      errno: 1045,
    });
    expect(
      await targets.asSuperuser(`select User from mysql.global_priv where User not in ('mariadb.sys')`),
    ).toEqual([{ User: superuser }]);
  });

  test('logs statements with who sent them, and the superuser’s not', async () => {
    const target = await targets.provision();
    const session = await target.login(target.secret, 'web');
    await session.work();
    await session.close();
    await targets.asSuperuser('select 41 + 1 as not_logged');
    const log = await targets.logText();
    expect(log).toContain(`insert into orders`);
    expect(log).not.toContain('not_logged');
  });

  test('tells accepted from refused logins, a locked account’s too', async () => {
    const target = await targets.provision();
    const { username } = JSON.parse(target.secret) as { username: string };
    const session = await target.login(target.secret, 'comma, and /* rotor */');
    await session.close();
    const count = async () => (await targets.logins()).refused.filter(({ user }) => user === username).length;
    const refused = async (secret: string) =>
      target.login(secret, 'web').then(
        () => false,
        (error: unknown) => target.isRefusedLogin(error),
      );
    expect(await refused(target.wrong(target.secret))).toBe(true);
    expect(await count()).toBe(1);
    await targets.asSuperuser(`alter user ${username} account lock`);
    expect(await refused(target.secret)).toBe(true);
    // The server writes it down after it has told the client.
    const patience = Date.now() + 60_000;
    while ((await count()) < 2 && Date.now() < patience) await delay(20);
    expect(await count()).toBe(2);
    expect((await targets.logins()).accepted.filter(({ user }) => user === username)).toEqual([
      { user: username, application: 'comma, and /* rotor */' },
    ]);
    expect(await target.live()).toBe(0);
  });

  test('ends with stop, which may be called again, and leaves nothing behind', async () => {
    const other = await startMysql();
    const pid = await pidOf(other.dataDir);
    expect(isRunning(pid)).toBe(true);
    await Promise.all([other.stop(), other.stop()]);
    expect(isRunning(pid)).toBe(false);
    expect(await exists(path.dirname(other.dataDir ?? ''))).toBe(false);
  });

  test('a server that is named by ROTOR_TEST_MYSQL_URL is used as it is, and not stopped', async () => {
    const { host, port, superuser, password } = targets.server;
    process.env['ROTOR_TEST_MYSQL_URL'] = `mysql://${superuser}:${password}@${host}:${String(port)}`;
    try {
      const borrowed = await startMysqlTargets();
      const target = await borrowed.provision();
      const session = await target.login(target.secret, 'web');
      await session.work();
      await session.close();
      await expect(borrowed.logText()).rejects.toThrow('keeps no log');
      await borrowed.stop();
    } finally {
      delete process.env['ROTOR_TEST_MYSQL_URL'];
    }
    expect(await targets.asSuperuser('select 1 as one')).toEqual([{ one: 1 }]);
  });
});
