import { functions } from './authorized-keys-script';
import type { Session } from './connection';
import type { PublicKey, SshSettings } from './definition';
import { notRun, refused, type Outcome } from './errors';

/** One change of the file in which a host has a user's public keys. */
export interface Edit {
  /** `add`: `to` gets what `from` has. `remove`: `from` goes, and `to` has to be there. */
  readonly verb: 'add' | 'remove';
  readonly account: string;
  readonly file: string;
  readonly from: PublicKey;
  readonly to: PublicKey;
  /** Whether a file that is missing may be made, with no line of `from` to take options from: an admin's privilege. */
  readonly anew: boolean;
}

/** The file that sshd reads, by its own pattern. */
export function fileOf(
  { authorizedKeysFile = '.ssh/authorized_keys' }: SshSettings,
  username: string,
): string {
  return authorizedKeysFile.replace(/^%h\//, '').replaceAll('%u', username);
}

/**
 * Changes the file at one host, in one go: the new file is written beside the old one and takes its place, with its owner
 * and its mode. Lines other than `from`'s and `to`'s stay as they are; a last line gets an end if it had none.
 *
 * A line of `to` gets the options of `from`'s line, so that what was restricted stays so. Already done is success.
 */
export async function editAuthorizedKeys(session: Session, edit: Edit): Promise<void> {
  const { output, complaint } = await session.run(scriptFor(edit));
  const outcome = outcomes.find((one) => new RegExp(`^rotor:${one}$`, 'm').test(output));
  const words = (complaint.trim() === '' ? output : complaint).trim().split('\n', 1)[0]?.slice(0, 200) ?? '';
  if (outcome === undefined) throw notRun(session.where, words);
  if (outcome !== 'done') throw refused(outcome, session.where, edit.file, words);
}

const outcomes: readonly Outcome[] = [
  'done',
  'from-missing',
  'to-missing',
  'changed',
  'locked',
  'denied',
  'no-home',
  'no-tools',
];

/**
 * The script with its data in it. Each datum is a here-document of one line, which the shell takes as it is; the schema keeps
 * line ends out, and colons out of names. The last line calls all the others, so that a script which was cut off on its way
 * does nothing.
 *
 * An admin's holds the same script a second time, for the case that root has to hand it on to the account.
 */
export function scriptFor({ verb, account, file, from, to, anew }: Edit): string {
  const line = [to.type, to.blob, to.comment].filter((part) => part !== '').join(' ');
  const data = {
    verb,
    account,
    file: file.startsWith('/') ? file : `./${file}`,
    from: from.blob,
    to: to.blob,
    line,
    anew: anew ? 'yes' : 'no',
  };
  const reading = Object.entries(data).map(
    ([name, value]) => `IFS= read -r ${name} <<'rotor:end'\n${value}\nrotor:end\n`,
  );
  const scriptOf = (work: string) => `${functions}\nmain() {\n${reading.join('')}${work}\n}\nmain\n`;
  const plain = scriptOf('change');
  if (!anew) return plain;
  return scriptOf(
    `if outranks; then\nas_account env HOME="$home" /bin/sh -s <<'rotor:script'\n${plain}rotor:script\nelse\nchange\nfi`,
  );
}
