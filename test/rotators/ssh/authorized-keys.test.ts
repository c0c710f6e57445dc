import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { giveTo, serverIdentity, type ServerIdentity } from '../../../local/targets/scratch';
import { scriptFor, type Edit } from '../../../rotators/ssh/authorized-keys';
import { parsePublicKey } from '../../../rotators/ssh/definition';
import { makeKeyPair } from '../../../rotators/ssh/key-pair';

const [from, to, other] = ['old', 'new', 'other'].map((comment) => makeKeyPair(comment).publicKey) as [
  string,
  string,
  string,
];
const awks = ['/usr/bin/gawk', '/usr/bin/mawk', '/usr/bin/original-awk', '/bin/busybox'].filter((file) =>
  existsSync(file),
);

let home: string;
let keys: string;

beforeEach(async () => {
  home = await fs.mkdtemp(path.join(os.tmpdir(), 'rotor-keys-'));
  keys = path.join(home, '.ssh/authorized_keys');
  await fs.mkdir(path.dirname(keys), { mode: 0o700 });
});
afterEach(() => fs.rm(home, { recursive: true, force: true }));

const write = (text: string) => fs.writeFile(keys, text, { mode: 0o600 });
const read = () => fs.readFile(keys, 'latin1');

interface Run {
  readonly edit?: Partial<Edit>;
  readonly script?: string;
  readonly identity?: ServerIdentity | undefined;
}

