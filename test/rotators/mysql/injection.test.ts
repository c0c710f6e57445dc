import { startMysqlTargets, type MysqlTargets } from '../../../local/targets/mysql-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

/** Texts that end a literal, a name or a statement somewhere, if anybody lets them. */
const hostile = {
  'a single quote': `o'brien`,
  'double quotes': `say "hi"`,
  backquotes: 'a`b``c',
  backslashes: String.raw`back\slash\'`,
  dollars: `$1 $$ $& $'`,
  spaces: ` a b`,
  'a statement': 'x`; drop table orders; -- ',
  'a statement in a literal': `x'; drop table orders; -- `.trimEnd(),
  'a comment': `a /* b */ -- c # d`,
  'a percent sign, an at sign and a question mark': `%s _ a@b ? ??`,
  'an ON and a TO': '` ON `x` TO `y',
  umlauts: 'Müller_Straße',
  'other scripts': 'ユーザー',
  'upper case': 'App',
  'a key word': 'select',
};

let targets: MysqlTargets;
/** A name of 31 characters and more is not MySQL's, so all of them are MariaDB's. */
const engine = 'mariadb';
/** Users belong to the whole server, so each case has its own. */
let count = 0;

describe.each([
  ['a server with the usual sql_mode', 'STRICT_TRANS_TABLES', 1],
  ['a server with ANSI_QUOTES', 'ANSI', 1],
  ['a server with NO_BACKSLASH_ESCAPES that quotes no names', 'NO_BACKSLASH_ESCAPES', 0],
])('%s', (_server, mode, quotes) => {
  beforeAll(async () => {
    targets = await startMysqlTargets({ flags: [`--sql-mode=${mode}`] });
    await targets.asSuperuser(`set global sql_quote_show_create = ${String(quotes)}`);
  });
  afterAll(() => targets.stop());

  describe.each(['mysql-alternating', 'mysql-single'] as const)(
    '%s passes names and passwords on as they are',
    (name) => {
      const rotator = rotators[name];

      test.each(Object.entries(hostile))('%s in user, database and password', async (_, text) => {
        count += 1;
        const target = await targets.provision({
          adminArn: 'arn:of:admin',
          user: `${text}${String(count)}`,
          // In the name of a database a backslash is no character: it takes the meaning from a wildcard of GRANT.
          database: `${text.replaceAll('\\', '')}${String(count)}`,
          password: text,
        });
        const context = contextFor(target, { password: () => `${text}!` });
        let current = withMembers(target.secret, { engine });
        for (let round = 1; round <= 2; round++) {
          const to = await rotator.create(current, context, { versionId: 'next', others: [] });
          await rotator.apply({ from: current, to }, context, { replacedAt: new Date(0) });
          await rotator.verify(to, context);
          const session = await target.login(to, text);
          await session.work();
          if (name === 'mysql-alternating') {
            const { open } = await rotator.usage(to, { since: new Date(0), watchMs: 0 }, context);
            // The server may not have seen yet that the rotator's own session has ended.
            const others = open.filter(({ application }) => application !== 'rotor');
            expect(others).toMatchObject([{ application: text, count: 1 }]);
          }
          await session.close();
          await rotator.retire({ from: current, to }, context);
          current = to;
        }
        expect(await target.live()).toBe(1);
      });
    },
  );
});

describe('the length of names', () => {
  beforeAll(async () => {
    targets = await startMysqlTargets();
  });
  afterAll(() => targets.stop());

  const rotator = rotators['mysql-alternating'];

  test.each([
    ['mysql', 26, 'ü'],
    ['aurora-mysql', 26, 'あ'],
    ['mariadb', 122, 'ü'],
  ])('for engine %s %i characters are the most that alternate', async (engine, length, letter) => {
    const target = await targets.provision({ adminArn: 'arn:of:admin', user: letter.repeat(length) });
    const context = contextFor(target);
    const from = withMembers(target.secret, { engine });
    const to = await rotator.create(from, context, { versionId: 'next', others: [] });
    await rotator.apply({ from, to }, context, {});
    await rotator.verify(to, context);
    const longer = withMembers(from, { username: 'a'.repeat(length + 1) });
    const change = { from: longer, to: withMembers(longer, { username: `${'a'.repeat(length + 1)}_clone` }) };
    for (const attempt of [
      () => rotator.create(longer, context, { versionId: 'next', others: [] }),
      () => rotator.apply(change, context, {}),
    ])
      expect((await rejection(attempt())).name).toBe('UserNameTooLong');
    expect(membersOf(to)['username']).toBe(`${letter.repeat(length)}_clone`);
  });
});
