import { startCloud } from '../../../local/cloud';
import { iamKind } from '../../../local/targets/iam-target';

test('without a cloud there is one for as long as the target lives, and the environment is put back', async () => {
  const before = { ...process.env };
  const server = await iamKind.start();
  expect(process.env['AWS_ENDPOINT_URL']).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const endpoint = process.env['AWS_ENDPOINT_URL'] ?? '';
  await server.stop();
  expect(process.env).toEqual(before);
  await expect(fetch(endpoint)).rejects.toThrow('fetch failed');
});

describe('in a cloud that is given', () => {
  test('the first user is the one that the example names, and none is another one’s', async () => {
    const cloud = await startCloud();
    const server = await iamKind.start(cloud);
    const users = [await server.provision(), await server.provision()].map(
      ({ settings }) => settings?.['user'],
    );
    expect(users).toEqual(
      ['example-app', 'example-app-2'].map((name) => `arn:aws:iam::111122223333:user/${name}`),
    );
    await server.stop();
    expect(await cloud.call('iam', 'GetUser', { UserName: 'example-app' })).toHaveProperty('User');
    await cloud.stop();
  });

  test('an application reads and writes with its key, is refused with a wrong one, and both are told', async () => {
    const cloud = await startCloud();
    const server = await iamKind.start(cloud);
    const target = await server.provision();
    const session = await target.login(target.secret, 'web');
    await session.work();
    await session.close();
    const refusal: unknown = await target
      .login(target.wrong(target.secret), 'web')
      .catch((error: unknown) => error);
    expect(target.isRefusedLogin(refusal)).toBe(true);
    const { accepted, refused } = await server.logins();
    expect(accepted).toContainEqual({ user: 'example-app', application: 'web' });
    expect(refused).toHaveLength(1);
    expect(await target.live()).toBe(1);
    const [secret = ''] = target.sensitive(target.secret);
    expect((await server.logText()).includes(secret)).toBe(false);
    await cloud.stop();
  });
});