/** Runs the script as a host's shell would, and answers what it says at its end. */
async function run({ edit, script, identity }: Run = {}): Promise<string | undefined> {
  const whole = scriptFor({
    verb: 'add',
    account: identity === undefined ? os.userInfo().username : 'nobody',
    file: '.ssh/authorized_keys',
    from: parsePublicKey(from),
    to: parsePublicKey(to),
    anew: false,
    ...edit,
  });
  const shell = spawn('/bin/sh', ['-s'], {
    ...identity,
    cwd: '/',
    env: { PATH: `${home}/bin:/usr/bin:/bin`, HOME: home },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  shell.stdin.end(script ?? whole);
  await once(shell, 'close');
  return /^rotor:(\S+)$/m.exec(output)?.[1];
}

/** Puts a program of this name before the host's own. */
async function shadow(program: string, text: string): Promise<void> {
  await fs.mkdir(path.join(home, 'bin'), { recursive: true });
  await fs.writeFile(path.join(home, 'bin', program), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** The same key under another comment; what decides is the key. */
const renamed = (line: string) => line.replace(/ \S+$/, ' renamed');
const blobOf = (line: string) => parsePublicKey(line).blob;
const quoted = String.raw`command="echo \"a b\" ssh-ed25519 ${'x'}",from="10.0.0.0/8,*.example"`;

const cases: readonly (readonly [title: string, before: string, added: string, removed: string])[] = [
  ['alone', `${from}\n`, `${from}\n${to}\n`, `${to}\n`],
  ['without an end of the line', from, `${from}\n${to}\n`, `${to}\n`],
  [
    'among others, comments and blank lines',
    `# ${from}\n\n${other}\n${from}\n\t\n`,
    `# ${from}\n\n${other}\n${from}\n${to}\n\t\n`,
    `# ${from}\n\n${other}\n${to}\n\t\n`,
  ],
  [
    'with options, which the new one gets',
    `restrict,pty ${from}\n`,
    `restrict,pty ${from}\nrestrict,pty ${to}\n`,
    `restrict,pty ${to}\n`,
  ],
  [
    'with blanks and quotation marks in its options',
    `${quoted} ${from}\n`,
    `${quoted} ${from}\n${quoted} ${to}\n`,
    `${quoted} ${to}\n`,
  ],
  [
    'twice, with different options',
    `no-pty ${from}\nfrom="::1"  ${renamed(from)}\n`,
    `no-pty ${from}\nno-pty ${to}\nfrom="::1"  ${renamed(from)}\nfrom="::1"  ${to}\n`,
    `no-pty ${to}\nfrom="::1"  ${to}\n`,
  ],
  [
    'beside lines that only speak of it',
    `command="x ${from}" ${other} ${blobOf(from)}\n${from}\n`,
    `command="x ${from}" ${other} ${blobOf(from)}\n${from}\n${to}\n`,
    `command="x ${from}" ${other} ${blobOf(from)}\n${to}\n`,
  ],
  [
    'among bytes that are no UTF-8 and ends of lines as Windows has them',
    `# caf\xe9\r\n${other}\r\n${from}\r\n`,
    `# caf\xe9\r\n${other}\r\n${from}\r\n${to}\n`,
    `# caf\xe9\r\n${other}\r\n${to}\n`,
  ],
  ['after blanks', `  ${from}\n`, `  ${from}\n  ${to}\n`, `  ${to}\n`],
];

describe.each(awks)('a file of keys, by %s', (awk) => {
  beforeEach(() => shadow('awk', `exec ${awk}${awk.endsWith('busybox') ? ' awk' : ''} "$@"`));

  test.each(cases)('with the old key %s', async (_, before, added, removed) => {
    await fs.writeFile(keys, Buffer.from(before, 'latin1'), { mode: 0o640 });
    expect(await run()).toBe('done');
    expect(await read()).toBe(added);
    expect(await run()).toBe('done');
    expect(await read()).toBe(added);
    expect(await run({ edit: { verb: 'remove' } })).toBe('done');
    expect(await read()).toBe(removed);
    expect(await run({ edit: { verb: 'remove' } })).toBe('done');
    expect(await read()).toBe(removed);
    expect((await fs.stat(keys)).mode & 0o777).toBe(0o640);
    expect(await fs.readdir(path.dirname(keys))).toEqual(['authorized_keys']);
  });
});

describe('a file of keys', () => {
  test('goes back to what it was', async () => {
    await write(`restrict ${from}\n${other}\n`);
    await run();
    await run({ edit: { verb: 'remove' } });
    const back = { from: parsePublicKey(to), to: parsePublicKey(from) };
    expect(await run({ edit: back })).toBe('done');
    expect(await run({ edit: { ...back, verb: 'remove' } })).toBe('done');
    expect(await read()).toBe(`restrict ${from}\n${other}\n`);
  });

  test('without the old key gets no new one, since nobody knows under which options', async () => {
    await write(`${other}\n`);
    expect(await run()).toBe('from-missing');
    expect(await run({ edit: { anew: true } })).toBe('from-missing');
    expect(await read()).toBe(`${other}\n`);
  });

  test('without the new key keeps the old one', async () => {
    await write(`${from}\n${other}\n`);
    expect(await run({ edit: { verb: 'remove' } })).toBe('to-missing');
    expect(await read()).toBe(`${from}\n${other}\n`);
  });

  test('that is missing is made by an admin, for its user alone, and by nobody else', async () => {
    await fs.rm(path.dirname(keys), { recursive: true });
    expect(await run()).toBe('from-missing');
    expect(existsSync(keys)).toBe(false);
    expect(await run({ edit: { anew: true } })).toBe('done');
    expect(await read()).toBe(`${to}\n`);
    expect((await fs.stat(keys)).mode & 0o777).toBe(0o600);
    expect((await fs.stat(path.dirname(keys))).mode & 0o777).toBe(0o700);
  });

  test('that is a link stays one', async () => {
    await fs.writeFile(path.join(home, 'elsewhere'), `${from}\n`);
    await fs.symlink('../elsewhere', keys);
    expect(await run()).toBe('done');
    expect((await fs.lstat(keys)).isSymbolicLink()).toBe(true);
    expect(await fs.readFile(path.join(home, 'elsewhere'), 'utf8')).toBe(`${from}\n${to}\n`);
  });

  test('may have a name, and keys a comment, that a shell would take for something else', async () => {
    const comment = '$(touch pwned) `touch pwned` "\'; touch pwned; \\n -rf *';
    const file = `a b$(touch pwned)'";\\n/%u`.replace('%u', 'keys');
    await fs.mkdir(path.join(home, path.dirname(file)));
    await fs.writeFile(path.join(home, file), `${from}\n`);
    expect(await run({ edit: { file, to: { ...parsePublicKey(to), comment } } })).toBe('done');
    expect(await fs.readFile(path.join(home, file), 'utf8')).toBe(
      `${from}\n${to.replace(/ new$/, '')} ${comment}\n`,
    );
    expect((await fs.readdir(home)).filter((name) => name === 'pwned')).toEqual([]);
  });

  test('is left alone by a script that was cut off on its way', async () => {
    await write(`${from}\n`);
    const whole = scriptFor({
      verb: 'add',
      account: os.userInfo().username,
      file: '.ssh/authorized_keys',
      from: parsePublicKey(from),
      to: parsePublicKey(to),
      anew: true,
    });
    for (let length = whole.length - 6; length > 0; length -= 97)
      expect(await run({ script: whole.slice(0, length) })).toBeUndefined();
    expect(await read()).toBe(`${from}\n`);
  });

  test('that somebody changes at the same time keeps their change', async () => {
    await write(`${from}\n`);
    await shadow('cp', `/bin/cp "$@" && echo '${other}' >>'${keys}'`);
    expect(await run()).toBe('changed');
    expect(await read()).toBe(`${from}\n${other}\n`);
    expect(await fs.readdir(path.dirname(keys))).toEqual(['authorized_keys']);
  });

  test('takes all of several changes that come at once', async () => {
    await write(`${from}\n`);
    const news = Array.from({ length: 8 }, (_, index) => makeKeyPair(`n${index}`).publicKey);
    /** Whoever has waited too long for the others asks again, as the workflow does. */
    const add = async (line: string): Promise<string | undefined> => {
      const outcome = await run({ edit: { to: parsePublicKey(line) } });
      return outcome === 'locked' ? add(line) : outcome;
    };
    const outcomes = await Promise.all(news.map(add));
    expect(new Set(outcomes)).toEqual(new Set(['done']));
    expect(
      (await read())
        .split('\n')
        .filter((line) => line !== '')
        .sort(),
    ).toEqual([from, ...news].sort());
  });

  test('that may not be written says so, and nothing of it is lost', async () => {
    await write(`${from}\n`);
    const identity = await serverIdentity();
    if (identity !== undefined) await fs.chmod(home, 0o755);
    await giveTo(identity, path.dirname(keys));
    await fs.chmod(path.dirname(keys), 0o500);
    expect(await run({ identity })).toBe('denied');
    expect(await read()).toBe(`${from}\n`);
    await fs.chmod(path.dirname(keys), 0o700);
  });

  test('of a user without a home on the host is not looked for', async () => {
    expect(await run({ edit: { account: 'nobody-of-this-name' } })).toBe('no-home');
  });
});

// Only root may write the files of others.
if (process.getuid?.() === 0)
  describe('a file of keys that an admin changes for another user', () => {
    beforeEach(async () => {
      await shadow('getent', `echo "nobody:x:65534:65534::${home}/of-nobody:/bin/false"`);
      await fs.chmod(home, 0o755);
    });

    test('stays that user’s', async () => {
      const file = path.join(home, 'of-nobody/.ssh/authorized_keys');
      await fs.mkdir(path.dirname(file), { recursive: true });
      await fs.writeFile(file, `${from}\n`, { mode: 0o600 });
      await giveTo(await serverIdentity(), path.dirname(file));
      const { uid } = await fs.stat(file);
      expect(uid).not.toBe(0);
      expect(await run({ edit: { account: 'nobody', anew: true } })).toBe('done');
      expect(await fs.readFile(file, 'utf8')).toBe(`${from}\n${to}\n`);
      expect((await fs.stat(file)).uid).toBe(uid);
    });

    describe('who may put links in its way', () => {
      let theirs: string;
      let roots: string;

      beforeEach(async () => {
        theirs = path.join(home, 'of-nobody');
        roots = path.join(home, 'of-root');
        await fs.mkdir(theirs);
        await fs.mkdir(roots, { mode: 0o755 });
        await giveTo(await serverIdentity(), theirs);
      });
      const asRoot = () => run({ edit: { account: 'nobody', anew: true } });

      test('gets no file made where root alone may make one', async () => {
        await fs.symlink(roots, path.join(theirs, '.ssh'));
        await asRoot();
        expect(await fs.readdir(roots)).toEqual([]);
        await fs.unlink(path.join(theirs, '.ssh'));
        await fs.mkdir(path.join(theirs, '.ssh'));
        await fs.symlink(path.join(roots, 'made'), path.join(theirs, '.ssh/authorized_keys'));
        await giveTo(await serverIdentity(), path.join(theirs, '.ssh'));
        await asRoot();
        expect(await fs.readdir(roots)).toEqual([]);
      });

      test('gets no file changed that root alone may change', async () => {
        const file = path.join(roots, 'kept');
        await fs.writeFile(file, `${from}\n`, { mode: 0o600 });
        await fs.mkdir(path.join(theirs, '.ssh'));
        await fs.symlink(file, path.join(theirs, '.ssh/authorized_keys'));
        await giveTo(await serverIdentity(), path.join(theirs, '.ssh'));
        expect(await asRoot()).not.toBe('done');
        expect(await fs.readFile(file, 'utf8')).toBe(`${from}\n`);
      });

      test('has no say where the folder and all above it are root’s', async () => {
        const file = path.join(roots, 'nobody');
        await fs.writeFile(file, `${from}\n`, { mode: 0o644 });
        expect(await run({ edit: { account: 'nobody', anew: true, file } })).toBe('done');
        expect(await fs.readFile(file, 'utf8')).toBe(`${from}\n${to}\n`);
        expect((await fs.stat(file)).uid).toBe(0);
      });
    });

    test('becomes that user’s where there was none', async () => {
      await fs.mkdir(path.join(home, 'of-nobody'));
      await giveTo(await serverIdentity(), path.join(home, 'of-nobody'));
      expect(await run({ edit: { account: 'nobody', anew: true } })).toBe('done');
      const file = path.join(home, 'of-nobody/.ssh/authorized_keys');
      const nobody = (await serverIdentity())?.uid;
      expect((await fs.stat(file)).uid).toBe(nobody);
      expect((await fs.stat(path.dirname(file))).uid).toBe(nobody);
    });
  });
