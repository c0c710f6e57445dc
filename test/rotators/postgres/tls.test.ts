import { startPostgresTargets, type PostgresTargets } from '../../../local/targets/postgres-target';
import type { PostgresTarget } from '../../../local/targets/postgres-target';
import { rotators } from '../../../rotators/registry';
import { contextFor, rejection, withMembers, newVersion } from '../context';

const names = ['postgres-single', 'postgres-alternating'] as const;

/** The loopback address in a form that is not recognised as such: it stands for a host across a network. */
const elsewhere = '::ffff:127.0.0.1';

let encrypted: PostgresTargets;
let plain: PostgresTargets;
let ca: string;

beforeAll(async () => {
  encrypted = await startPostgresTargets({ tls: true });
  plain = await startPostgresTargets({});
  ca = encrypted.server.certificate ?? '';
});
afterAll(async () => {
  await encrypted.stop();
  await plain.stop();
});

// A server of ROTOR_TEST_POSTGRES_URL has the TLS that it has.
const configurable = process.env['ROTOR_TEST_POSTGRES_URL'] === undefined;

(configurable ? describe : describe.skip).each(names)('%s and TLS', (name) => {
  const rotator = rotators[name];
  let target: PostgresTarget;

  beforeEach(async () => {
    target = await encrypted.provision({ adminArn: 'arn:of:admin' });
  });

  const lastLogin = async (targets: PostgresTargets) =>
    (await targets.logText())
      .split('\n')
      .filter((line) => line.includes('authorized') && line.includes('application_name=rotor'))
      .at(-1);
  const verify = (secret: string) => rotator.verify(secret, contextFor(target));

  test.each([[true], ['true']])(
    'ssl %p is TLS with a certificate that the secret vouches for',
    async (ssl) => {
      await verify(withMembers(target.secret, { ssl, sslrootcert: ca }));
      expect(await lastLogin(encrypted)).toContain('SSL enabled');
    },
  );

  test('a whole rotation runs over TLS, with the admin too', async () => {
    const from = withMembers(target.secret, { ssl: true, sslrootcert: ca });
    const to = await rotator.create(from, contextFor(target), newVersion());
    await rotator.apply({ from, to }, contextFor(target), { replacedAt: new Date(0) });
    expect(await lastLogin(encrypted)).toContain('SSL enabled');
    await rotator.verify(to, contextFor(target));
    await rotator.retire({ from, to }, contextFor(target));
    expect(await lastLogin(encrypted)).toContain('SSL enabled');
  });

  test('an admin whose secret asks for TLS gets it, although the application goes without', async () => {
    const from = withMembers(target.secret, { ssl: false });
    const context = contextFor(target, {
      admin: withMembers(target.admin, { ssl: true, sslrootcert: ca }),
    });
    const to = await rotator.create(from, context, newVersion());
    await rotator.apply({ from, to }, context, {});
    expect(await lastLogin(encrypted)).toContain('SSL enabled');
  });

  test('a certificate that nobody vouches for is TlsUnavailable', async () => {
    const refusal = await rejection(verify(withMembers(target.secret, { ssl: true })));
    expect(refusal).toMatchObject({ name: 'TlsUnavailable', retryable: false });
  });

  test('a certificate for another name is TlsUnavailable', async () => {
    const secret = withMembers(target.secret, { ssl: true, sslrootcert: ca, host: elsewhere });
    expect((await rejection(verify(secret))).name).toBe('TlsUnavailable');
  });

  test.each([[false], ['false'], [undefined]])(
    'ssl %p goes without TLS on the loopback interface',
    async (ssl) => {
      await verify(withMembers(target.secret, { ssl }));
      expect(await lastLogin(encrypted)).not.toContain('SSL enabled');
    },
  );

  test.each([
    [true, '127.0.0.1'],
    [undefined, elsewhere],
  ])('ssl %p at %s never falls back to plain text where the target has no TLS', async (ssl, host) => {
    const there = await plain.provision({ adminArn: 'arn:of:admin' });
    const before = (await plain.logins()).accepted.length;
    const from = withMembers(there.secret, { ssl, host });
    const admin = withMembers(there.admin, { host });
    const to = await rotator.create(from, contextFor(there), newVersion());
    for (const attempt of [
      () => rotator.verify(from, contextFor(there, { admin })),
      () => rotator.apply({ from, to }, contextFor(there, { admin }), {}),
    ])
      expect((await rejection(attempt())).name).toBe('TlsUnavailable');
    expect((await plain.logins()).accepted.length).toBe(before);
  });

  test('only a host that says so may go without TLS elsewhere', async () => {
    await verify(withMembers(target.secret, { ssl: false, host: elsewhere }));
    expect(await lastLogin(encrypted)).not.toContain('SSL enabled');
  });
});
