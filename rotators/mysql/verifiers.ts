import { createHash, randomInt } from 'node:crypto';

/** The plugins whose verifier can be computed here, and which the driver can log in with. */
export const passwordPlugins = ['mysql_native_password', 'caching_sha2_password', 'sha256_password'] as const;

export type PasswordPlugin = (typeof passwordPlugins)[number];

/** 5,000 for both plugins; the servers' own default, written as `005` thousands by caching_sha2_password. */
const rounds = 5_000;

const saltLength = 20;

/** Without `$` and quotes, and seven bits wide, as the servers draw them. */
const saltAlphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Computes what the server stores of a password, so that the password itself never stands in a statement and so in a
 * log. Formats as in mysql.user.authentication_string.
 */
export function verifierOf(plugin: PasswordPlugin, password: string, salt: string = newSalt()): string {
  switch (plugin) {
    case 'mysql_native_password':
      return `*${sha1(sha1(Buffer.from(password)))
        .toString('hex')
        .toUpperCase()}`;
    case 'caching_sha2_password':
      return `$A$005$${salt}${sha256Crypt(password, salt)}`;
    case 'sha256_password':
      return `$5$${salt}$${sha256Crypt(password, salt)}`;
  }
}

/** Whether a stored verifier is that of the password; tells a repeat without a login. */
export function isVerifierOf(plugin: PasswordPlugin, password: string, verifier: string): boolean {
  const start = plugin === 'caching_sha2_password' ? '$A$005$' : '$5$';
  const salt = verifier.slice(start.length, start.length + saltLength);
  return verifier === verifierOf(plugin, password, salt);
}

function newSalt(): string {
  return Array.from({ length: saltLength }, () => saltAlphabet[randomInt(saltAlphabet.length)]).join('');
}

/**
 * Ulrich Drepper's SHA-256 crypt (https://www.akkadia.org/drepper/SHA-crypt.txt), step numbers as there, but for the
 * salt: MySQL uses all of its 20 characters, where crypt stops at 16.
 */
function sha256Crypt(password: string, saltText: string): string {
  const [key, salt] = [Buffer.from(password), Buffer.from(saltText, 'latin1')];
  // 4 to 8.
  const other = sha256(key, salt, key);
  // 9 to 12: once more for every bit of the length, from the lowest.
  const bits: Buffer[] = [];
  for (let length = key.length; length > 0; length >>= 1) bits.push(length & 1 ? other : key);
  let digest = sha256(key, salt, repeated(other, key.length), ...bits);
  // 13 to 20.
  const p = repeated(sha256(...Array.from({ length: key.length }, () => key)), key.length);
  const s = repeated(sha256(...Array.from({ length: 16 + (digest[0] ?? 0) }, () => salt)), salt.length);
  // 21.
  const none = Buffer.alloc(0);
  for (let round = 0; round < rounds; round++)
    digest = sha256(
      round % 2 === 1 ? p : digest,
      round % 3 === 0 ? none : s,
      round % 7 === 0 ? none : p,
      round % 2 === 1 ? digest : p,
    );
  return encoded(digest);
}

/** 22: three bytes make four characters, in an order of its own. */
function encoded(digest: Buffer): string {
  const at = (index: number) => digest[index] ?? 0;
  const characters = (value: number, count: number) =>
    Array.from({ length: count }, (_, n) => saltAlphabet[(value >> (6 * n)) & 0x3f]).join('');
  let text = '';
  for (
    let n = 0, [a, b, c] = [0, 10, 20];
    n < 10;
    n++, [a, b, c] = [(c + 1) % 30, (a + 1) % 30, (b + 1) % 30]
  )
    text += characters((at(a) << 16) | (at(b) << 8) | at(c), 4);
  return text + characters((at(31) << 8) | at(30), 3);
}

function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.alloc(length, bytes);
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}
