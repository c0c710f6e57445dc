import {
  CredentialRejected,
  CredentialUnusable,
  PermissionMissing,
  RotorError,
  TargetRefused,
  TargetUnreachable,
  TlsUnavailable,
} from '../../domain/errors';
import { textOf } from '../error-members';
import { isTlsCode } from '../tls';

/** What was being done: the same refusal means different things at the door and inside. */
export type Phase = 'login' | 'work';

/**
 * Gives an error of the driver, of the network or of the server its name in domain/errors.ts.
 *
 * The one place that looks at a driver's errors. Server errors are told by SQLSTATE
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html), network and TLS errors by Node's codes.
 */
export function classified(error: unknown, where: string, phase: Phase): RotorError {
  if (error instanceof RotorError) return error;
  const message = textOf(error, 'message') ?? '';
  const code = textOf(error, 'code');
  if (code !== undefined && /^[0-9A-Z]{5}$/.test(code) && textOf(error, 'severity') !== undefined)
    return serverSaid(code, `${where}: ${serverText(error, message)} (SQLSTATE ${code})`, phase);
  if (isTls(code, message)) return new TlsUnavailable(`${where}: ${message}`);
  if (message.startsWith('SASL: ')) return new TargetRefused(`${where}: ${message}`);
  // Everything else is the connection's: ECONNREFUSED, ENOTFOUND, ETIMEDOUT, the driver's own timeout, a lost connection.
  return new TargetUnreachable(`${where}: ${message === '' ? (code ?? 'no answer') : message}`);
}

function serverSaid(state: string, text: string, phase: Phase): RotorError {
  switch (state) {
    case '28P01': // invalid_password
    case '28000': // invalid_authorization_specification: no such user, NOLOGIN, no line in pg_hba.conf
      return new CredentialRejected(text);
    case '42501': // insufficient_privilege: at the door it is CONNECT on the database
      return phase === 'login' ? new CredentialUnusable(text) : new PermissionMissing(text);
    case '25006': // read_only_sql_transaction: a replica, as after a failover that DNS has not followed yet
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
    case '55P03': // lock_not_available
    case '57014': // query_canceled: statement_timeout
      return new TargetUnreachable(text);
    default:
      // 08 connection exception, 53 insufficient resources (53300 too many connections), 57P operator intervention.
      return /^(?:08|53|57P)/.test(state) ? new TargetUnreachable(text) : new TargetRefused(text);
  }
}

function serverText(error: unknown, message: string): string {
  const detail = textOf(error, 'detail');
  return detail === undefined ? message : `${message}: ${detail}`;
}

/** The driver gives the first of these no code; its text is all there is. */
function isTls(code: string | undefined, message: string): boolean {
  if (message === 'The server does not support SSL connections') return true;
  if (message === 'There was an error establishing an SSL connection') return true;
  return isTlsCode(code);
}
