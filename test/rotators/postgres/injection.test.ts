import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers, newVersion } from '../context';

const names = ['postgres-single', 'postgres-alternating'] as const;

/** Texts that end a literal, an identifier or a statement somewhere, if anybody lets them. */
const hostile = {
  'a single quote': `o'brien`,
  'double quotes': `say "hi"`,
  backslashes: String.raw`back\slash\'`,
  dollars: `$1 $$ $tag$ $& $'`,
  spaces: ` a b `,
  'a statement': `x"; drop table orders; --`,
  'a statement in a literal': `x'; drop table orders; --`,
  'a comment': `a /* b */ -- c`,
  'a percent sign and a brace': '%s %I {0} ${1}',
  umlauts: 'Müller_Straße',
  'other scripts': 'ユーザー',
  emoji: 'u🔑r',
  'upper case': 'App',
  'a key word': 'select',
};

/** A database costs half a second to make: all of the above in two names of 63 bytes at most. */
const hostileDatabases = [
  ` o'br "hi" \\' $1 $$ $& "; drop table orders; -- /* %s {0}`,
  ' Müller_Straße ユーザー 🔑 Select ',
];

let targets: PostgresTargets;
/** Users belong to the whole server, so each case has its own. */
let count = 0;

beforeAll(async () => {
  targets = await startPostgresTargets({});
});
afterAll(() => targets.stop());

describe.each(names)('%s passes names and passwords on as they are', (name) => {
  const rotator = rotators[name];

  test.each(Object.entries(hostile))('%s in user, database and password', async (_, text) => {
    count += 1;
    const target = await targets.provision({
      adminArn: 'arn:of:admin',
      user: `${text}${String(count)}`,
      database: hostileDatabases[count % hostileDatabases.length] ?? '',
      password: text,
    });
    const context = contextFor(target, { password: () => `${text}!` });
    let current = target.secret;
    for (let round = 1; round <= 2; round++) {
      const to = await rotator.create(current, context, newVersion());
      await rotator.apply({ from: current, to }, context, { replacedAt: new Date(0) });
      await rotator.verify(to, context);
      const session = await target.login(to, text);
      await session.work();
      if (rotator.traits({}).usage) {
        const { begun } = await rotator.usage(to, { since: new Date(0), watchMs: 0 }, context);
        expect(begun).toHaveLength(1);
      }
      await session.close();
      await rotator.retire({ from: current, to }, context);
      current = to;
    }
    expect(await target.live()).toBe(1);
  });

  test('settings with hostile names and values reach the clone as they are', async () => {
    if (rotator.traits({}).overlap !== 'two-principals') return;
    const target = await targets.provision({ adminArn: 'arn:of:admin' });
    const user = rotator.principal(target.secret, {});
    const admin = String(membersOf(target.admin)['username']);
    await targets.asSuperuser(`grant set on parameter "shop.x" to ${admin}`);
    for (const value of Object.values(hostile)) {
      const literal = `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
      await targets.asSuperuser(`alter role ${user} set "shop.x" to ${literal};
                                 alter role ${user} set search_path to ${literal}, public`);
      const to = await rotator.create(target.secret, contextFor(target), newVersion());
      await rotator.apply({ from: target.secret, to }, contextFor(target), {});
      const [same] = await targets.asSuperuser<{ same: boolean }>(
        `select array_remove(c.setconfig, 'role=${user}') = b.setconfig as same
           from pg_db_role_setting b, pg_db_role_setting c
          where b.setrole = '${user}'::regrole and c.setrole = '${user}_clone'::regrole`,
      );
      expect(same).toEqual({ same: true });
    }
  });
});

describe('the length of names', () => {
  const rotator = rotators['postgres-alternating'];

  test.each([
    ['57 letters', 'a'.repeat(57)],
    ['57 bytes in 19 characters', 'あ'.repeat(19)],
  ])('%s are the most that alternate', async (_, user) => {
    const target = await targets.provision({ adminArn: 'arn:of:admin', user });
    const context = contextFor(target);
    const to = await rotator.create(target.secret, context, newVersion());
    await rotator.apply({ from: target.secret, to }, context, {});
    await rotator.verify(to, context);
    await rotator.verify(target.secret, context);
    const back = await rotator.create(to, context, newVersion());
    expect(rotator.principal(back, {})).toBe(user);
  });

  test.each([
    ['58 letters', 'b'.repeat(58)],
    ['60 bytes in 20 characters', 'い'.repeat(20)],
    ['63 letters', 'c'.repeat(63)],
  ])('%s are refused before anything changes', async (_, user) => {
    const target = await targets.provision({ adminArn: 'arn:of:admin', user });
    const context = contextFor(target);
    const to = withMembers(target.secret, { username: `${user}_clone` });
    for (const attempt of [
      () => rotator.create(target.secret, context, newVersion()),
      () => rotator.apply({ from: target.secret, to }, context, {}),
    ])
      expect((await rejection(attempt())).name).toBe('UserNameTooLong');
    await rotator.verify(target.secret, context);
    expect(await target.live()).toBe(1);
  });

  test('one user may use all of the 63 bytes, and no more', async () => {
    const single = rotators['postgres-single'];
    const target = await targets.provision({ user: 'd'.repeat(63) });
    const context = contextFor(target);
    const to = await single.create(target.secret, context, newVersion());
    await single.apply({ from: target.secret, to }, context, {});
    await single.verify(to, context);
    // PostgreSQL would cut this one down to the user above, and reset that one's password.
    const tooLong = withMembers(to, { username: `${String(membersOf(to)['username'])}e` });
    for (const attempt of [
      () => single.create(tooLong, context, newVersion()),
      () => single.apply({ from: tooLong, to: tooLong }, context, {}),
    ])
      expect((await rejection(attempt())).name).toBe('UserNameTooLong');
    await single.verify(to, context);
  });
});
