import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startRedisTargets, type RedisTargets } from '../../../local/targets/redis-target';

const root = path.resolve(__dirname, '../../..');

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a Redis server of one’s own', () => {
  let targets: RedisTargets;

  beforeAll(async () => {
    targets = await startRedisTargets();
  });
  afterAll(() => targets.stop());

  const ask = async (...words: readonly string[]) => JSON.stringify(await targets.asOperator(...words));

  test('listens on the loopback interface alone', async () => {
    expect(await ask('CONFIG', 'GET', 'bind')).toContain('"127.0.0.1"');
  });

  test('lets nobody in without a name', async () => {
    const target = await targets.provision();
    const nameless = JSON.stringify({ ...(JSON.parse(target.secret) as object), username: 'default' });
    await expect(target.login(nameless, 'web')).rejects.toThrow(/^WRONGPASS/);
  });

  test('does not run as root', async () => {
    const pid = /process_id:(\d+)/.exec(await ask('INFO', 'server'))?.[1] ?? '';
    const status = await fs.readFile(`/proc/${pid}/status`, 'utf8').catch(() => 'Uid:\t1');
    expect(/^Uid:\t(\d+)/m.exec(status)?.[1]).not.toBe('0');
  });

  test('tells who came in and who did not, and keeps passwords out of its log', async () => {
    const target = await targets.provision();
    const before = await targets.logins();
    const session = await target.login(target.secret, 'web');
    await session.work();
    await session.close();
    const refusal: unknown = await target
      .login(target.wrong(target.secret), 'web')
      .catch((error: unknown) => error);
    expect(target.isRefusedLogin(refusal)).toBe(true);
    const after = await targets.logins();
    expect(after.accepted.slice(before.accepted.length).map(({ application }) => application)).toEqual([
      'web',
    ]);
    expect(after.refused.length - before.refused.length).toBe(1);
    const log = await targets.logText();
    expect(log).toContain('orders');
    for (const value of target.sensitive(target.secret)) expect(log).not.toContain(value);
  });

  test('ends soon after the process that started it is killed', async () => {
    const script = `
      require('./local/targets/redis-target').startRedisTargets().then(async (targets) => {
        const info = String(await targets.asOperator('INFO', 'server'));
        console.log(/process_id:(\\d+)/.exec(info)[1]);
      });
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString().trim());
    expect(isRunning(pid)).toBe(true);
    child.kill('SIGKILL');
    // The watcher is another process: there is nothing to wait for but the fact.
    const patience = Date.now() + 60_000;
    while (isRunning(pid) && Date.now() < patience) await delay(50);
    expect(isRunning(pid)).toBe(false);
  });

  test('a server that is named by ROTOR_TEST_REDIS_URL is used as it is, and not stopped', async () => {
    const { port, operator } = targets.server;
    process.env['ROTOR_TEST_REDIS_URL'] =
      `redis://${operator.username}:${encodeURIComponent(operator.password)}@127.0.0.1:${String(port)}`;
    try {
      const borrowed = await startRedisTargets();
      const target = await borrowed.provision();
      const session = await target.login(target.secret, 'web');
      await session.work();
      await session.close();
      expect(target.settings).toEqual({ persist: false });
      await borrowed.stop();
      await expect(target.login(target.secret, 'web')).rejects.toThrow('WRONGPASS');
    } finally {
      delete process.env['ROTOR_TEST_REDIS_URL'];
    }
    expect(await ask('PING')).toBe('"PONG"');
  });
});
