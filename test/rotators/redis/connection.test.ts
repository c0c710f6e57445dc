import { once } from 'node:events';
import net from 'node:net';
import { startRedis } from '../../../local/targets/redis';
import { startRedisTargets, type RedisTargets } from '../../../local/targets/redis-target';
import type { RehearsalTarget } from '../../../local/targets/target';
import { rotators } from '../../../rotators/registry';
import { noAnswer, refusal } from '../../../rotators/redis/errors';
import { contextFor, inGoodTime, rejection, withMembers } from '../context';

const rotator = rotators['redis-acl'];

describe('a connection to Redis', () => {
  let server: RedisTargets;
  let target: RehearsalTarget;

  beforeAll(async () => {
    server = await startRedisTargets({ tls: true, lines: ['bind 127.0.0.1 127.0.0.2'] });
    target = await server.provision();
  });
  afterAll(() => server.stop());

  const verify = (changes: Readonly<Record<string, unknown>>) =>
    rotator.verify(withMembers(target.secret, changes), contextFor(target));

  test('is encrypted where the secret says so, under its own authority', async () => {
    await verify({});
    await verify({ host: 'localhost' });
  });

  test('does not trust a certificate that nothing vouches for', async () => {
    const error = await rejection(verify({ sslrootcert: undefined }));
    expect(error).toMatchObject({ name: 'TlsUnavailable', retryable: false });
  });

  test('does not trust a certificate for another name', async () => {
    expect(await rejection(verify({ host: '127.0.0.2' }))).toMatchObject({
      name: 'TlsUnavailable',
      message: expect.stringContaining('127.0.0.2') as string,
    });
  });

  test('in plain text to a server that wants TLS is no answer', async () => {
    expect((await rejection(verify({ ssl: false }))).name).toBe('TargetUnreachable');
  });

  test('to something else than Redis is refused', async () => {
    const other = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const error = await rejection(verify({ port, ssl: false }));
    other.close();
    expect(error).toMatchObject({
      name: 'TargetRefused',
      message: expect.stringContaining('does not speak') as string,
    });
  });

  test('to a server that never answers ends with the time for it', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => undefined));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as net.AddressInfo;
    const secret = withMembers(target.secret, { port, ssl: false });
    const error = await rejection(
      rotator.verify(secret, contextFor(target, { signal: AbortSignal.timeout(100) })),
    );
    silent.close();
    expect(error.name).toBe('TargetUnreachable');
  });
});

describe('a server that knows no HELLO', () => {
  test('quotes part of a long password, which no error shows', async () => {
    const password = Array.from({ length: 120 }, (_, index) => String.fromCharCode(48 + (index % 75))).join(
      '',
    );
    const old = await startRedis({ lines: ['rename-command HELLO ""'] });
    try {
      const { host, port } = old;
      const secret = JSON.stringify({ engine: 'redis', host, port, username: 'app', password });
      const context = { admin: undefined, readAdminAgain: undefined, settings: {}, password: () => 'none' };
      const error = await rejection(rotator.verify(secret, { ...context, signal: inGoodTime() }));
      expect(error).toMatchObject({
        name: 'TargetRefused',
        message: expect.stringContaining('users need Redis 6') as string,
      });
      expect(error.message.includes(password.slice(0, 12))).toBe(false);
    } finally {
      await old.stop();
    }
  });
});

describe('an answer of Redis', () => {
  test.each([
    ['WRONGPASS invalid username-password pair or user is disabled.', 'CredentialRejected'],
    ['NOAUTH Authentication required.', 'CredentialRejected'],
    ["NOPERM this user has no permissions to run the 'acl|setuser' command", 'PermissionMissing'],
    ['LOADING Redis is loading the dataset in memory', 'TargetUnreachable'],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'TargetUnreachable'],
    ["READONLY You can't write against a read only replica.", 'TargetUnreachable'],
    ['BUSY Redis is busy running a script.', 'TargetUnreachable'],
    ['CLUSTERDOWN The cluster is down', 'TargetUnreachable'],
    ['ERR max number of clients reached', 'TargetUnreachable'],
    ['DENIED Redis is running in protected mode because protected mode is enabled', 'TargetRefused'],
    ['ERR syntax error', 'TargetRefused'],
  ])('%s', (message, name) => {
    expect(refusal(message, 'cache:6379 as app')).toMatchObject({
      name,
      message: `cache:6379 as app: ${message}`,
    });
  });

  // What servers before version 6, and services that manage users by an interface of their own, say.
  test.each([
    'ERR unknown command `HELLO`, with args beginning with: `2`, `AUTH`, ',
    "ERR unknown command 'HELLO'",
    "ERR unknown command 'ACL', with args beginning with: 'GETUSER' 'app' ",
    'NOPROTO unsupported protocol version',
  ])('%s: says which version it takes', (message) => {
    expect(refusal(message, 'cache:6379 as app')).toMatchObject({
      name: 'TargetRefused',
      message: expect.stringContaining('Redis 6 or later') as string,
    });
  });

  test.each([
    [
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }),
      'TargetUnreachable',
    ],
    [Object.assign(new AggregateError([], ''), { code: 'ENETUNREACH' }), 'TargetUnreachable'],
    [
      Object.assign(new Error('wrong version number'), { code: 'ERR_SSL_WRONG_VERSION_NUMBER' }),
      'TlsUnavailable',
    ],
    [Object.assign(new Error('expired'), { code: 'CERT_HAS_EXPIRED' }), 'TlsUnavailable'],
    [new Error('Unknown RESP type 72 "H"'), 'TargetRefused'],
  ])('none, because of %s', (error, name) => {
    expect(noAnswer(error, 'cache:6379')).toMatchObject({
      name,
      message: expect.stringMatching(/^cache:6379: \S/) as string,
    });
  });
});
