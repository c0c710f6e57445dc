import { CredentialUnusable, PermissionMissing, RotorError, TargetRefused } from '../../domain/errors';
import type { Reply, Session } from './connection';

/** A user as one server has it. */
export interface User {
  /** Lower-case SHA-256 of each password that the server accepts. */
  readonly hashes: readonly string[];
}

/** Where a server keeps its users beyond a restart. */
export type Kept = 'acl-file' | 'configuration' | 'nowhere';

/**
 * Reads the user whose passwords are to change. TargetRefused where there is none (to change one would make it),
 * CredentialUnusable where passwords are not what decides. PermissionMissing.
 */
export async function readUser(session: Session, name: string): Promise<User> {
  const answer = await granted(session, '+acl|getuser', 'ACL', 'GETUSER', name);
  if (answer === null) throw new TargetRefused(`${session.where}: there is no user ${name}`);
  const fields = fieldsOf(answer);
  const flags = textsOf(fields.get('flags'));
  if (flags.includes('nopass'))
    throw new CredentialUnusable(
      `${session.where}: user ${name} is nopass and logs in with any password; a first password would lock out whoever ` +
        `uses another one: give it the secret's own (ACL SETUSER ${name} >…) when nobody does`,
    );
  if (!flags.includes('on')) throw new CredentialUnusable(`${session.where}: user ${name} is off`);
  return { hashes: textsOf(fields.get('passwords')) };
}

/** Lets the user log in with one more password, known by its hash. PermissionMissing. */
export async function addPassword(session: Session, name: string, hash: string): Promise<void> {
  await granted(session, '+acl|setuser', 'ACL', 'SETUSER', name, `#${hash}`);
}

/** Takes one password from the user. Only what `readUser` has seen: the server refuses one that is not there. */
export async function removePassword(session: Session, name: string, hash: string): Promise<void> {
  await granted(session, '+acl|setuser', 'ACL', 'SETUSER', name, `!${hash}`);
}

/**
 * Writes the server's users to where it reads them when it starts: its ACL file, or else its configuration, and then
 * with all that was set since. `nowhere` where it has neither. PermissionMissing.
 */
export async function saveUsers(session: Session): Promise<Kept> {
  try {
    await granted(session, '+acl|save', 'ACL', 'SAVE');
    return 'acl-file';
  } catch (error) {
    if (!says(error, 'not configured to use an ACL file')) throw error;
  }
  try {
    await granted(session, '+config|rewrite', 'CONFIG', 'REWRITE');
    return 'configuration';
  } catch (error) {
    if (!says(error, 'running without a config file')) throw error;
    return 'nowhere';
  }
}

/** The server's words are all there is: Redis has one code, ERR, for both. */
function says(error: unknown, words: string): boolean {
  return error instanceof TargetRefused && error.message.includes(words);
}

/** Sends a command, and says by which grant a refusal is mended. */
async function granted(session: Session, grant: string, ...words: readonly string[]): Promise<Reply> {
  try {
    return await session.command(...words);
  } catch (error) {
    if (!(error instanceof RotorError) || error.name !== 'PermissionMissing') throw error;
    throw new PermissionMissing(`${error.message}; grant it ${grant}`);
  }
}

/** Version 2 of the protocol has no maps: names and values take turns. */
function fieldsOf(answer: Reply): ReadonlyMap<string, Reply> {
  const flat = Array.isArray(answer) ? (answer as readonly Reply[]) : [];
  const fields = new Map<string, Reply>();
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name, value] = [flat[at], flat[at + 1]];
    if (typeof name === 'string' && value !== undefined) fields.set(name, value);
  }
  return fields;
}

function textsOf(value: Reply | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
