import { startRedisTargets, type RedisTargets } from '../../../local/targets/redis-target';
import type { RehearsalTarget } from '../../../local/targets/target';
import { passwordHash } from '../../../rotators/redis/definition';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

const rotator = rotators['redis-acl'];

describe('a user that several servers have', () => {
  let servers: readonly RedisTargets[];
  let target: RehearsalTarget;
  let nodes: readonly string[];
  let user: string;

  beforeAll(async () => {
    servers = await Promise.all([1, 2, 3].map(() => startRedisTargets()));
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  beforeEach(async () => {
    const [first, ...others] = servers;
    if (first === undefined) throw new Error('no server');
    target = await first.provision({ adminArn: 'arn:of:admin' });
    const secrets = [target.secret, target.admin ?? ''].map(membersOf);
    user = String(secrets[0]?.['username']);
    for (const other of others)
      for (const { username, password } of secrets)
        await other.asOperator(
          'ACL',
          'SETUSER',
          String(username),
          'on',
          `#${passwordHash(String(password))}`,
          '+@all',
        );
    nodes = servers.map(({ server }) => `127.0.0.1:${server.port}`);
  });

  const context = (changes: Parameters<typeof contextFor>[1] = {}) =>
    contextFor(target, { settings: { nodes }, admin: adminOf(nodes), ...changes });
  const adminOf = (listed: readonly string[]) => withMembers(target.admin ?? '', { nodes: listed });
  const create = () => rotator.create(target.secret, context(), { versionId: 'v', others: [] });
  const hashes = () =>
    Promise.all(
      servers.map(async (server) => JSON.stringify(await server.asOperator('ACL', 'GETUSER', user))),
    );

  test('is changed at all of them', async () => {
    const to = await create();
    await rotator.apply({ from: target.secret, to }, context(), {});
    await rotator.verify(target.secret, context());
    await rotator.verify(to, context());
    await rotator.retire({ from: target.secret, to }, context());
    await rotator.verify(to, context());
    const [from, now] = [target.secret, to].map((text) => passwordHash(String(membersOf(text)['password'])));
    for (const text of await hashes()) {
      expect(text.includes(String(now))).toBe(true);
      expect(text.includes(String(from))).toBe(false);
    }
  });

  test('is changed at none while one of them is away, and the error says which', async () => {
    const away = [...nodes, '127.0.0.1:9'];
    const before = await hashes();
    const to = await create();
    const refusal = await rejection(
      rotator.apply(
        { from: target.secret, to },
        context({ settings: { nodes: away }, admin: adminOf(away) }),
        {},
      ),
    );
    expect(refusal).toMatchObject({
      name: 'TargetUnreachable',
      message: expect.stringMatching(/^1 of 4: 127\.0\.0\.1:9 as rotor_admin\S*: .*ECONNREFUSED/) as string,
    });
    expect(await hashes()).toEqual(before);
  });

  test('is verified at all of them', async () => {
    await servers[2]?.asOperator('ACL', 'SETUSER', user, 'resetpass', '>another');
    const refusal = await rejection(rotator.verify(target.secret, context()));
    expect(refusal).toMatchObject({
      name: 'CredentialRejected',
      message: expect.stringContaining(String(nodes[2])) as string,
    });
  });

  test('with a wrong password costs one refused login and not one at each', async () => {
    const refused = async () =>
      (await Promise.all(servers.map((server) => server.logins()))).reduce(
        (sum, one) => sum + one.refused.length,
        0,
      );
    const before = await refused();
    expect((await rejection(rotator.verify(target.wrong(target.secret), context()))).name).toBe(
      'CredentialRejected',
    );
    expect((await refused()) - before).toBe(1);
  });

  test('is finished at the second try when the first broke off half-way', async () => {
    const to = await create();
    const hash = passwordHash(String(membersOf(to)['password']));
    await servers[1]?.asOperator('ACL', 'SETUSER', user, `#${hash}`);
    await rotator.apply({ from: target.secret, to }, context(), {});
    await servers[1]?.asOperator(
      'ACL',
      'SETUSER',
      user,
      `!${passwordHash(String(membersOf(target.secret)['password']))}`,
    );
    await rotator.retire({ from: target.secret, to }, context());
    await rotator.verify(to, context());
    expect(await target.live()).toBe(1);
  });
});
