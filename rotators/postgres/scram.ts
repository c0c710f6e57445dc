import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

/** PostgreSQL's own default. More only slows down every login: what is rotated is long and random. */
const iterations = 4096;

/**
 * Computes what PostgreSQL stores of a password under scram-sha-256, so that the password itself never stands in a
 * statement and so in the server's log. Format and keys are those of RFC 5802, section 3, as in pg_authid.rolpassword.
 */
export async function scramVerifier(password: string, salt: Buffer = randomBytes(16)): Promise<string> {
  const salted = await promisify(pbkdf2)(saslPrep(password), salt, iterations, 32, 'sha256');
  const keyFor = (name: string) => createHmac('sha256', salted).update(name).digest();
  const storedKey = createHash('sha256').update(keyFor('Client Key')).digest('base64');
  const serverKey = keyFor('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** RFC 3454, table C.1.2: spaces that become U+0020. */
const otherSpaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;
/** RFC 3454, table B.1: characters that are dropped. */
const dropped = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|[\u200c\u200d]|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/**
 * Brings a password into the form that client and server hash: RFC 4013, without its prohibitions.
 *
 * Neither the driver nor PostgreSQL refuses a password that those prohibit, so neither does this.
 */
function saslPrep(password: string): string {
  return password.replace(otherSpaces, ' ').replace(dropped, '').normalize('NFKC');
}
