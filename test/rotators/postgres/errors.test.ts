import net from 'node:net';
import { once } from 'node:events';
import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import type { PostgresTarget } from '../../../local/targets/postgres-target';
import { classified } from '../../../rotators/postgres/errors';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers, newVersion } from '../context';

const alternating = rotators['postgres-alternating'];

describe('what goes wrong at PostgreSQL has a name', () => {
  let targets: PostgresTargets;
  let target: PostgresTarget;
  let user: string;
  let admin: string;
  let version: number;

  beforeAll(async () => {
    targets = await startPostgresTargets({});
    const [row] = await targets.asSuperuser<{ version: number }>(
      `select current_setting('server_version_num')::int as version`,
    );
    version = row?.version ?? 0;
  });
  afterAll(() => targets.stop());
  beforeEach(async () => {
    target = await targets.provision({ adminArn: 'arn:of:admin' });
    user = String(membersOf(target.secret)['username']);
    admin = String(membersOf(target.admin)['username']);
  });

  const turn = async (changes: Parameters<typeof contextFor>[1] = {}) => {
    const context = contextFor(target, changes);
    const to = await alternating.create(target.secret, context, newVersion());
    await alternating.apply({ from: target.secret, to }, context, { replacedAt: new Date(0) });
    return to;
  };
  const verify = (secret: string) => alternating.verify(secret, contextFor(target));
  /** Nothing changed at the target: the credential in use works and no other exists. */
  const untouched = async () => {
    await verify(target.secret);
    expect(await targets.asSuperuser(`select 1 from pg_roles where rolname = '${user}_clone'`)).toEqual([]);
  };

  test('an admin without CREATEROLE lacks a permission, and the message has SQLSTATE and the words of the server', async () => {
    await targets.asSuperuser(`alter role ${admin} nocreaterole`);
    const refusal = await rejection(turn());
    expect(refusal).toMatchObject({ name: 'PermissionMissing', retryable: false });
    expect(refusal.message).toMatch(/permission denied to create role.*\(SQLSTATE 42501\)/);
    await untouched();
  });

  test('from PostgreSQL 16 an admin without ADMIN OPTION on the user lacks a permission; before, it does not', async () => {
    if (version < 160_000) {
      await verify(await turn());
      return;
    }
    await targets.asSuperuser(`revoke admin option for ${user} from ${admin}`);
    const refusal = await rejection(turn());
    expect(refusal.name).toBe('PermissionMissing');
    expect(refusal.message).toContain('ADMIN option');
    await untouched();
  });

  test('from PostgreSQL 16 an admin needs ADMIN OPTION on a clone that somebody else has made', async () => {
    if (version < 160_000) return;
    await targets.asSuperuser(`create role ${user}_clone login password 'x'; grant ${user} to ${user}_clone`);
    expect((await rejection(turn())).name).toBe('PermissionMissing');
    await targets.asSuperuser(`grant ${user}_clone to ${admin} with admin true, inherit false, set false`);
    await verify(await turn());
  });

  test('a user that does not exist is refused by name', async () => {
    target = { ...target, secret: withMembers(target.secret, { username: 'nobody_here' }) };
    const refusal = await rejection(turn());
    expect(refusal.name).toBe('TargetRefused');
    expect(refusal.message).toContain('no user nobody_here');
  });

  test('a database that does not exist is TargetRefused with SQLSTATE 3D000', async () => {
    const refusal = await rejection(verify(withMembers(target.secret, { dbname: 'no_such_place' })));
    expect(refusal.name).toBe('TargetRefused');
    expect(refusal.message).toContain('SQLSTATE 3D000');
  });

  test('a wrong password is CredentialRejected with SQLSTATE 28P01', async () => {
    const refusal = await rejection(verify(target.wrong(target.secret)));
    expect(refusal).toMatchObject({ name: 'CredentialRejected', retryable: true });
    expect(refusal.message).toContain('SQLSTATE 28P01');
  });

  test('a login without CONNECT on its database is CredentialUnusable', async () => {
    await targets.asSuperuser(
      `revoke connect on database ${String(membersOf(target.secret)['dbname'])} from ${user}`,
    );
    expect((await rejection(verify(target.secret))).name).toBe('CredentialUnusable');
  });

  test('an admin without CONNECT on its own database lacks a permission', async () => {
    await targets.asSuperuser('create database walled');
    await targets.asSuperuser('revoke connect on database walled from public');
    const refusal = await rejection(turn({ admin: withMembers(target.admin, { dbname: 'walled' }) }));
    expect(refusal.name).toBe('PermissionMissing');
    await untouched();
  });

  test('a connection limit that is reached is worth another try', async () => {
    await targets.asSuperuser(`alter role ${user} connection limit 0`);
    const refusal = await rejection(verify(target.secret));
    expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    expect(refusal.message).toContain('SQLSTATE 53300');
  });

  test('a server that takes no writes, as a replica after a failover, is worth another try', async () => {
    await targets.asSuperuser(`alter role ${admin} set default_transaction_read_only to on`);
    const refusal = await rejection(turn());
    expect(refusal).toMatchObject({ name: 'TargetUnreachable', retryable: true });
    expect(refusal.message).toContain('SQLSTATE 25006');
    await untouched();
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
      // The driver's own timer moves only when it is told to.
      jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    });
    afterEach(async () => {
      jest.useRealTimers();
      (await connection).destroy();
      silent.close();
    });

    test('is given up after 5 seconds, in good time before the function is', async () => {
      const { signal } = new AbortController();
      const refused = rejection(alternating.verify(secret, contextFor(target, { signal })));
      await connection;
      jest.advanceTimersByTime(5_000);
      expect(await refused).toMatchObject({ name: 'TargetUnreachable', retryable: true });
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
    ['username', undefined],
    ['password', 7],
    ['port', 'five'],
  ])('an admin secret with a wrong %s is SecretMalformed', async (member, value) => {
    const refusal = await rejection(turn({ admin: withMembers(target.admin, { [member]: value }) }));
    expect(refusal.name).toBe('SecretMalformed');
    expect(refusal.message).toContain(`admin secret`);
    expect(refusal.message).toContain(member);
    await untouched();
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
    const url = `postgres://${user}:${encodeURIComponent(String(password))}@127.0.0.1/shop`;
    const refusal = await rejection(
      alternating.create(withMembers(target.secret, { url }), contextFor(target), newVersion()),
    );
    expect(refusal.name).toBe('SecretMalformed');
    expect(refusal.message).toContain('url');
    expect(refusal.message.includes(String(password))).toBe(false);
  });

  test('a secret with numbers and flags as text, and with defaults left out, is understood', async () => {
    const { port } = membersOf(target.secret);
    await verify(withMembers(target.secret, { port: String(port), ssl: 'false' }));
    const refusal = await rejection(
      verify(withMembers(target.secret, { dbname: undefined, port: undefined })),
    );
    // On 5432 of this machine there may be another server, or none.
    expect(['TargetUnreachable', 'CredentialRejected']).toContain(refusal.name);
  });
});

