import type { PostgresTarget } from '../../../local/targets/postgres-target';
import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers, withPatience, newVersion } from '../context';
import { runAs } from './run-as';

const rotator = rotators['postgres-alternating'];
const hourAgo = () => new Date(Date.now() - 3_600_000);

describe('alternating users at PostgreSQL', () => {
  let targets: PostgresTargets;
  let target: PostgresTarget;
  let user: string;
  let database: string;
  let admin: string;

  beforeAll(async () => {
    targets = await startPostgresTargets({ log: 'ddl' });
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision({ adminArn: 'arn:of:admin' });
    const members = membersOf(target.secret);
    user = String(members['username']);
    database = String(members['dbname']);
    admin = String(membersOf(target.admin)['username']);
  });

  const context = () => contextFor(target);
  /** Creates and applies the next value, forward as a rotation does. */
  const turn = async (from: string) => {
    const to = await rotator.create(from, context(), newVersion());
    await rotator.apply({ from, to }, context(), { replacedAt: hourAgo() });
    return to;
  };
  const sql = <Row extends object>(statement: string, where = database) =>
    targets.asSuperuser<Row>(statement, where);
  /** From PostgreSQL 16 a grant belongs to who made it, and nobody else's REVOKE finds it. */
  const revokeMembership = () =>
    `do $$ begin
       if current_setting('server_version_num')::int >= 160000
       then revoke ${user} from ${user}_clone granted by ${admin}; else revoke ${user} from ${user}_clone; end if;
     end $$`;
  const settingsOf = async (role: string) => {
    const rows = await sql<{ database: string; entry: string }>(
      `select coalesce(d.datname, '') as database, unnest(setconfig) as entry from pg_db_role_setting s
         left join pg_database d on d.oid = s.setdatabase where s.setrole = '${role}'::regrole order by 1, 2`,
    );
    return rows.map((row) => `${row.database}:${row.entry}`);
  };

  test('the two names take turns and the base stays the same', async () => {
    const names = [];
    for (let secret = target.secret, round = 0; round < 4; round++) {
      names.push(rotator.principal(secret, {}));
      secret = await rotator.create(secret, context(), newVersion());
    }
    expect(names).toEqual([user, `${user}_clone`, user, `${user}_clone`]);
  });

  test('what the clone creates belongs to the base, while the base is retired', async () => {
    const clone = await turn(target.secret);
    await rotator.retire({ from: target.secret, to: clone }, context());
    await runAs(targets, clone, 'create table of_clone (id int)');
    const [table] = await sql<{ owner: string }>(
      `select tableowner as owner from pg_tables where schemaname = '${user}' and tablename = 'of_clone'`,
    );
    expect(table?.owner).toBe(user);
    const back = await turn(clone);
    await rotator.verify(back, context());
    await rotator.retire({ from: clone, to: back }, context());
    const session = await target.login(back, 'web');
    await session.work();
    await session.close();
  });

  test('a clone that owns objects stops the rotation, in either direction, with the commands that help', async () => {
    const clone = await turn(target.secret);
    // As a clone of AWS's template is: no role setting, and tables of its own.
    await sql(`alter role ${user}_clone reset role; create table ${user}.stray (id int);
               alter table ${user}.stray owner to ${user}_clone`);
    const command = `REASSIGN OWNED BY "${user}_clone" TO "${user}";`;
    for (const from of [target.secret, clone]) {
      const to = await rotator.create(from, context(), newVersion());
      const refusal = await rejection(rotator.apply({ from, to }, context(), { replacedAt: hourAgo() }));
      expect(refusal.name).toBe('CloneOwnsObjects');
      expect(refusal.message).toContain(`1 in database ${database}`);
      expect(refusal.message).toContain(command);
    }
    await sql(command);
    await rotator.verify(await turn(target.secret), context());
  });

  test('going back to a clone that owns objects leaves it acting as it did', async () => {
    const clone = await turn(target.secret);
    const base = await turn(clone);
    await sql(`alter role ${user}_clone reset role; create table ${user}.stray (id int);
               alter table ${user}.stray owner to ${user}_clone`);
    await rotator.retire({ from: clone, to: base }, context());
    await rotator.apply({ from: base, to: clone }, context(), {});
    const session = await target.login(clone, 'web');
    await session.close();
    expect(await settingsOf(`${user}_clone`)).toEqual([]);
  });

  test('the clone gets the settings of the base in every database, and loses those that the base has lost', async () => {
    await sql(`alter role ${user} set statement_timeout to '5s';
               alter role ${user} set search_path to "$user", 'a b', public, 'with "quotes"';
               alter role ${user} set "shop.tenant" to 'it''s = \\ here';
               alter role ${user} in database ${database} set work_mem to '8MB'`);
    const refusal = await rejection(turn(target.secret));
    expect(refusal.name).toBe('PermissionMissing');
    expect(refusal.message).toContain('GRANT SET ON PARAMETER "shop.tenant"');
    await sql(`grant set on parameter "shop.tenant" to ${admin}`);
    const clone = await turn(target.secret);
    const own = await settingsOf(user);
    expect(own).toHaveLength(4);
    expect(await settingsOf(`${user}_clone`)).toEqual([...own, `:role=${user}`].sort());
    await sql(`alter role ${user} reset statement_timeout; alter role ${user} in database ${database} reset all;
               alter role ${user} set search_path to ''; alter role ${user}_clone set lock_timeout to '1s'`);
    await turn(await turn(clone));
    expect(await settingsOf(`${user}_clone`)).toEqual([...(await settingsOf(user)), `:role=${user}`].sort());
  });

  test('a base that works as an owner role is followed: the clone works as that owner', async () => {
    await sql(`create role ${user}_owner; grant ${user}_owner to ${user};
               grant usage, create on schema ${user} to ${user}_owner; grant all on ${user}.orders to ${user}_owner;
               alter role ${user} set search_path to ${user}; alter role ${user} set role to ${user}_owner`);
    const clone = await turn(target.secret);
    await rotator.verify(clone, context());
    expect(await settingsOf(`${user}_clone`)).toContain(`:role=${user}_owner`);
    const session = await target.login(clone, 'web');
    await session.work();
    await session.close();
  });

  test('the clone gets connection limit and expiry of the base, and their removal too', async () => {
    const limits = async () => {
      const rows = await sql<{ connections: number; until: string | null }>(
        `select rolconnlimit as connections, nullif(rolvaliduntil, 'infinity')::text as until from pg_roles
          where rolname in ('${user}', '${user}_clone') order by rolname`,
      );
      return rows;
    };
    await sql(`alter role ${user} connection limit 7 valid until '2099-05-01 12:30:00.5+00'`);
    const clone = await turn(target.secret);
    const [base, copy] = await limits();
    expect(copy).toEqual(base);
    expect(copy).toMatchObject({ connections: 7 });
    await sql(`alter role ${user} connection limit -1 valid until 'infinity'`);
    await turn(await turn(clone));
    expect((await limits())[1]).toEqual({ connections: -1, until: null });
  });

  test('what the base may do, the clone may do: row security, databases, CONNECT', async () => {
    await sql(`alter role ${user} createdb bypassrls`);
    const rows = await runAs(
      targets,
      await turn(target.secret),
      `create table ${user}.secrets (id int); insert into ${user}.secrets values (1);
       alter table ${user}.secrets enable row level security; alter table ${user}.secrets force row level security`,
      `select count(*)::int as n from ${user}.secrets`,
      `create database ${user}_made`,
    );
    expect(rows).toContainEqual([{ n: 1 }]);
  });

  test('a replication right that the admin cannot pass on stops the rotation instead of getting lost', async () => {
    await sql(`alter role ${user} replication`);
    const refusal = await rejection(turn(target.secret));
    expect(refusal).toMatchObject({ name: 'PermissionMissing' });
    expect(refusal.message).toContain('SQLSTATE 42501');
    expect(await sql(`select 1 from pg_roles where rolname = '${user}_clone'`)).toEqual([]);
  });

  test('TestSecret refuses a clone that does not work as the base', async () => {
    const clone = await turn(target.secret);
    await sql(`alter role ${user}_clone reset role`);
    expect((await rejection(rotator.verify(clone, context()))).name).toBe('CredentialUnusable');
    await sql(`alter role ${user}_clone set role to ${user}; ${revokeMembership()};
               grant connect on database ${database} to ${user}_clone`);
    // PostgreSQL lets it log in with no more than a warning.
    expect((await rejection(rotator.verify(clone, context()))).name).toBe('CredentialUnusable');
  });

  test('apply mends a clone whose membership, password or LOGIN somebody took away', async () => {
    const clone = await turn(target.secret);
    await sql(`${revokeMembership()}; alter role ${user}_clone noinherit nologin password null`);
    const again = await turn(target.secret);
    await rotator.verify(again, context());
    const session = await target.login(again, 'web');
    await session.work();
    await session.close();
    expect((await rejection(rotator.verify(clone, context()))).name).toBe('CredentialRejected');
  });

  test('a retired user keeps its password, so that undoing it needs nobody who knows it', async () => {
    const clone = await turn(target.secret);
    await rotator.retire({ from: target.secret, to: clone }, context());
    await sql(`alter role ${user} login`);
    await rotator.verify(target.secret, context());
  });

  test('nothing is retired in favour of a user that cannot log in', async () => {
    const clone = await turn(target.secret);
    await sql(`alter role ${user}_clone nologin`);
    const refusal = await rejection(rotator.retire({ from: target.secret, to: clone }, context()));
    expect(refusal.name).toBe('CredentialUnusable');
    await rotator.verify(target.secret, context());
  });

  test('two versions whose users do not alternate are refused', async () => {
    const to = withMembers(target.secret, { username: 'somebody_else' });
    const refusal = await rejection(rotator.apply({ from: target.secret, to }, context(), {}));
    expect(refusal.name).toBe('SecretMalformed');
  });

  test('two turns at once end with a clone that works', async () => {
    const to = await rotator.create(target.secret, context(), newVersion());
    const apply = () => rotator.apply({ from: target.secret, to }, context(), { replacedAt: hourAgo() });
    // Whoever has waited too long for another's turn asks again.
    await Promise.all([1, 2, 3].map(() => withPatience(apply)));
    await rotator.verify(to, context());
  });

  test('a user in use again is named with the applications that use it', async () => {
    const clone = await turn(target.secret);
    const session = await target.login(clone, 'billing');
    const refusal = await rejection(turn(target.secret));
    expect(refusal.name).toBe('PrincipalInUse');
    expect(refusal.message).toContain('billing at 127.0.0.1 (1)');
    await session.close();
  });

  test('without pg_read_all_stats usage and reset are refused by name, not answered with nobody', async () => {
    const clone = await turn(target.secret);
    const session = await target.login(clone, 'web');
    await sql(`revoke pg_read_all_stats from ${admin}`);
    for (const attempt of [
      () => rotator.usage(clone, { since: hourAgo(), watchMs: 0 }, context()),
      () => turn(target.secret),
    ]) {
      const refusal = await rejection(attempt());
      expect(refusal.name).toBe('PermissionMissing');
      expect(refusal.message).toContain('pg_read_all_stats');
    }
    await session.close();
  });

  test('no password and no verifier with a known salt stands in the log of statements', async () => {
    const clone = await turn(target.secret);
    const log = await targets.logText();
    expect(log).toMatch(/alter role "app\w*_clone" login password 'SCRAM-SHA-256\$4096:/);
    expect(log.includes(String(membersOf(clone)['password']))).toBe(false);
  });
});
