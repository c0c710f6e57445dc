import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startSshTargets, type SshTargets } from '../../../local/targets/ssh-target';

const root = path.resolve(__dirname, '../../..');

describe('hosts with OpenSSH', () => {
  let targets: SshTargets;

  beforeAll(async () => {
    targets = await startSshTargets();
  });
  afterAll(() => targets.stop());

  test('say who came in by which program, and who did not', async () => {
    const target = await targets.provision();
    const session = await target.login(target.secret, 'web');
    const refusal: unknown = await target
      .login(target.wrong(target.secret), 'web')
      .catch((error: unknown) => error);
    expect(target.isRefusedLogin(refusal)).toBe(true);
    const user = target.hosts[0]?.username;
    expect(await targets.logins()).toEqual({
      accepted: [
        { user, application: 'web' },
        { user, application: 'web' },
      ],
      refused: [{ user }],
    });
    await session.work();
    await session.close();
    await expect(session.work()).rejects.toThrow();
  });

  test('have a home of their own, and leave the user’s alone', async () => {
    const { hosts } = await targets.provision();
    expect(new Set(hosts.map(({ home }) => home)).size).toBe(2);
    for (const { home, keys } of hosts) {
      expect(path.relative(home, keys)).toBe('.ssh/authorized_keys');
      expect((await fs.stat(keys)).mode & 0o777).toBe(0o600);
    }
  });

  test('are gone after stop, which may be called again, with the sessions that were open', async () => {
    const others = await startSshTargets();
    const target = await others.provision();
    const session = await target.login(target.secret, 'web');
    await Promise.all([others.stop(), others.stop()]);
    await others.stop();
    await expect(session.work()).rejects.toThrow();
    expect(existsSync(target.hosts[0]?.home ?? '')).toBe(false);
    await expect(target.login(target.secret, 'web')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('leave nothing behind when the process that started them is killed', async () => {
    const script = `
      require('./local/targets/ssh-target').startSshTargets().then(async (targets) => {
        const target = await targets.provision();
        await target.login(target.secret, 'web');
        console.log(target.hosts[0].home);
      });
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const home = line.toString().trim();
    expect(existsSync(home)).toBe(true);
    child.kill('SIGKILL');
    // The watcher is another process: there is nothing to wait for but the fact.
    const patience = Date.now() + 60_000;
    while (existsSync(home) && Date.now() < patience) await delay(50);
    expect(existsSync(home)).toBe(false);
  });
});
