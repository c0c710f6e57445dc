import {
  CredentialRejected,
  PermissionMissing,
  RotorError,
  TargetRefused,
  TargetUnreachable,
  TlsUnavailable,
} from '../../domain/errors';
import { textOf } from '../error-members';
import { isTlsCode } from '../tls';

/** A connection was given up before the server had answered, for a reason that has no error of its own. */
export class NoAnswer extends Error {}

/** First words of answers that another try may find gone: a failover, a start, a script that blocks, a split cluster. */
const passing = new Set([
  'LOADING',
  'MASTERDOWN',
  'READONLY',
  'BUSY',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'UNBLOCKED',
]);

/** Words of servers that know no users: HELLO and named users came with version 6. */
const beforeUsers =
  /^(?:NOPROTO\b|ERR unknown (?:sub)?command [`'"]?(?:HELLO|ACL)\b|ERR wrong number of arguments for 'auth')/i;

/**
 * Gives an answer of the server its name in domain/errors.ts, by its first word, which is Redis's code of an error.
 *
 * With the function below, the one place that looks at what server, network and TLS say.
 */
export function refusal(message: string, where: string): RotorError {
  // A server that lacks HELLO quotes what came after it up to 128 characters, and no redaction knows part of a password.
  const said = `${where}: ${message.replace(/, with args beginning with:.*/s, '')}`;
  const code = message.split(' ', 1)[0] ?? '';
  if (code === 'WRONGPASS' || code === 'NOAUTH') return new CredentialRejected(said);
  if (code === 'NOPERM') return new PermissionMissing(said);
  if (passing.has(code) || message.startsWith('ERR max number of clients reached'))
    return new TargetUnreachable(said);
  if (beforeUsers.test(message))
    return new TargetRefused(
      `${said}; users need Redis 6 or later and the commands HELLO and ACL, which managed services refuse`,
    );
  return new TargetRefused(said);
}

/** Names what kept the server from answering: network, TLS, or bytes that are no Redis protocol. */
export function noAnswer(error: unknown, where: string): RotorError {
  if (error instanceof RotorError) return error;
  const code = textOf(error, 'code');
  const message = textOf(error, 'message') ?? code ?? 'no answer';
  if (isTlsCode(code)) return new TlsUnavailable(`${where}: ${message}`);
  if (message.startsWith('Unknown RESP type'))
    return new TargetRefused(`${where}: does not speak Redis's protocol`);
  // An attempt at each address of a name that fails has no message of its own.
  return new TargetUnreachable(`${where}: ${message}`);
}
