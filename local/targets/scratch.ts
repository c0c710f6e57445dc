import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** Who runs a server that refuses to run as root. */
export interface ServerIdentity {
  readonly uid: number;
  readonly gid: number;
}

/** Chooses the user that such a server runs as: `nobody` in root's place, and otherwise the present one (undefined). */
export async function serverIdentity(): Promise<ServerIdentity | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = await fs.readFile('/etc/passwd', 'utf8').catch(() => '');
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(passwd);
  return { uid: Number(nobody?.[1] ?? 65534), gid: Number(nobody?.[2] ?? 65534) };
}

/** The temporary folder, or /tmp where root's own is closed to the user that the server runs as. */
export async function scratchFolder(): Promise<string> {
  const folder = os.tmpdir();
  if (process.getuid?.() !== 0) return folder;
  for (let at = folder; ; at = path.dirname(at)) {
    if (((await fs.stat(at)).mode & 0o001) === 0) return '/tmp';
    if (at === path.dirname(at)) return folder;
  }
}

/** Gives a file, or a folder with all that is in it, to the user that the server runs as. */
export async function giveTo(identity: ServerIdentity | undefined, target: string): Promise<void> {
  if (identity === undefined) return;
  await fs.lchown(target, identity.uid, identity.gid);
  if (!(await fs.lstat(target)).isDirectory()) return;
  for (const entry of await fs.readdir(target)) await giveTo(identity, path.join(target, entry));
}

/**
 * Returns the folder of this name among the temporary ones, building it first if need be.
 *
 * It appears under its name only when it is complete, so several processes may ask at once; the slower ones throw
 * theirs away.
 */
export async function cached(name: string, build: (folder: string) => Promise<void>): Promise<string> {
  const scratch = await scratchFolder();
  const final = path.join(scratch, name);
  if (await isOurs(final)) return final;
  const building = path.join(scratch, `${name}.${randomBytes(6).toString('hex')}`);
  await fs.mkdir(building, { mode: 0o755 });
  try {
    await build(building);
    await fs.rename(building, final);
    return final;
  } catch (error) {
    await fs.rm(building, { recursive: true, force: true });
    if (await isOurs(final)) return final;
    throw error;
  }
}

/** A folder in a place that everybody may write to is trusted only if this user made it. */
async function isOurs(folder: string): Promise<boolean> {
  const stat = await fs.lstat(folder).catch(() => undefined);
  if (stat === undefined) return false;
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0) return true;
  throw new Error(`${folder} belongs to another user, or others may write to it: remove it`);
}
