import type { Row, Session } from '../../../rotators/mysql/connection';
import { allowLogin, lockPrincipal, passwordAccounts, refuseLogin } from '../../../rotators/mysql/accounts';
import { copyAccount } from '../../../rotators/mysql/copy';
import { dialectOf } from '../../../rotators/mysql/dialect';
import { applyToAccounts, retireOnAccounts } from '../../../rotators/mysql/dual';
import { verifierOf } from '../../../rotators/mysql/verifiers';

// What MySQL would be sent. No MySQL runs in these tests: the answers are written as its documentation has them.

const row = (changes: Row = {}): Row => ({
  host: '%',
  plugin: 'caching_sha2_password',
  verifier: verifierOf('caching_sha2_password', 'current'),
  account_locked: 'N',
  ssl_type: '',
  ssl_cipher: '',
  x509_issuer: '',
  x509_subject: '',
  max_questions: 0,
  max_updates: 0,
  max_connections: 0,
  max_user_connections: 0,
  password_lifetime: null,
  ...changes,
});

function talk(version: string, answers: readonly (readonly [pattern: RegExp, rows: readonly Row[]])[]) {
  const changes: string[] = [];
  const session: Session = {
    version,
    id: 7,
    query: (statement) => {
      const [, rows] = answers.find(([pattern]) => pattern.test(statement)) ?? [];
      if (/^(?:alter|create|grant|revoke|set default)/.test(statement))
        changes.push(
          statement.replace(/'\$A\$005\$[^']{63}'/g, '<verifier>').replace(/'\*[0-9A-F]{40}'/g, '<native>'),
        );
      return Promise.resolve(rows ?? []);
    },
  };
  return { session, changes, dialect: dialectOf(session) };
}

describe('which server speaks what', () => {
  test.each([
    ['8.0.36', 'MySQL', true],
    ['8.0.13', 'MySQL', false],
    ['8.4.3-cluster', 'MySQL', true],
    ['9.1.0', 'MySQL', true],
    ['5.7.44-log', 'MySQL', false],
    ['8.0.35-27 Percona', 'MySQL', true],
    ['10.4.2-MariaDB', 'MariaDB', false],
    ['11.4.3-MariaDB-log', 'MariaDB', false],
  ])('%s is %s, with two passwords: %p', (version, name, keepsTwoPasswords) => {
    expect(dialectOf({ version })).toMatchObject({ name, keepsTwoPasswords });
  });

  test.each([['5.7.5'], ['5.6.51'], ['10.4.1-MariaDB'], ['10.3.39-MariaDB'], ['']])(
    '%j is too old',
    (version) => {
      expect(() => dialectOf({ version })).toThrow(
        expect.objectContaining({ name: 'TargetRefused' }) as Error,
      );
    },
  );
});

