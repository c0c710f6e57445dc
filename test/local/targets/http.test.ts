import { startHttpTargets, type HttpTargets } from '../../../local/targets/http-target';
import { membersOf, rejection } from '../../rotators/context';

describe('an issuer of API keys', () => {
  let server: HttpTargets;

  beforeAll(async () => {
    server = await startHttpTargets();
  });
  afterAll(() => server.stop());

  test('lets a key count orders, and refuses one that it does not know', async () => {
    const target = await server.provision();
    const session = await target.login(target.secret, 'web');
    await session.work();
    await session.close();
    expect(target.isRefusedLogin(await rejection(target.login(target.wrong(target.secret), 'web')))).toBe(
      true,
    );
    expect((await server.logins()).refused).toHaveLength(1);
    expect((await server.logins()).accepted).toContainEqual({
      user: membersOf(target.secret)['keyId'],
      application: 'web',
    });
  });

  test('keeps accounts apart', async () => {
    const [one, two] = [await server.provision(), await server.provision()];
    const { apiKey } = membersOf(one.secret);
    const stranger = JSON.stringify({ ...membersOf(two.secret), apiKey });
    expect(two.isRefusedLogin(await rejection(two.login(stranger, 'web')))).toBe(true);
  });

  test('fails as it is told to, once for each time', async () => {
    const target = await server.provision();
    server.issuer.plan({ request: 'GET /accounts', answer: 500 });
    expect(target.isRefusedLogin(await rejection(target.login(target.secret, 'web')))).toBe(false);
    await (await target.login(target.secret, 'web')).close();
  });

  test('writes keys nowhere', async () => {
    const target = await server.provision();
    await (await target.login(target.secret, 'web')).close();
    const log = await server.logText();
    for (const value of [...target.sensitive(target.secret), ...target.sensitive(target.admin)])
      expect(log).not.toContain(value);
  });
});
