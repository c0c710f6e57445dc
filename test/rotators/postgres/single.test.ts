import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import type { PostgresTarget } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers, newVersion } from '../context';

const rotator = rotators['postgres-single'];

describe('one user at PostgreSQL, changed in place', () => {
  let targets: PostgresTargets;
  let target: PostgresTarget;

  beforeAll(async () => {
    targets = await startPostgresTargets({ log: 'all' });
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision();
  });

  /** Without an admin: the user changes its own password. */
  const alone = () => contextFor(target, { admin: undefined });
  const refusedLogins = async () => (await targets.logins()).refused.length;
  const accepts = (secret: string) => rotator.verify(secret, alone());
  const refuses = async (secret: string) =>
    expect((await rejection(accepts(secret))).name).toBe('CredentialRejected');

  test('needs no admin, and no refused login either', async () => {
    const before = await refusedLogins();
    const to = await rotator.create(target.secret, alone(), newVersion());
    const { gapBegan } = await rotator.apply({ from: target.secret, to }, alone(), {});
    expect(Date.parse(gapBegan ?? '')).toBeGreaterThan(0);
    expect(await refusedLogins()).toBe(before);
    await accepts(to);
    await refuses(target.secret);
  });

  test('a repeat finds the change made, after one refused login, and claims no time for it', async () => {
    const to = await rotator.create(target.secret, alone(), newVersion());
    await rotator.apply({ from: target.secret, to }, alone(), {});
    const before = await refusedLogins();
    expect(await rotator.apply({ from: target.secret, to }, alone(), {})).toEqual({});
    expect(await refusedLogins()).toBe(before + 1);
    await accepts(to);
  });

  test('where neither value logs in, the refusal is the answer', async () => {
    const from = target.wrong(target.secret);
    const to = await rotator.create(from, alone(), newVersion());
    expect((await rejection(rotator.apply({ from, to }, alone(), {}))).name).toBe('CredentialRejected');
    await accepts(target.secret);
  });

  test('going back is the change the other way round', async () => {
    const to = await rotator.create(target.secret, alone(), newVersion());
    await rotator.apply({ from: target.secret, to }, alone(), {});
    await rotator.apply({ from: to, to: target.secret }, alone(), {});
    await accepts(target.secret);
    await refuses(to);
  });

  test('retiring changes nothing, in whichever state', async () => {
    const to = await rotator.create(target.secret, alone(), newVersion());
    await rotator.retire({ from: target.secret, to }, alone());
    await accepts(target.secret);
    await rotator.apply({ from: target.secret, to }, alone(), {});
    await rotator.retire({ from: target.secret, to }, alone());
    await accepts(to);
  });

  test('an admin changes a user whose password nobody has any more, and lets it log in again', async () => {
    const user = String(membersOf(target.secret)['username']);
    await targets.asSuperuser(`alter role ${user} nologin password null`);
    const from = target.wrong(target.secret);
    const to = await rotator.create(from, contextFor(target), newVersion());
    await rotator.apply({ from, to }, contextFor(target), {});
    await accepts(to);
  });

  test('two versions that name different users are refused', async () => {
    const to = withMembers(target.secret, { username: 'somebody_else' });
    const change = { from: target.secret, to };
    for (const attempt of [() => rotator.apply(change, alone(), {}), () => rotator.retire(change, alone())])
      expect((await rejection(attempt())).name).toBe('SecretMalformed');
  });

  test('rotates a secret that names an admin, if the policy asks for it', async () => {
    const from = withMembers(target.secret, { masterarn: 'arn:of:admin' });
    const to = await rotator.create(from, contextFor(target), newVersion());
    await rotator.apply({ from, to }, contextFor(target), {});
    await rotator.verify(to, contextFor(target));
    expect(rotator.adminArn(to)).toBe('arn:of:admin');
  });

  test('even a log of all statements holds no password', async () => {
    const to = await rotator.create(target.secret, alone(), newVersion());
    await rotator.apply({ from: target.secret, to }, alone(), {});
    const log = await targets.logText();
    expect(log).toContain('alter role');
    expect(log.includes(String(membersOf(to)['password']))).toBe(false);
  });
});
