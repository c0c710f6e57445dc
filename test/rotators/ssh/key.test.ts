import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { once } from 'node:events';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {
  startSshTargets,
  type SshProvision,
  type SshTarget,
  type SshTargets,
} from '../../../local/targets/ssh-target';
import { fingerprint } from '../../../rotators/ssh/definition';
import { classified } from '../../../rotators/ssh/errors';
import { makeKeyPair } from '../../../rotators/ssh/key-pair';
import { rotators } from '../../../rotators/registry';
import { contextFor, membersOf, rejection, withMembers } from '../context';

const rotator = rotators['ssh-key'];

const create = (from: string, target: SshTarget) =>
  rotator.create(from, contextFor(target), { versionId: 'version-of-the-test', others: [] });
const text = (words: string) => expect.stringContaining(words) as string;

/** Has OpenSSH make a key, of another kind than ours. */
async function keygen(...options: readonly string[]): Promise<{ privateKey: string; publicKey: string }> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'rotor-keygen-'));
  try {
    const file = path.join(folder, 'key');
    execFileSync('ssh-keygen', ['-q', '-f', file, '-C', 'a comment of two words', ...options]);
    return {
      privateKey: await fs.readFile(file, 'utf8'),
      publicKey: await fs.readFile(`${file}.pub`, 'utf8'),
    };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

describe('a key for hosts with OpenSSH', () => {
  let server: SshTargets;

  beforeAll(async () => {
    server = await startSshTargets();
  });
  afterAll(() => server.stop());

  const provision = async (options: SshProvision = {}) => {
    const target = await server.provision(options);
    const files = () => Promise.all(target.hosts.map(({ keys }) => fs.readFile(keys, 'utf8')));
    return { target, files, alone: contextFor(target, { admin: undefined }) };
  };
  const publicOf = (secret: string) => String(membersOf(secret)['publicKey']);

  test('is replaced at every host, with its options, between the lines of others', async () => {
    const others = ['# by hand\n', `from="10.1.2.3" ${makeKeyPair('of somebody else').publicKey}\n`] as const;
    const { target, files, alone } = await provision({
      authorized: (line) => `${others[0]}no-agent-forwarding,environment="A=b c" ${line}\n${others[1]}`,
    });
    const to = await create(target.secret, target);
    await rotator.apply({ from: target.secret, to }, alone, {});
    await rotator.verify(target.secret, alone);
    await rotator.verify(to, alone);
    await rotator.retire({ from: target.secret, to }, alone);
    const expected = `${others[0]}no-agent-forwarding,environment="A=b c" ${publicOf(to)}\n${others[1]}`;
    expect(await files()).toEqual([expected, expected]);
  });

  test('is added at no host while one of three is away, and at all when it is back', async () => {
    const { target, files, alone } = await provision({ hosts: 3 });
    const before = await files();
    const to = await create(target.secret, target);
    const away = target.hosts[1];
    await away?.deafen();
    const refusal = await rejection(rotator.apply({ from: target.secret, to }, alone, {}));
    expect(refusal).toMatchObject({
      name: 'TargetUnreachable',
      message: text(`1 of 3: 127.0.0.1:${String(away?.port)} as`),
    });
    expect(await files()).toEqual(before);
    await away?.listen();
    await rotator.apply({ from: target.secret, to }, alone, {});
    await away?.deafen();
    expect((await rejection(rotator.retire({ from: target.secret, to }, alone))).name).toBe(
      'TargetUnreachable',
    );
    expect((await files()).every((file) => file.includes(publicOf(target.secret)))).toBe(true);
    await away?.listen();
    await rotator.retire({ from: target.secret, to }, alone);
    await rotator.verify(to, alone);
    expect(await target.live()).toBe(1);
  });

  test('that was replaced at one host and not at the other is replaced at both by a repeat', async () => {
    const { target, alone } = await provision();
    const [first] = target.hosts;
    const to = await create(target.secret, target);
    const change = { from: target.secret, to };
    await fs.appendFile(first?.keys ?? '', `${publicOf(to)}\n`);
    await rotator.apply(change, alone, {});
    await fs.writeFile(first?.keys ?? '', `${publicOf(to)}\n`);
    // All of it once more, now that the old key no longer opens the first host.
    await rotator.apply(change, alone, {});
    await rotator.retire(change, alone);
    await rotator.verify(to, alone);
    expect(await target.live()).toBe(1);
  });

  test('is shown to no host that has another key than the secret says', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    const [host] = target.hosts;
    const other = makeKeyPair('').publicKey;
    const secret = withMembers(target.secret, {
      hosts: [{ host: '127.0.0.1', port: host?.port, hostKey: other }],
    });
    const before = (await server.servers.logs()).length;
    const refusal = await rejection(rotator.verify(secret, alone));
    expect(refusal.name).toBe('HostKeyMismatch');
    for (const shown of [
      fingerprint(other),
      fingerprint(host?.hostKey ?? ''),
      `127.0.0.1:${String(host?.port)}`,
    ])
      expect(refusal.message).toContain(shown);
    expect((await server.servers.logs()).slice(before).join('')).not.toContain('userauth');
  });

  test('is shown to no host that has no key of the type which the secret says', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    const { publicKey: hostKey } = await keygen('-t', 'ecdsa', '-N', '');
    const secret = withMembers(target.secret, {
      hosts: [{ host: '127.0.0.1', port: target.hosts[0]?.port, hostKey }],
    });
    expect(await rejection(rotator.verify(secret, alone))).toMatchObject({
      name: 'HostKeyMismatch',
      message: text('no matching host key'),
    });
  });

  test('that is tied to a command is verified without running it, and changed by an admin only', async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'rotor-forced-'));
    try {
      const ran = path.join(folder, 'ran');
      const { target, files, alone } = await provision({
        authorized: (line) => `command="touch ${ran}" ${line}\n`,
      });
      await rotator.verify(target.secret, alone);
      expect(existsSync(ran)).toBe(false);
      const to = await create(target.secret, target);
      const refusal = await rejection(rotator.apply({ from: target.secret, to }, alone, {}));
      expect(refusal).toMatchObject({ name: 'PermissionMissing', message: text('name an admin') });
      await rotator.apply({ from: target.secret, to }, contextFor(target), {});
      await rotator.retire({ from: target.secret, to }, contextFor(target));
      const expected = `command="touch ${ran}" ${publicOf(to)}\n`;
      expect(await files()).toEqual([expected, expected]);
    } finally {
      await fs.rm(folder, { recursive: true, force: true });
    }
  });

  test('for SFTP alone is verified, and its change says what is missing', async () => {
    const { target, alone } = await provision({
      lines: ['ForceCommand internal-sftp', 'Subsystem sftp internal-sftp'],
    });
    await rotator.verify(target.secret, alone);
    const to = await create(target.secret, target);
    expect(await rejection(rotator.apply({ from: target.secret, to }, alone, {}))).toMatchObject({
      name: 'PermissionMissing',
      message: text('SFTP'),
    });
  });

  test('stands in the file that the settings name', async () => {
    const { target } = await provision({ hosts: 1, lines: ['AuthorizedKeysFile /nowhere'] });
    // The one line of configuration that sshd heeds is the first of its kind: this host looks nowhere else.
    expect((await rejection(rotator.verify(target.secret, contextFor(target)))).name).toBe(
      'CredentialRejected',
    );
    const { target: here } = await provision({ hosts: 1 });
    const [host] = here.hosts;
    await fs.rename(host?.keys ?? '', path.join(host?.home ?? '', 'admin_keys'));
    const settings = { authorizedKeysFile: '%h/admin_keys' };
    const own = contextFor(here, { admin: undefined, settings });
    const to = await create(here.secret, here);
    await rotator.apply({ from: here.secret, to }, own, {});
    await rotator.retire({ from: here.secret, to }, own);
    await rotator.verify(to, own);
    expect((await rejection(rotator.verify(here.secret, own))).name).toBe('CredentialRejected');
  });

  test('that logged in by another file than the settings name is not added to that one', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    const to = await create(target.secret, target);
    const elsewhere = { ...alone, settings: { authorizedKeysFile: 'host_key' } };
    expect(await rejection(rotator.apply({ from: target.secret, to }, elsewhere, {}))).toMatchObject({
      name: 'TargetRefused',
      message: text('authorizedKeysFile'),
    });
  });

  test('comes to a host that had no file yet by an admin', async () => {
    const { target } = await provision();
    const to = await create(target.secret, target);
    await fs.rm(target.hosts[1]?.keys ?? '');
    await rotator.apply({ from: target.secret, to }, contextFor(target), {});
    await rotator.verify(to, contextFor(target));
  });

  test('is not removed by an admin where the new one is not', async () => {
    const { target, files } = await provision();
    const before = await files();
    const to = await create(target.secret, target);
    const refusal = await rejection(rotator.retire({ from: target.secret, to }, contextFor(target)));
    expect(refusal.name).toBe('CredentialUnusable');
    expect(await files()).toEqual(before);
  });

  test.each([
    ['RSA, as OpenSSH writes it', ['-t', 'rsa', '-b', '2048', '-N', '']],
    ['RSA, as PEM', ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', '']],
    ['ECDSA', ['-t', 'ecdsa', '-N', '']],
  ])('of the kind %s is taken over, and an Ed25519 key follows it', async (_, options) => {
    const pair = await keygen(...options);
    const { target, alone } = await provision({ hosts: 1, authorized: () => pair.publicKey });
    const from = withMembers(target.secret, pair);
    await rotator.verify(from, alone);
    const to = await create(from, target);
    expect(publicOf(to)).toMatch(/^ssh-ed25519 \S+ a comment of two words$/);
    await rotator.apply({ from, to }, alone, {});
    await rotator.retire({ from, to }, alone);
    await rotator.verify(to, alone);
  });

  test('with a passphrase is refused in words that say so', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    for (const format of [[], ['-m', 'PEM']]) {
      const pair = await keygen('-t', 'rsa', '-b', '2048', '-N', 'a passphrase', ...format);
      const secret = withMembers(target.secret, pair);
      expect(await rejection(rotator.verify(secret, alone))).toMatchObject({
        name: 'SecretMalformed',
        message: text('passphrase'),
      });
      expect((await rejection(create(secret, target))).name).toBe('SecretMalformed');
    }
  });

  test('whose halves do not belong together is refused before any host is asked', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    const secret = withMembers(target.secret, { publicKey: makeKeyPair('').publicKey });
    for (const attempt of [rotator.verify(secret, alone), create(secret, target)])
      expect(await rejection(attempt)).toMatchObject({ name: 'SecretMalformed', message: text('publicKey') });
  });

  test('that the secret holds a second time is refused', async () => {
    const { target } = await provision({ hosts: 1 });
    const secret = withMembers(target.secret, { backup: { pem: membersOf(target.secret)['privateKey'] } });
    expect(await rejection(create(secret, target))).toMatchObject({
      name: 'SecretMalformed',
      message: text('in backup,'),
    });
  });

  test('is worth another try where the host ended the script', async () => {
    const { target, files, alone } = await provision({ hosts: 1, lines: ['ForceCommand kill -9 $$'] });
    const before = await files();
    const to = await create(target.secret, target);
    expect(await rejection(rotator.apply({ from: target.secret, to }, alone, {}))).toMatchObject({
      name: 'TargetUnreachable',
      message: text('by signal'),
    });
    expect(await files()).toEqual(before);
  });

  test.each(['[::1]', 'ssh://127.0.0.1', 'app@127.0.0.1', '127.0.0.1:22', '127.0.0.1 '])(
    'at the host "%s" is looked for nowhere',
    async (host) => {
      const { target, alone } = await provision({ hosts: 1 });
      const { port, hostKey } = target.hosts[0] ?? {};
      const secret = withMembers(target.secret, { hosts: [{ host, port, hostKey }] });
      expect(await rejection(rotator.verify(secret, alone))).toMatchObject({
        name: 'SecretMalformed',
        message: text('hosts.0.host'),
      });
    },
  );

  test('finds something else than SSH', async () => {
    const { target, alone } = await provision({ hosts: 1 });
    const other = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-1.0-museum\r\n');
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const secret = withMembers(target.secret, {
      hosts: [{ host: '127.0.0.1', port, hostKey: target.hosts[0]?.hostKey }],
    });
    expect(await rejection(rotator.verify(secret, alone))).toMatchObject({
      name: 'TargetRefused',
      message: text('does not speak SSH'),
    });
    other.close();
  });
});

