import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startOauthTargets } from '../../../local/targets/oauth-target';
import { rejection } from '../../rotators/context';

const root = path.resolve(__dirname, '../../..');

test('an OAuth server lets a client log in, and ends with stop, which may be called again', async () => {
  const server = await startOauthTargets();
  const target = await server.provision();
  const session = await target.login(target.secret, 'web');
  await session.work();
  await session.close();
  expect(target.isRefusedLogin(await rejection(target.login(target.wrong(target.secret), 'web')))).toBe(true);
  expect(await target.live()).toBe(1);
  const { accepted, refused } = await server.logins();
  expect(accepted).toContainEqual(expect.objectContaining({ application: 'web' }));
  expect(refused).toHaveLength(1);
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  await expect(fetch(server.server.issuer)).rejects.toThrow();
});

test('it ends soon after the process that started it is killed', async () => {
  const script = `
    require('./local/targets/oauth-server').startOauthServer().then((server) => console.log(server.issuer));
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const issuer = line.toString().trim();
  const answers = () =>
    fetch(issuer).then(
      () => true,
      () => false,
    );
  expect(await answers()).toBe(true);
  child.kill('SIGKILL');
  // It is another process: there is nothing to wait for but the fact.
  const patience = Date.now() + 60_000;
  while ((await answers()) && Date.now() < patience) await delay(50);
  expect(await answers()).toBe(false);
});
