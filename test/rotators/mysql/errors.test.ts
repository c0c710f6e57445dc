import net from 'node:net';
import { once } from 'node:events';
import {
  account,
  startMysqlTargets,
  type MysqlTarget,
  type MysqlTargets,
} from '../../../local/targets/mysql-target';
import { classified } from '../../../rotators/mysql/errors';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';
import { startRunningTime } from '../../running-time';

const alternating = rotators['mysql-alternating'];

describe('what goes wrong at MariaDB has a name', () => {
  let targets: MysqlTargets;
  let target: MysqlTarget;
  let user: string;
  let database: string;
  let admin: string;

  beforeAll(async () => {
    targets = await startMysqlTargets();
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision({ adminArn: 'arn:of:admin' });
    user = String(membersOf(target.secret)['username']);
    database = String(membersOf(target.secret)['dbname']);
    admin = String(membersOf(target.admin)['username']);
  });

  const turn = async (changes: Parameters<typeof contextFor>[1] = {}) => {
    const context = contextFor(target, changes);
    const to = await alternating.create(target.secret, context, { versionId: 'next', others: [] });
    await alternating.apply({ from: target.secret, to }, context, { replacedAt: new Date(0) });
    return to;
  };
  const verify = (secret: string) => alternating.verify(secret, contextFor(target));
  const live = async (name: string) =>
    (
      await targets.asSuperuser(`select 1 from mysql.global_priv where User = '${name}'
        and coalesce(json_value(Priv, '$.account_locked'), '0') not in ('1', 'true')`)
    ).length;
  /** The credential in use works and no other does. */
  const untouched = async () => {
    await verify(target.secret);
    expect(await live(`${user}_clone`)).toBe(0);
  };

  test.each([
    ['CREATE USER', () => `revoke create user on *.* from ${admin}`, 'CREATE USER'],
    ['SELECT on the accounts', () => `revoke select on mysql.* from ${admin}`, 'SELECT command denied'],
    [
      'what the user has, to pass it on',
      () => `revoke all on \`${database}\`.* from ${admin}`,
      'it lacks: grant SELECT',
    ],
    [
      'GRANT OPTION',
      () => `revoke grant option on \`${database}\`.* from ${admin}`,
      'it lacks: grant SELECT',
    ],
  ])('an admin without %s lacks a permission, in the server’s words', async (_, statement, words) => {
    await targets.asSuperuser(statement());
    const refusal = await rejection(turn());
    expect(refusal).toMatchObject({ name: 'PermissionMissing', retryable: false });
    expect(refusal.message).toContain(words);
    await untouched();
  });

  test('a right for the whole server that the admin does not have is PermissionMissing, not a rejected admin', async () => {
    await targets.asSuperuser(`grant reload on *.* to ${user}`);
    const refusal = await rejection(turn());
    expect(refusal.name).toBe('PermissionMissing');
    expect(refusal.message).toContain('it lacks: grant RELOAD on *.*');
    await untouched();
  });

  test('a user that does not exist is refused by name', async () => {
    target = { ...target, secret: withMembers(target.secret, { username: 'nobody_here' }) };
    const refusal = await rejection(turn());
    expect(refusal.name).toBe('TargetRefused');
    expect(refusal.message).toContain('no user nobody_here');
  });

  test('a wrong password, a locked account and an unknown user are CredentialRejected', async () => {
    const numbers = [];
    for (const secret of [
      target.wrong(target.secret),
      withMembers(target.secret, { username: 'nobody_here' }),
    ])
      numbers.push((await rejection(verify(secret))).message.slice(-12));
    await targets.asSuperuser(`alter user ${user} account lock`);
    const refusal = await rejection(verify(target.secret));
    expect(refusal).toMatchObject({ name: 'CredentialRejected', retryable: true });
    expect([...numbers, refusal.message.slice(-12)]).toEqual([
      '(error 1045)',
      '(error 1045)',
      '(error 4151)',
    ]);
  });

  test('a database that does not exist, or is closed to the user, is CredentialUnusable', async () => {
    await targets.asSuperuser('create database if not exists walled');
    for (const dbname of ['no_such_place', 'walled'])
      expect((await rejection(verify(withMembers(target.secret, { dbname })))).name).toBe(
        'CredentialUnusable',
      );
  });

  test('a password that has expired is CredentialUnusable', async () => {
    await targets.asSuperuser(`alter user ${user} password expire`);
    expect((await rejection(verify(target.secret))).name).toBe('CredentialUnusable');
  });

  test('an anonymous account of the application’s host that goes before the user is CredentialUnusable', async () => {
    await targets.asSuperuser(
      `create user ${account('', '127.0.0.1')} identified by '${String(membersOf(target.secret)['password'])}'`,
      `grant select on \`${database}\`.* to ${account('', '127.0.0.1')}`,
    );
    try {
      const refusal = await rejection(verify(target.secret));
      expect(refusal.name).toBe('CredentialUnusable');
      expect(refusal.message).toContain('works as @127.0.0.1');
    } finally {
      await targets.asSuperuser(`drop user ${account('', '127.0.0.1')}`);
    }
  });

  test('a connection limit that is reached is worth another try', async () => {
    await targets.asSuperuser(`alter user ${user} with max_user_connections 1`);
    const session = await target.login(target.secret, 'web');
    const refusal = await rejection(verify(target.secret));
    expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    expect(refusal.message).toContain('(error 1226)');
    await session.close();
  });

  test('a server that takes no writes, as a replica after a failover, is worth another try', async () => {
    await targets.asSuperuser('set global read_only = 1');
    try {
      const refusal = await rejection(turn());
      expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
      expect(refusal.message).toContain('--read-only');
    } finally {
      await targets.asSuperuser('set global read_only = 0');
    }
    await untouched();
  });

  test('a server that checks passwords by a plugin, and takes no verifiers, is told how to', async () => {
    await targets.asSuperuser(`install soname 'simple_password_check'`);
    try {
      const refusal = await rejection(turn());
      expect(refusal.name).toBe('TargetRefused');
      expect(refusal.message).toContain('strict_password_validation = OFF');
      await untouched();
      await targets.asSuperuser('set global strict_password_validation = 0');
      await verify(await turn());
    } finally {
      await targets.asSuperuser(`uninstall soname 'simple_password_check'`);
    }
  });

  test('an account that asks for a plugin which the driver lacks is refused by its name', async () => {
    await targets.asSuperuser(
      `install soname 'auth_ed25519'`,
      `create user edwards identified via ed25519 using password('x')`,
    );
    const refusal = await rejection(verify(withMembers(target.secret, { username: 'edwards' })));
    expect(refusal.name).toBe('TargetRefused');
    expect(refusal.message).toContain('authentication plugin client_ed25519, which the driver does not have');
  });

  describe('a host that takes the connection and says nothing', () => {
    let silent: net.Server;
    let connection: Promise<net.Socket>;
    let secret: string;

    beforeEach(async () => {
      silent = net.createServer().listen(0, '127.0.0.1');
      await once(silent, 'listening');
      connection = once(silent, 'connection').then(([socket]: net.Socket[]) => {
        if (socket === undefined) throw new Error('no socket');
        return socket.resume();
      });
      secret = withMembers(target.secret, { port: (silent.address() as net.AddressInfo).port });
    });
    afterEach(async () => {
      (await connection).destroy();
      silent.close();
    });

    test('is given up after 5 seconds, in good time before the function is', async () => {
      const { signal } = new AbortController();
      const spent = startRunningTime();
      const refusal = await rejection(alternating.verify(secret, contextFor(target, { signal })));
      expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
      expect(spent()).toBeLessThan(7_000);
    });

    test('is let go of at once when time runs out', async () => {
      const abort = new AbortController();
      const refused = rejection(alternating.verify(secret, contextFor(target, { signal: abort.signal })));
      const closed = once(await connection, 'close');
      abort.abort();
      expect((await refused).name).toBe('TargetUnreachable');
      await closed;
    });
  });

  test.each([
    ['host', 'db.example.com'],
    ['port', 5],
  ])('the admin password is not sent to another %s than its own secret names', async (member, value) => {
    const refusal = await rejection(turn({ admin: withMembers(target.admin, { [member]: value }) }));
    expect(refusal.name).toBe('SecretMalformed');
    await untouched();
  });

  test('an admin secret as RDS keeps it, with user name and password alone, is enough', async () => {
    const { username, password } = membersOf(target.admin);
    await verify(await turn({ admin: JSON.stringify({ username, password }) }));
  });

  test('a secret that repeats its password elsewhere is not rotated', async () => {
    const { password } = membersOf(target.secret);
    const url = `mysql://${user}:${encodeURIComponent(String(password))}@127.0.0.1/shop`;
    const refusal = await rejection(
      alternating.create(withMembers(target.secret, { url }), contextFor(target), {
        versionId: 'next',
        others: [],
      }),
    );
    expect(refusal.name).toBe('SecretMalformed');
    expect(refusal.message).toContain('url');
    expect(refusal.message.includes(String(password))).toBe(false);
  });

  test('a secret with numbers and flags as text is understood', async () => {
    await verify(
      withMembers(target.secret, { port: String(membersOf(target.secret)['port']), ssl: 'false' }),
    );
  });
});