describe('a key pair made here', () => {
  test.each(['', 'app', 'a comment of two words'])(
    'is one that OpenSSH reads, with the comment "%s"',
    async (comment) => {
      const { privateKey, publicKey } = makeKeyPair(comment);
      const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'rotor-pair-'));
      try {
        const file = path.join(folder, 'key');
        await fs.writeFile(file, privateKey, { mode: 0o600 });
        const ask = (option: string) =>
          execFileSync('ssh-keygen', [option, '-f', file], { encoding: 'utf8' }).trim();
        expect(ask('-y')).toBe(publicKey);
        expect(ask('-l')).toContain(` ${fingerprint(publicKey)} `);
        expect(
          rotators['ssh-key'].principal(
            JSON.stringify({
              username: 'app',
              hosts: [{ host: 'a', hostKey: publicKey }],
              privateKey,
              publicKey,
            }),
            {},
          ),
        ).toBe(`app ${fingerprint(publicKey)}`);
      } finally {
        await fs.rm(folder, { recursive: true, force: true });
      }
    },
  );
});

describe('an error of the driver', () => {
  test.each([
    [
      Object.assign(new Error('All configured authentication methods failed'), {
        level: 'client-authentication',
      }),
      'CredentialRejected',
    ],
    [Object.assign(new Error('Too many authentication failures'), { code: 2 }), 'CredentialRejected'],
    [
      Object.assign(new Error('Timed out while waiting for handshake'), { level: 'client-timeout' }),
      'TargetUnreachable',
    ],
    [
      Object.assign(new Error('getaddrinfo ENOTFOUND web-1'), { level: 'client-socket', code: 'ENOTFOUND' }),
      'TargetUnreachable',
    ],
    [
      Object.assign(new Error('Connection lost before handshake'), { level: 'protocol' }),
      'TargetUnreachable',
    ],
    [
      Object.assign(new Error('Handshake failed: no matching key exchange algorithm'), {
        level: 'handshake',
      }),
      'TargetRefused',
    ],
    [
      Object.assign(new Error('Handshake failed: no matching host key format'), { level: 'handshake' }),
      'HostKeyMismatch',
    ],
    [new Error('Invalid identification string'), 'TargetRefused'],
  ])('%s', (error, name) => {
    expect(classified(error, 'web-1:22 as app')).toMatchObject({
      name,
      message: expect.stringMatching(/^web-1:22 as app: \S/) as string,
    });
  });
});
