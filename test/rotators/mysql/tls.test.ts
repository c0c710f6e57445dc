import { startMysqlTargets, type MysqlTarget, type MysqlTargets } from '../../../local/targets/mysql-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

/** The loopback address in a form that is not recognised as such: it stands for a host across a network. */
const elsewhere = '127.1';

// A server of ROTOR_TEST_MYSQL_URL has the TLS that it has.
const isOwn = process.env['ROTOR_TEST_MYSQL_URL'] === undefined;

(isOwn ? describe : describe.skip)('MariaDB and TLS', () => {
  const rotator = rotators['mysql-alternating'];
  let encrypted: MysqlTargets;
  let plain: MysqlTargets;
  let ca: string;
  let target: MysqlTarget;

  beforeAll(async () => {
    encrypted = await startMysqlTargets({ tls: true });
    plain = await startMysqlTargets({ log: 'all' });
    ca = encrypted.server.certificate ?? '';
  });
  afterAll(async () => {
    await encrypted.stop();
    await plain.stop();
  });
  beforeEach(async () => {
    target = await encrypted.provision({ adminArn: 'arn:of:admin' });
  });

  const verify = (secret: string) => rotator.verify(secret, contextFor(target));
  const named = (secret: string) => withMembers(secret, { host: 'localhost' });
  /** From now on the account gets in with TLS only. */
  const requireTls = (secret: string) =>
    encrypted.asSuperuser(`alter user ${String(membersOf(secret)['username'])} require ssl`);

  test.each([[true], ['true']])(
    'ssl %p is TLS with a certificate that the secret vouches for',
    async (ssl) => {
      await requireTls(target.secret);
      await verify(withMembers(named(target.secret), { ssl, sslrootcert: ca }));
      expect((await rejection(verify(withMembers(target.secret, { ssl: false })))).name).toBe(
        'CredentialRejected',
      );
    },
  );

  test('a whole rotation runs over TLS, with the admin too', async () => {
    await requireTls(target.secret);
    await requireTls(target.admin);
    const from = withMembers(named(target.secret), { ssl: true, sslrootcert: ca });
    const context = contextFor(target, { admin: named(target.admin) });
    const to = await rotator.create(from, context, { versionId: 'next', others: [] });
    await rotator.apply({ from, to }, context, { replacedAt: new Date(0) });
    await rotator.verify(to, context);
    await rotator.retire({ from, to }, context);
  });

  test('an admin whose secret asks for TLS gets it, although the application goes without', async () => {
    await requireTls(target.admin);
    const from = withMembers(named(target.secret), { ssl: false });
    const context = contextFor(target, {
      admin: withMembers(named(target.admin), { ssl: true, sslrootcert: ca }),
    });
    const to = await rotator.create(from, context, { versionId: 'next', others: [] });
    await rotator.apply({ from, to }, context, {});
    await rotator.verify(to, context);
  });

  test('a certificate that nobody vouches for is TlsUnavailable', async () => {
    const refusal = await rejection(verify(withMembers(named(target.secret), { ssl: true })));
    expect(refusal).toMatchObject({ name: 'TlsUnavailable', retryable: false });
  });

  test('a certificate for another name is TlsUnavailable, and so is an address, which the driver cannot compare', async () => {
    for (const [host, words] of [
      [elsewhere, 'altnames'],
      ['127.0.0.1', 'names an address'],
    ] as const) {
      const refusal = await rejection(
        verify(withMembers(target.secret, { ssl: true, sslrootcert: ca, host })),
      );
      expect(refusal.name).toBe('TlsUnavailable');
      expect(refusal.message).toContain(words);
    }
  });

  test.each([[false], ['false'], [undefined]])(
    'ssl %p goes without TLS on the loopback interface',
    async (ssl) => {
      await verify(withMembers(target.secret, { ssl }));
    },
  );

  test.each([
    [true, 'localhost'],
    [undefined, elsewhere],
  ])('ssl %p at %s never falls back to plain text where the target has no TLS', async (ssl, host) => {
    const there = await plain.provision({ adminArn: 'arn:of:admin' });
    const before = (await plain.logins()).accepted.length;
    const from = withMembers(there.secret, { ssl, host });
    const context = contextFor(there, { admin: withMembers(there.admin, { host }) });
    const to = await rotator.create(from, context, { versionId: 'next', others: [] });
    for (const attempt of [
      () => rotator.verify(from, context),
      () => rotator.apply({ from, to }, context, {}),
    ]) {
      const refusal = await rejection(attempt());
      expect(refusal.name).toBe('TlsUnavailable');
      expect(refusal.message).toContain('does not support secure connection');
    }
    expect((await plain.logins()).accepted.length).toBe(before);
  });

  test('only a host that says so may go without TLS elsewhere', async () => {
    await verify(withMembers(target.secret, { ssl: false, host: elsewhere }));
  });
});