describe('what MySQL 8 is sent', () => {
  const template = row({
    ssl_type: 'SPECIFIED',
    x509_issuer: "/CN=o'brien",
    max_user_connections: 7,
    password_lifetime: 90,
  });
  const clauses =
    "require issuer '/CN=o''brien' with max_queries_per_hour 0 max_updates_per_hour 0 max_connections_per_hour 0 " +
    'max_user_connections 7 password expire interval 90 day';
  const server = (clone: readonly Row[]) =>
    talk('8.0.36', [
      [/mysql\.user where User = 'app'/, [template]],
      [/mysql\.user where User = 'app_clone'/, clone],
      [/mysql\.default_roles where User = 'app' /, [{ host: '%', role: 'reader', role_host: '%' }]],
      [
        /show grants for `app`@/,
        [{ grants: 'GRANT SELECT ON `shop`.* TO `app`@`%`' }, { grants: 'GRANT `reader`@`%` TO `app`@`%`' }],
      ],
      [/show grants for `app_clone`@/, [{ grants: 'GRANT SELECT, DELETE ON `shop`.* TO `app_clone`@`%`' }]],
    ]);
  const copy = async ({ session, dialect }: ReturnType<typeof server>) => {
    const [base] = await passwordAccounts(session, dialect, 'app');
    const [clone] = await passwordAccounts(session, dialect, 'app_clone');
    if (base === undefined) throw new Error('no base');
    await copyAccount(session, dialect, base, clone, { user: 'app_clone', password: 'next' });
  };

  test('for a clone that does not exist', async () => {
    const conversation = server([]);
    await copy(conversation);
    expect(conversation.changes).toEqual([
      `create user \`app_clone\`@\`%\` identified with caching_sha2_password as <verifier> ${clauses} account lock`,
      'grant `reader`@`%` to `app_clone`@`%`',
      'grant SELECT on `shop`.* to `app_clone`@`%`',
      'set default role `reader`@`%` to `app_clone`@`%`',
    ]);
  });

  test('for a clone that has drifted', async () => {
    const conversation = server([row()]);
    await copy(conversation);
    expect(conversation.changes).toEqual([
      `alter user \`app_clone\`@\`%\` ${clauses}`,
      'grant `reader`@`%` to `app_clone`@`%`',
      'revoke DELETE on `shop`.* from `app_clone`@`%`',
      'set default role `reader`@`%` to `app_clone`@`%`',
    ]);
  });

  test('to let in and to stop, each account by its own plugin, in one statement', async () => {
    const { session, dialect, changes } = talk('8.0.36', [
      [
        /mysql\.user/,
        [
          row(),
          row({ host: '10.%', plugin: 'mysql_native_password' }),
          row({ host: 'b', account_locked: 'Y' }),
        ],
      ],
    ]);
    const accounts = await passwordAccounts(session, dialect, 'app');
    await allowLogin(session, dialect, accounts.slice(0, 2), 'next');
    await refuseLogin(session, accounts);
    expect(changes).toEqual([
      'alter user `app`@`%` identified with caching_sha2_password as <verifier>, `app`@`10.%` identified with mysql_native_password as <native> account unlock',
      'alter user `app`@`%`, `app`@`10.%` account lock',
    ]);
  });

  test('MySQL 5.7 is asked for no roles', async () => {
    const asked: string[] = [];
    const session: Session = {
      version: '5.7.44',
      id: 7,
      query: (statement) => {
        asked.push(statement);
        return Promise.resolve([row({ plugin: 'mysql_native_password' })]);
      },
    };
    expect(await passwordAccounts(session, dialectOf(session), 'app')).toHaveLength(1);
    expect(asked.join()).not.toContain('default_roles');
  });

  test('IAM’s plugin is nobody’s password', async () => {
    const { session, dialect } = talk('8.0.36', [
      [/mysql\.user/, [row({ plugin: 'AWSAuthenticationPlugin' })]],
    ]);
    await expect(passwordAccounts(session, dialect, 'app')).rejects.toMatchObject({ name: 'TargetRefused' });
  });
});

describe('the lock of a user', () => {
  const held = (value: number | null) => talk('8.0.36', [[/get_lock/, [{ held: value }]]]).session;

  test('is held, or another rotation is at work and this one is worth another try', async () => {
    await lockPrincipal(held(1), 'app');
    for (const value of [0, null])
      await expect(lockPrincipal(held(value), 'app')).rejects.toMatchObject({
        name: 'TargetUnreachable',
        retryable: true,
      });
  });

  test('has a name of at most 64 characters, another one for each user', async () => {
    const names: string[] = [];
    for (const user of ['app', 'App', 'x'.repeat(80)])
      await lockPrincipal(
        {
          ...held(1),
          query: (statement) => {
            names.push(/get_lock\('([^']*)'/.exec(statement)?.[1] ?? '');
            return Promise.resolve([{ held: 1 }]);
          },
        },
        user,
      );
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^rotor .{43}$/);
  });
});

describe('two passwords of one user', () => {
  const accounts = async (...rows: readonly Row[]) => {
    const conversation = talk('8.0.36', [[/mysql\.user/, rows]]);
    return {
      ...conversation,
      found: await passwordAccounts(conversation.session, conversation.dialect, 'app'),
    };
  };

  test('the new one is set beside the old one', async () => {
    const { session, found, changes } = await accounts(row(), row({ host: '10.%' }));
    await applyToAccounts(session, found, "o'next");
    expect(changes).toEqual([
      "alter user `app`@`%` identified by 'o''next' retain current password account unlock",
      "alter user `app`@`10.%` identified by 'o''next' retain current password account unlock",
    ]);
  });

  test('a repeat sets nothing again: it would push out the one that is to be kept', async () => {
    const { session, found, changes } = await accounts(row(), row({ host: '10.%', account_locked: 'Y' }));
    await applyToAccounts(session, found, 'current');
    expect(changes).toEqual(['alter user `app`@`10.%` account unlock']);
  });

  test('retiring discards the second where the first is the one to stay', async () => {
    const { session, found, changes } = await accounts(row());
    await retireOnAccounts(session, found, 'current');
    expect(changes).toEqual(['alter user `app`@`%` discard old password']);
  });

  test('nothing is discarded where another password comes first', async () => {
    const { session, found, changes } = await accounts(
      row(),
      row({ host: '10.%', verifier: verifierOf('caching_sha2_password', 'else') }),
    );
    await expect(retireOnAccounts(session, found, 'current')).rejects.toMatchObject({
      name: 'CredentialUnusable',
    });
    expect(changes).toEqual([]);
  });
});
