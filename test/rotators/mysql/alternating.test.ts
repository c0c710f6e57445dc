import {
  account,
  literal,
  startMysqlTargets,
  type MysqlTarget,
  type MysqlTargets,
} from '../../../local/targets/mysql-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers, withPatience } from '../context';

const rotator = rotators['mysql-alternating'];
const hourAgo = () => new Date(Date.now() - 3_600_000);

describe('alternating users at MariaDB', () => {
  let targets: MysqlTargets;
  let target: MysqlTarget;
  let user: string;
  let clone: string;
  let database: string;
  let admin: string;

  beforeAll(async () => {
    targets = await startMysqlTargets({ log: 'all' });
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    await use({});
  });

  const use = async (options: Parameters<MysqlTargets['provision']>[0]) => {
    target = await targets.provision({ adminArn: 'arn:of:admin', ...options });
    const members = membersOf(target.secret);
    user = String(members['username']);
    clone = `${user}_clone`;
    database = String(members['dbname']);
    admin = String(membersOf(target.admin)['username']);
  };
  const context = () => contextFor(target);
  const create = (from: string) => rotator.create(from, context(), { versionId: 'next', others: [] });
  /** Creates and applies the next value, forward as a rotation does. */
  const turn = async (from: string) => {
    const to = await create(from);
    await rotator.apply({ from, to }, context(), { replacedAt: hourAgo() });
    return to;
  };
  const sql = (...statements: readonly string[]) => targets.asSuperuser(...statements);
  /** What an account may do, without its name and its password. */
  const rightsOf = async (name: string, host = '%') => {
    const rows = await sql(`show grants for ${account(name, host)}`);
    return rows
      .flatMap((row) => Object.values(row).map(String))
      .map((line) =>
        line.replaceAll(account(name, host), 'whom').replace(/ IDENTIFIED BY PASSWORD '[^']*'/, ''),
      )
      .sort();
  };
  const optionsOf = async (name: string, host = '%') => {
    const [row] = await sql(`show create user ${account(name, host)}`);
    return String(Object.values(row ?? {})[0]).replace(/^.* IDENTIFIED BY PASSWORD '[^']*'/, '');
  };
  const hostsOf = async (name: string, locked: boolean) => {
    const rows = await sql(
      `select Host from mysql.global_priv where User = ${literal(name)}
          and coalesce(json_value(Priv, '$.account_locked'), '0') in (${locked ? `'1', 'true'` : `'0', 'false'`}) order by Host`,
    );
    return rows.map((row) => row['Host']);
  };
  /** Every statement that changes an account, with the names as they are and passwords left out. */
  const changes = async () =>
    [...(await targets.logText()).matchAll(/Query	((?:alter|create|grant|revoke|set default) .*)$/gm)].map(
      ([, statement = '']) => statement.replace(/'\*.*'/, '…'),
    );

  test('the two names take turns and the base stays the same', async () => {
    const names = [];
    for (let secret = target.secret, round = 0; round < 4; round++) {
      names.push(rotator.principal(secret, {}));
      secret = await create(secret);
    }
    expect(names).toEqual([user, clone, user, clone]);
  });

  test('the clone gets what the base may do with databases, tables, columns and routines', async () => {
    const shop = account(database, '').replace('@``', '');
    await sql(
      `create table ${shop}.\`odd, \`\` (name)\` (a int, \`b, (c)\` int)`,
      `create procedure ${shop}.tidy() select 1`,
      `create function ${shop}.one() returns int return 1`,
      `grant select (\`b, (c)\`), update (a), insert on ${shop}.\`odd, \`\` (name)\` to ${user} with grant option`,
      `grant execute on procedure ${shop}.tidy to ${user}`,
      `grant execute, alter routine on function ${shop}.one to ${user}`,
      `grant select on \`${database}\\_archive%\`.* to ${user}`,
      `grant all on ${shop}.* to ${admin} with grant option`,
      `grant select on \`${database}\\_archive%\`.* to ${admin} with grant option`,
    );
    await rotator.verify(await turn(target.secret), context());
    const rights = await rightsOf(user);
    expect(rights).toHaveLength(6);
    expect(await rightsOf(clone)).toEqual(rights);
  });

  test('roles come along, with their admin option and the default', async () => {
    await sql(
      `create role ${user}_reader`,
      `create role ${user}_writer`,
      `grant ${user}_reader to ${user}`,
      `grant ${user}_writer to ${user} with admin option`,
      `grant ${user}_reader to ${admin} with admin option`,
      `grant ${user}_writer to ${admin} with admin option`,
    );
    await turn(target.secret);
    const rights = await rightsOf(user);
    expect(rights.filter((line) => /reader|writer/.test(line))).toHaveLength(2);
    expect(await rightsOf(clone)).toEqual(rights);
    // MariaDB lets only those set somebody's default role who may write to its own tables.
    await sql(`set default role ${user}_reader for ${user}`);
    const refusal = await rejection(turn(target.secret));
    expect(refusal.name).toBe('PermissionMissing');
    expect(refusal.message).toContain(`set default role \`${user}_reader\` for \`${clone}\`@\`%\``);
    await sql(`set default role ${user}_reader for ${clone}`);
    await rotator.verify(await turn(target.secret), context());
    expect(await rightsOf(clone)).toEqual(await rightsOf(user));
    await sql(
      `revoke ${user}_reader from ${user}`,
      `set default role none for ${user}`,
      `set default role none for ${clone}`,
    );
    await turn(target.secret);
    expect(await rightsOf(clone)).toEqual(await rightsOf(user));
  });

  test('what the base has lost since, the clone loses at its next turn', async () => {
    await sql(
      `create table \`${database}\`.\`kept\` (a int)`,
      `grant select, insert on \`${database}\`.kept to ${user} with grant option`,
    );
    const first = await turn(target.secret);
    const second = await turn(first);
    await sql(
      `revoke delete, update on \`${database}\`.* from ${user}`,
      `revoke insert, grant option on \`${database}\`.kept from ${user}`,
      `grant drop on \`${database}\`.* to ${clone}`,
      `grant create on \`${database}\`.kept to ${clone}`,
    );
    await turn(second);
    expect(await rightsOf(clone)).toEqual(await rightsOf(user));
  });

  test.each([
    ['more than ALL can be taken from', 'all', 'select, insert'],
    ['less than ALL grows to it', 'select, insert', 'all'],
  ])('%s', async (_, before, after) => {
    await sql(`grant ${before} on \`${database}\`.* to ${user} with grant option`);
    const back = await turn(await turn(target.secret));
    await sql(
      `revoke all on \`${database}\`.* from ${user}`,
      `grant ${after} on \`${database}\`.* to ${user}`,
    );
    await rotator.verify(await turn(back), context());
    expect(await rightsOf(clone)).toEqual(await rightsOf(user));
  });

  test('TLS, limits and expiry of the base become the clone’s, and their removal too', async () => {
    await sql(
      `alter user ${user} require subject '/CN=o''brien \\\\ co' and cipher 'X'
         with max_queries_per_hour 900 max_user_connections 7 max_statement_time 2.5 password expire interval 90 day`,
    );
    const to = await create(target.secret);
    await rotator.apply({ from: target.secret, to }, context(), { replacedAt: hourAgo() });
    expect(await optionsOf(user)).toContain(`SUBJECT '/CN=o`);
    expect(await optionsOf(clone)).toBe(await optionsOf(user));
    await sql(
      `alter user ${user} require none with max_queries_per_hour 0 max_user_connections 0 max_statement_time 0 password expire never`,
    );
    const back = await create(to);
    await rotator.apply({ from: to, to: back }, context(), {});
    await turn(back);
    expect(await optionsOf(clone)).toBe(await optionsOf(user));
  });

  test('a turn of an unchanged user writes the password and nothing else', async () => {
    const back = await turn(await turn(target.secret));
    const before = (await changes()).length;
    await turn(back);
    expect((await changes()).slice(before)).toEqual([
      `alter user \`${clone}\`@\`%\` identified via mysql_native_password using … account unlock`,
    ]);
  });

  test('a user under several hosts changes under all of them, and so does its clone', async () => {
    await use({ hosts: ['%', '10.0.0.0/255.0.0.0', '192.168.1.%'] });
    await sql(`grant drop on \`${database}\`.* to ${account(user, '192.168.1.%')}`);
    const to = await turn(target.secret);
    const hosts = ['%', '10.0.0.0/255.0.0.0', '192.168.1.%'];
    expect(await hostsOf(clone, false)).toEqual(hosts);
    for (const host of hosts) expect(await rightsOf(clone, host)).toEqual(await rightsOf(user, host));
    await rotator.retire({ from: target.secret, to }, context());
    expect(await hostsOf(user, true)).toEqual(hosts);
    await sql(`drop user ${account(user, '192.168.1.%')}`);
    const back = await turn(to);
    expect(await hostsOf(user, false)).toEqual(hosts.slice(0, 2));
    await rotator.retire({ from: to, to: back }, context());
    await turn(back);
    // Under the host that the base has lost, the clone would keep a password that no secret holds.
    expect([await hostsOf(clone, false), await hostsOf(clone, true)]).toEqual([
      hosts.slice(0, 2),
      hosts.slice(2),
    ]);
  });

  test('an account that the operating system vouches for is left alone', async () => {
    await sql(`create user ${account(user, 'localhost')} identified via unix_socket`);
    const to = await turn(target.secret);
    await rotator.retire({ from: target.secret, to }, context());
    expect(await hostsOf(user, false)).toEqual(['localhost']);
    expect(await hostsOf(clone, false)).toEqual(['%']);
  });

  test.each([
    ['mysql_old_password', `identified via mysql_old_password using '6f8c114b58f2ce9e'`],
    ['more than one plugin', 'identified via unix_socket or mysql_native_password'],
  ])('an account with %s is refused before anything changes', async (words, clause) => {
    await sql(`create user ${account(user, '10.%')} ${clause}`);
    const refusal = await rejection(turn(target.secret));
    expect(refusal.name).toBe('TargetRefused');
    expect(refusal.message).toContain(`\`${user}\`@\`10.%\` authenticates by ${words}`);
    expect(await hostsOf(clone, false)).toEqual([]);
    await rotator.verify(target.secret, context());
  });

  test('views of the clone work on while it is retired, for they belong to nobody', async () => {
    const to = await turn(target.secret);
    await sql(
      `create definer = ${account(clone, '%')} sql security definer view \`${database}\`.all_orders as select * from \`${database}\`.orders`,
    );
    const back = await turn(to);
    await rotator.retire({ from: to, to: back }, context());
    expect(await sql(`select count(*) > 0 as some from \`${database}\`.all_orders`)).toEqual([{ some: 1 }]);
  });

  test('going back leaves the rights of the clone as they were when it worked', async () => {
    const to = await turn(target.secret);
    const back = await turn(to);
    await rotator.retire({ from: to, to: back }, context());
    await sql(`grant drop on \`${database}\`.* to ${clone}`);
    const rights = await rightsOf(clone);
    await rotator.apply({ from: back, to }, context(), {});
    expect(await rightsOf(clone)).toEqual(rights);
    await rotator.verify(to, context());
  });

  test('a retired user keeps its password, so that undoing it needs nobody who knows it', async () => {
    const to = await turn(target.secret);
    await rotator.retire({ from: target.secret, to }, context());
    await sql(`alter user ${user} account unlock`);
    await rotator.verify(target.secret, context());
  });

  test('nothing is retired in favour of a user that cannot log in, from whichever host', async () => {
    await use({ hosts: ['%', '10.%'] });
    const to = await turn(target.secret);
    await sql(`alter user ${account(clone, '10.%')} account lock`);
    const refusal = await rejection(rotator.retire({ from: target.secret, to }, context()));
    expect(refusal.name).toBe('CredentialUnusable');
    expect(refusal.message).toContain('10.%');
    await rotator.verify(target.secret, context());
  });

  test('two versions whose users do not alternate are refused', async () => {
    const to = withMembers(target.secret, { username: 'somebody_else' });
    expect((await rejection(rotator.apply({ from: target.secret, to }, context(), {}))).name).toBe(
      'SecretMalformed',
    );
  });

  test('two turns at once end with a clone that works', async () => {
    const to = await create(target.secret);
    const apply = () => rotator.apply({ from: target.secret, to }, context(), { replacedAt: hourAgo() });
    // Whoever has waited too long for another's turn asks again.
    await Promise.all([1, 2, 3].map(() => withPatience(apply)));
    await rotator.verify(to, context());
  });

  test('a user in use again is named with the applications that use it, and a repeat is not stopped by its own', async () => {
    const to = await turn(target.secret);
    const session = await target.login(to, 'billing');
    const refusal = await rejection(turn(target.secret));
    expect(refusal.name).toBe('PrincipalInUse');
    expect(refusal.message).toContain('billing at 127.0.0.1 (1)');
    await rotator.apply({ from: target.secret, to }, context(), { replacedAt: hourAgo() });
    await session.close();
  });

  test('a session that has been idle since before the user was replaced stands in nobody’s way', async () => {
    const to = await turn(target.secret);
    const session = await target.login(to, 'forgotten');
    const again = await create(target.secret);
    await rotator.apply({ from: target.secret, to: again }, context(), {
      replacedAt: new Date(Date.now() + 60_000),
    });
    await session.work();
    await session.close();
  });

  test('no password stands in the log of statements, and no verifier in an error', async () => {
    const to = await turn(target.secret);
    const log = await targets.logText();
    expect(log).toMatch(/alter user .* identified via mysql_native_password using '\*[0-9A-F]{40}'/);
    expect(log.includes(String(membersOf(to)['password']))).toBe(false);
  });
});