describe('errors of the driver, the network and the server', () => {
  const serverError = (errno: number, sqlMessage = 'words of the server') => ({
    errno,
    sqlMessage,
    message: sqlMessage,
  });
  const nodeError = (code: string, message = 'words of node') =>
    Object.assign(new Error(message), { code, errno: -1 });

  test.each([
    [1040, 'TargetUnreachable'], // too many connections
    [1129, 'TargetUnreachable'], // host blocked
    [1205, 'TargetUnreachable'], // a lock was not to be had
    [1836, 'TargetUnreachable'], // read only
    [3118, 'CredentialRejected'], // locked, MySQL
    [3955, 'CredentialRejected'], // locked after failed logins
    [4150, 'CredentialRejected'], // blocked after failed logins
    [1862, 'CredentialUnusable'],
    [1142, 'PermissionMissing'],
    [1095, 'PermissionMissing'],
    [1227, 'PermissionMissing'],
    // No such session: the next look shows whether that matters.
    [1094, 'TargetRefused'],
    [1470, 'UserNameTooLong'],
    [1064, 'TargetRefused'],
    [3159, 'TargetRefused'], // TLS is required and the secret declines it
  ])('error %i is %s', (errno, name) => {
    expect(classified(serverError(errno), 'db:3306 as app', 'work')).toMatchObject({
      name,
      message: `db:3306 as app: words of the server (error ${String(errno)})`,
    });
  });

  test.each([
    [1045, 'CredentialRejected', 'PermissionMissing'],
    [1044, 'CredentialUnusable', 'PermissionMissing'],
  ])('error %i is %s at the door and %s inside', (errno, login, work) => {
    expect(classified(serverError(errno), 'db', 'login').name).toBe(login);
    expect(classified(serverError(errno), 'db', 'work').name).toBe(work);
  });

  test('no verifier stands in a message, although the server quotes the statement that it does not understand', () => {
    const near = `You have an error near ''*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29' as '$A$005$${'x'.repeat(63)}''`;
    expect(classified(serverError(1064, near), 'db', 'work').message).toBe(
      "db: You have an error near ''[redacted]' as '[redacted]'' (error 1064)",
    );
  });

  test.each([
    ['ENOTFOUND', 'TargetUnreachable'],
    ['ECONNREFUSED', 'TargetUnreachable'],
    ['PROTOCOL_CONNECTION_LOST', 'TargetUnreachable'],
    ['ETIMEDOUT', 'TargetUnreachable'],
    ['HANDSHAKE_NO_SSL_SUPPORT', 'TlsUnavailable'],
    ['HANDSHAKE_SSL_ERROR', 'TlsUnavailable'],
    ['AUTH_SWITCH_PLUGIN_ERROR', 'TargetRefused'],
  ])('%s is %s', (code, name) => {
    expect(classified(nodeError(code), 'db:3306 as app', 'login').name).toBe(name);
  });

  test('a line that breaks during the TLS handshake is a line that broke', () => {
    const error = nodeError('HANDSHAKE_SSL_ERROR', 'read ECONNRESET');
    expect(classified(error, 'db', 'login').name).toBe('TargetUnreachable');
  });
});
