import { startMysqlTargets, type MysqlTarget, type MysqlTargets } from '../../../local/targets/mysql-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

const rotator = rotators['mysql-single'];

describe('one user at MariaDB, changed in place', () => {
  let targets: MysqlTargets;
  let target: MysqlTarget;

  beforeAll(async () => {
    targets = await startMysqlTargets({ log: 'all' });
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision();
  });

  /** Without an admin: the user changes its own password. */
  const alone = () => contextFor(target, { admin: undefined });
  const create = (from: string) => rotator.create(from, alone(), { versionId: 'next', others: [] });
  const refusedLogins = async () => (await targets.logins()).refused.length;
  const accepts = (secret: string) => rotator.verify(secret, alone());
  const refuses = async (secret: string) =>
    expect((await rejection(accepts(secret))).name).toBe('CredentialRejected');

  test('needs no admin, and no refused login either, and its password is in no log', async () => {
    const before = await refusedLogins();
    const to = await create(target.secret);
    const { gapBegan } = await rotator.apply({ from: target.secret, to }, alone(), {});
    expect(Date.parse(gapBegan ?? '')).toBeGreaterThan(0);
    expect(await refusedLogins()).toBe(before);
    await accepts(to);
    await refuses(target.secret);
    const log = await targets.logText();
    expect(log).toMatch(/set password = '\*[0-9A-F]{40}'/);
    expect(log.includes(String(membersOf(to)['password']))).toBe(false);
  });

  test('a repeat finds the change made, after one refused login, and claims no time for it', async () => {
    const to = await create(target.secret);
    await rotator.apply({ from: target.secret, to }, alone(), {});
    const before = await refusedLogins();
    expect(await rotator.apply({ from: target.secret, to }, alone(), {})).toEqual({});
    expect(await refusedLogins()).toBe(before + 1);
  });

  test('where neither value logs in, the refusal is the answer', async () => {
    const from = target.wrong(target.secret);
    const to = await create(from);
    expect((await rejection(rotator.apply({ from, to }, alone(), {}))).name).toBe('CredentialRejected');
    await accepts(target.secret);
  });

  test('going back is the change the other way round', async () => {
    const to = await create(target.secret);
    await rotator.apply({ from: target.secret, to }, alone(), {});
    await rotator.apply({ from: to, to: target.secret }, alone(), {});
    await accepts(target.secret);
    await refuses(to);
  });

  test('an admin changes a user that is locked and whose password nobody has, under every host', async () => {
    target = await targets.provision({ hosts: ['%', '127.0.0.1'] });
    const user = String(membersOf(target.secret)['username']);
    await targets.asSuperuser(
      `alter user ${user}@'%' account lock`,
      `set password for ${user}@'127.0.0.1' = ''`,
    );
    const from = target.wrong(target.secret);
    const to = await create(from);
    await rotator.apply({ from, to }, contextFor(target), {});
    await accepts(to);
    await targets.asSuperuser(`drop user ${user}@'127.0.0.1'`);
    await accepts(to);
  });

  test('two versions that name different users are refused', async () => {
    const to = withMembers(target.secret, { username: 'somebody_else' });
    const change = { from: target.secret, to };
    for (const attempt of [() => rotator.apply(change, alone(), {}), () => rotator.retire(change, alone())])
      expect((await rejection(attempt())).name).toBe('SecretMalformed');
  });

  test('two passwords at once are refused where the server cannot keep them, before anything changes', async () => {
    const settings = { dualPassword: true };
    expect(rotator.traits(settings)).toMatchObject({
      overlap: 'two-credentials',
      admin: 'required',
      usage: false,
    });
    const to = await create(target.secret);
    const change = { from: target.secret, to };
    const context = contextFor(target, { settings });
    for (const attempt of [() => rotator.apply(change, context, {}), () => rotator.retire(change, context)]) {
      const refusal = await rejection(attempt());
      expect(refusal.name).toBe('TargetRefused');
      expect(refusal.message).toContain('MySQL 8.0.14');
    }
    expect((await rejection(rotator.retire({ from: to, to }, context))).name).toBe('SamePrincipal');
    await accepts(target.secret);
  });
});
