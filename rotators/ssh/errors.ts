import {
  CredentialRejected,
  CredentialUnusable,
  HostKeyMismatch,
  PermissionMissing,
  RotorError,
  TargetRefused,
  TargetUnreachable,
} from '../../domain/errors';
import { textOf } from '../error-members';

/** What the script that changes a file of keys says at its end. */
export type Outcome =
  'done' | 'from-missing' | 'to-missing' | 'changed' | 'locked' | 'denied' | 'no-home' | 'no-tools';

/**
 * Gives an error of the driver or of the network its name in domain/errors.ts.
 *
 * The one place that looks at a driver's errors: `ssh2` says in `level` where one comes from, and tells the kinds of a
 * failed handshake apart by text alone.
 */
export function classified(error: unknown, where: string): RotorError {
  if (error instanceof RotorError) return error;
  const message = textOf(error, 'message') ?? textOf(error, 'code') ?? 'no answer';
  const said = `${where}: ${message}`;
  if (textOf(error, 'level') === 'client-authentication' || /authentication failures/i.test(message))
    return new CredentialRejected(`${said}: the host does not take this key for this user`);
  if (message.includes('no matching host key format'))
    return new HostKeyMismatch(`${said}: the host has no key of the type that the secret expects`);
  if (message.startsWith('Handshake failed')) return new TargetRefused(said);
  if (message.startsWith('Invalid identification string'))
    return new TargetRefused(`${where}: does not speak SSH`);
  // A host that is starting, or has too many connections, closes before it has said anything.
  return new TargetUnreachable(said);
}

/** Names a host that will not run the command by which its file is changed: SFTP only, a forced command, no shell. */
export function notRun(where: string, words: string): RotorError {
  return new PermissionMissing(
    `${where}: the host did not run /bin/sh for this key${words === '' ? '' : ` and said "${words}"`}; where a key is tied to ` +
      `a command or to SFTP, or its user has no shell, name an admin that has one`,
  );
}

/** Names what the script has met; undefined where it is done. */
export function refused(
  outcome: Exclude<Outcome, 'done'>,
  where: string,
  file: string,
  words: string,
): RotorError {
  switch (outcome) {
    case 'changed':
      return new TargetUnreachable(`${where}: somebody else changed ${file} at the same time`);
    case 'locked':
      return new TargetUnreachable(`${where}: the folder of ${file} was locked for 5 s`);
    case 'denied':
      return new PermissionMissing(`${where}: may not change ${file}: ${words}`);
    case 'no-home':
      return new TargetRefused(`${where}: the user has no home on this host`);
    case 'no-tools':
      return new TargetRefused(`${where}: the host lacks awk or find`);
    case 'from-missing':
      return new TargetRefused(
        `${where}: the old key does not stand in ${file}, so that nobody could say under which options the new one is to; ` +
          'authorizedKeysFile has to name the file that sshd reads, and where the line was removed, it has to be put back',
      );
    case 'to-missing':
      return new CredentialUnusable(
        `${where}: the key to keep does not stand in ${file}: removing the other would leave nobody`,
      );
  }
}
