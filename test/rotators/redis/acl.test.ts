import net from 'node:net';
import { once } from 'node:events';
import { startRedisTargets, type RedisTargets } from '../../../local/targets/redis-target';
import type { RehearsalTarget } from '../../../local/targets/target';
import { passwordHash } from '../../../rotators/redis/definition';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

const rotator = rotators['redis-acl'];

const create = (target: RehearsalTarget) =>
  rotator.create(target.secret, contextFor(target), { versionId: 'version-of-the-test', others: [] });

/** Forwards a server and notes what clients send to it. */
async function eavesdrop(port: number): Promise<{ port: number; heard(): string; stop(): Promise<void> }> {
  let heard = '';
  const relay = net.createServer((client) => {
    const server = net.connect(port, '127.0.0.1');
    client.on('data', (chunk) => (heard += chunk.toString()));
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server).pipe(client);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  return {
    port: (relay.address() as net.AddressInfo).port,
    heard: () => heard,
    stop: async () => {
      relay.close();
      await once(relay, 'close');
    },
  };
}

describe('a user of Redis with two passwords', () => {
  let server: RedisTargets;
  let target: RehearsalTarget;
  let user: string;

  beforeAll(async () => {
    server = await startRedisTargets();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    target = await server.provision({ adminArn: 'arn:of:admin' });
    user = String(membersOf(target.secret)['username']);
  });

  const context = (changes: Parameters<typeof contextFor>[1] = {}) => contextFor(target, changes);
  const forward = { replacedAt: new Date(Date.now() - 3_600_000) };

  test('learns a new password by its hash alone', async () => {
    const relay = await eavesdrop(server.server.port);
    const [from, admin] = [target.secret, target.admin ?? ''].map((text) =>
      withMembers(text, { port: relay.port }),
    );
    const to = withMembers(await create(target), { port: relay.port });
    await rotator.apply({ from: from ?? '', to }, context({ admin }), forward);
    await rotator.retire({ from: from ?? '', to }, context({ admin }));
    await relay.stop();
    const password = String(membersOf(to)['password']);
    expect(relay.heard()).toContain(`#${passwordHash(password)}`);
    expect(relay.heard()).not.toContain(password);
    expect(relay.heard()).not.toContain(String(membersOf(target.secret)['password']));
  });

  test('with a password that the secret does not know is left as it is', async () => {
    await server.asOperator('ACL', 'SETUSER', user, '>of somebody else');
    const to = await create(target);
    const refusal = await rejection(rotator.apply({ from: target.secret, to }, context(), forward));
    expect(refusal).toMatchObject({
      name: 'OverlapExhausted',
      message: expect.stringContaining('1 more password ') as string,
    });
    expect(await target.live()).toBe(2);
  });

  test('that several secrets share keeps the passwords of the others', async () => {
    await server.asOperator('ACL', 'SETUSER', user, '>of somebody else');
    const to = await create(target);
    const sharing = context({ settings: { otherPasswords: 'keep' } });
    await rotator.apply({ from: target.secret, to }, sharing, forward);
    await rotator.retire({ from: target.secret, to }, sharing);
    const other = withMembers(target.secret, { password: 'of somebody else' });
    await rotator.verify(other, sharing);
    await rotator.verify(to, sharing);
    expect(await target.live()).toBe(2);
  });

  test('goes back whatever other passwords it has', async () => {
    const to = await create(target);
    await rotator.apply({ from: target.secret, to }, context(), forward);
    await server.asOperator('ACL', 'SETUSER', user, '>of somebody else');
    await rotator.apply({ from: to, to: target.secret }, context(), {});
    await rotator.retire({ from: to, to: target.secret }, context());
    await rotator.verify(target.secret, context());
    expect((await rejection(rotator.verify(to, context()))).name).toBe('CredentialRejected');
  });

  test.each([
    ['nopass', 'CredentialUnusable', 'nopass'],
    ['off', 'CredentialUnusable', 'is off'],
  ])('that is %s is not changed', async (flag, name, words) => {
    await server.asOperator('ACL', 'SETUSER', user, flag);
    const before = await server.asOperator('ACL', 'GETUSER', user);
    const refusal = await rejection(
      rotator.apply({ from: target.secret, to: await create(target) }, context(), forward),
    );
    expect(refusal).toMatchObject({ name, message: expect.stringContaining(words) as string });
    expect(await server.asOperator('ACL', 'GETUSER', user)).toEqual(before);
  });

  test('that does not exist is not made', async () => {
    const secret = withMembers(target.secret, { username: 'nobody' });
    const to = withMembers(secret, { password: 'another one' });
    const refusal = await rejection(rotator.apply({ from: secret, to }, context(), forward));
    expect(refusal).toMatchObject({
      name: 'TargetRefused',
      message: expect.stringContaining('no user nobody') as string,
    });
    expect(await server.asOperator('ACL', 'GETUSER', 'nobody')).toBeNull();
  });

  test('keeps the old password while the new one is not there', async () => {
    const to = await create(target);
    const refusal = await rejection(rotator.retire({ from: target.secret, to }, context()));
    expect(refusal.name).toBe('CredentialUnusable');
    await rotator.verify(target.secret, context());
  });

  test('is told by which grant it could change itself', async () => {
    const change = { from: target.secret, to: await create(target) };
    const refusal = await rejection(rotator.apply(change, context({ admin: undefined }), forward));
    expect(refusal).toMatchObject({
      name: 'PermissionMissing',
      message: expect.stringContaining('+acl|getuser') as string,
    });
  });

  test('changes itself, and a repeat after the retirement goes by the new password', async () => {
    target = await server.provision();
    const alone = context({ admin: undefined });
    const to = await create(target);
    await rotator.apply({ from: target.secret, to }, alone, forward);
    await rotator.retire({ from: target.secret, to }, alone);
    await rotator.apply({ from: target.secret, to }, alone, forward);
    await rotator.retire({ from: target.secret, to }, alone);
    await rotator.verify(to, alone);
    expect(await target.live()).toBe(1);
  });

  test('is verified without the right to ping', async () => {
    await server.asOperator('ACL', 'SETUSER', user, '-ping');
    await rotator.verify(target.secret, context());
  });

  test('whose secret repeats the password elsewhere is refused', async () => {
    const url = `redis://${user}:${String(membersOf(target.secret)['password'])}@cache`;
    const secret = withMembers(target.secret, { url });
    const refusal = await rejection(rotator.create(secret, context(), { versionId: 'v', others: [] }));
    expect(refusal).toMatchObject({
      name: 'SecretMalformed',
      message: expect.stringContaining('in url,') as string,
    });
  });

  test('changes with its name in no version', async () => {
    const to = withMembers(await create(target), { username: 'other' });
    const refusal = await rejection(rotator.apply({ from: target.secret, to }, context(), forward));
    expect(refusal.name).toBe('SecretMalformed');
  });

  test('changes itself at the servers that the new value names', async () => {
    target = await server.provision();
    const alone = context({ admin: undefined });
    const to = withMembers(await create(target), { port: 9 });
    const refusal = await rejection(rotator.apply({ from: target.secret, to }, alone, forward));
    expect(refusal).toMatchObject({
      name: 'TargetUnreachable',
      message: expect.stringContaining('127.0.0.1:9 as') as string,
    });
    expect(await target.live()).toBe(1);
  });

  test.each(['[::1]', 'redis://127.0.0.1', '127.0.0.1:6379', 'app@127.0.0.1', ' 127.0.0.1'])(
    'at the host "%s" is looked for nowhere',
    async (host) => {
      const refusal = await rejection(rotator.verify(withMembers(target.secret, { host }), context()));
      expect(refusal).toMatchObject({
        name: 'SecretMalformed',
        message: expect.stringMatching(/field: host$/) as string,
      });
    },
  );

  test('is not changed by an admin of another server', async () => {
    const to = await create(target);
    const change = { from: target.secret, to };
    const admin = withMembers(target.admin ?? '', { host: 'elsewhere.example' });
    expect((await rejection(rotator.apply(change, context({ admin }), forward))).name).toBe(
      'SecretMalformed',
    );
    const nodes = context({ settings: { nodes: ['127.0.0.1:9'] } });
    expect((await rejection(rotator.apply(change, nodes, forward))).name).toBe('SecretMalformed');
    expect(await target.live()).toBe(1);
  });

  test('waits for a server that has no connection left', async () => {
    await server.asOperator('CONFIG', 'SET', 'maxclients', '1');
    try {
      const refusal = await rejection(rotator.verify(target.secret, context()));
      expect(refusal).toMatchObject({
        name: 'TargetUnreachable',
        message: expect.stringContaining('max number of clients') as string,
      });
    } finally {
      await server.asOperator('CONFIG', 'SET', 'maxclients', '1000');
    }
  });

  test('waits for a replica that has lost its primary', async () => {
    await server.asOperator('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    await server.asOperator('REPLICAOF', '127.0.0.1', '9');
    try {
      const refusal = await rejection(rotator.verify(target.secret, context()));
      expect(refusal).toMatchObject({
        name: 'TargetUnreachable',
        message: expect.stringContaining('MASTERDOWN') as string,
      });
    } finally {
      await server.asOperator('REPLICAOF', 'NO', 'ONE');
    }
  });
});

/** An admin with what the README says is needed, and nothing else. */
async function documentedAdmin(
  server: RedisTargets,
  target: RehearsalTarget,
  users: 'acl-file' | 'configuration',
): Promise<string> {
  const password = 'of the admin as documented';
  const kept = ['+acl|save', ...(users === 'configuration' ? ['+config|rewrite'] : [])];
  const rights = ['-@all', '+acl|getuser', '+acl|setuser', ...kept];
  await server.asOperator('ACL', 'SETUSER', 'documented', 'on', `#${passwordHash(password)}`, ...rights);
  await server.asOperator('ACL', 'SAVE').catch(() => server.asOperator('CONFIG', 'REWRITE'));
  return withMembers(target.admin ?? '', { username: 'documented', password });
}

describe('where a server keeps its users', () => {
  test.each(['acl-file', 'configuration'] as const)(
    'in its %s, a rotation survives a restart',
    async (users) => {
      const server = await startRedisTargets({ users });
      try {
        const target = await server.provision({ adminArn: 'arn:of:admin' });
        const context = contextFor(target, { admin: await documentedAdmin(server, target, users) });
        const to = await create(target);
        await rotator.apply({ from: target.secret, to }, context, {});
        await server.server.restart();
        await rotator.verify(target.secret, context);
        await rotator.verify(to, context);
        await rotator.retire({ from: target.secret, to }, context);
        await server.server.restart();
        await rotator.verify(to, context);
        expect((await rejection(rotator.verify(target.secret, context))).name).toBe('CredentialRejected');
      } finally {
        await server.stop();
      }
    },
  );

  // With an ACL file, Redis ignores requirepass.
  test('in its configuration, a password that began as requirepass is replaced for good', async () => {
    const requirepass = 'the password of a server without names';
    const server = await startRedisTargets({ users: 'configuration', requirepass: `"${requirepass}"` });
    try {
      const { host, port } = server.server;
      const secret = JSON.stringify({ engine: 'redis', host, port, password: requirepass });
      const context = { ...contextFor(await server.provision()), admin: undefined };
      const to = await rotator.create(secret, context, { versionId: 'v', others: [] });
      expect(rotator.principal(secret, {})).toBe('default');
      await rotator.apply({ from: secret, to }, context, {});
      await rotator.verify(secret, context);
      await rotator.retire({ from: secret, to }, context);
      await server.server.restart();
      await rotator.verify(to, context);
      expect((await rejection(rotator.verify(secret, context))).name).toBe('CredentialRejected');
    } finally {
      await server.stop();
    }
  });

  test('nowhere, nothing is changed unless the settings say that this is known', async () => {
    const server = await startRedisTargets({ users: 'nowhere' });
    try {
      const target = await server.provision({ adminArn: 'arn:of:admin' });
      const to = await create(target);
      const change = { from: target.secret, to };
      const refusal = await rejection(rotator.apply(change, contextFor(target, { settings: {} }), {}));
      expect(refusal).toMatchObject({
        name: 'TargetRefused',
        message: expect.stringContaining('neither an ACL file') as string,
      });
      expect(await target.live()).toBe(1);
      // Going back then has nothing to undo, and nothing to complain of.
      await rotator.retire({ from: to, to: target.secret }, contextFor(target, { settings: {} }));
      await rotator.apply(change, contextFor(target), {});
      await rotator.retire(change, contextFor(target));
      await rotator.verify(to, contextFor(target));
      expect(await target.live()).toBe(1);
    } finally {
      await server.stop();
    }
  });
});