describe('errors of the driver, the network and the server', () => {
  const serverError = (code: string) => ({ code, severity: 'FATAL', message: 'words of the server' });
  const nodeError = (code: string) => Object.assign(new Error('words of node'), { code });

  test.each([
    ['57P03', 'TargetUnreachable'], // starting up
    ['57P01', 'TargetUnreachable'], // shutting down
    ['08006', 'TargetUnreachable'],
    ['53300', 'TargetUnreachable'],
    ['55P03', 'TargetUnreachable'], // a lock was not to be had
    ['40P01', 'TargetUnreachable'],
    ['28000', 'CredentialRejected'],
    ['28P01', 'CredentialRejected'],
    ['42501', 'PermissionMissing'],
    ['42601', 'TargetRefused'],
  ])('SQLSTATE %s is %s', (code, name) => {
    expect(classified(serverError(code), 'db:5432 as app', 'work')).toMatchObject({
      name,
      message: `db:5432 as app: words of the server (SQLSTATE ${code})`,
    });
  });

  test.each([
    ['ENOTFOUND', 'TargetUnreachable'],
    ['EAI_AGAIN', 'TargetUnreachable'],
    ['ECONNREFUSED', 'TargetUnreachable'],
    ['ECONNRESET', 'TargetUnreachable'],
    ['EHOSTUNREACH', 'TargetUnreachable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TlsUnavailable'],
    ['CERT_HAS_EXPIRED', 'TlsUnavailable'],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'TlsUnavailable'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'TlsUnavailable'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TlsUnavailable'],
    ['EPROTO', 'TlsUnavailable'],
  ])('%s is %s', (code, name) => {
    expect(classified(nodeError(code), 'db:5432 as app', 'login').name).toBe(name);
  });
});
