import {
  CredentialRejected,
  CredentialUnusable,
  PermissionMissing,
  RotorError,
  TargetRefused,
  TargetUnreachable,
  TlsUnavailable,
  UserNameTooLong,
} from '../../domain/errors';
import { numberOf, textOf } from '../error-members';

/** What was being done: the same refusal means different things at the door and inside. */
export type Phase = 'login' | 'work';

/** What MySQL and MariaDB store of a password. It opens no door by itself, and still invites guessing. */
const verifier = /\*[0-9A-F]{40}|\$A\$005\$[^']{63}/g;

/**
 * Gives an error of the driver, of the network or of the server its name in domain/errors.ts.
 *
 * The one place that looks at a driver's errors. Server errors are told by their number
 * (https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html,
 * https://mariadb.com/kb/en/mariadb-error-code-reference/), network errors by Node's codes, TLS errors by the driver's.
 */
export function classified(error: unknown, where: string, phase: Phase): RotorError {
  if (error instanceof RotorError) return error;
  const message = textOf(error, 'message') ?? '';
  const code = textOf(error, 'code');
  const number = numberOf(error, 'errno');
  const said = textOf(error, 'sqlMessage');
  if (number !== undefined && number > 0 && said !== undefined)
    return serverSaid(
      number,
      said,
      `${where}: ${said.replace(verifier, '[redacted]')} (error ${number})`,
      phase,
    );
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return new TlsUnavailable(`${where}: ${message}`);
  // The driver gives everything that ends a TLS handshake one code; a line that broke is not TLS's fault.
  if (code === 'HANDSHAKE_SSL_ERROR')
    return /ECONNRESET|EPIPE|ETIMEDOUT|disconnected before secure/.test(message)
      ? new TargetUnreachable(`${where}: ${message}`)
      : new TlsUnavailable(`${where}: ${message}`);
  if (code === 'AUTH_SWITCH_PLUGIN_ERROR' || code === 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED')
    return new TargetRefused(`${where}: ${pluginText(message)}`);
  // Everything else is the connection's: ECONNREFUSED, ENOTFOUND, the driver's own timeout, a lost connection.
  return new TargetUnreachable(`${where}: ${message === '' ? (code ?? 'no answer') : message}`);
}

function serverSaid(number: number, said: string, text: string, phase: Phase): RotorError {
  switch (number) {
    case 1045: // ER_ACCESS_DENIED_ERROR; MariaDB's answer to a GRANT ON *.* of a right that one does not have, too
    case 1698: // ER_ACCESS_DENIED_NO_PASSWORD_ERROR; and its answer to a GRANT PROXY
      return phase === 'login' ? new CredentialRejected(text) : new PermissionMissing(text);
    case 3118: // ER_ACCOUNT_HAS_BEEN_LOCKED of MySQL
    case 4151: // ER_ACCOUNT_HAS_BEEN_LOCKED of MariaDB
    case 3955: // ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK
    case 4150: // ER_USER_IS_BLOCKED of MariaDB: max_password_errors
      return new CredentialRejected(text);
    case 1044: // ER_DBACCESS_DENIED_ERROR: at the door it is the secret's own database
      return phase === 'login' ? new CredentialUnusable(text) : new PermissionMissing(text);
    case 1820: // ER_MUST_CHANGE_PASSWORD
    case 1862: // ER_MUST_CHANGE_PASSWORD_LOGIN
      return new CredentialUnusable(text);
    case 1095: // ER_KILL_DENIED_ERROR
    case 1142: // ER_TABLEACCESS_DENIED_ERROR
    case 1143: // ER_COLUMNACCESS_DENIED_ERROR
    case 1227: // ER_SPECIFIC_ACCESS_DENIED_ERROR
    case 1370: // ER_PROCACCESS_DENIED_ERROR
    case 1410: // ER_CANT_CREATE_USER_WITH_GRANT
      return new PermissionMissing(text);
    case 1470: // ER_WRONG_STRING_LENGTH, which says itself that it is the user name
      return new UserNameTooLong(text);
    case 1290: // ER_OPTION_PREVENTS_STATEMENT, of which only read_only passes by itself
      return /read.only/i.test(said)
        ? new TargetUnreachable(text)
        : new TargetRefused(optionText(text, said));
    default:
      return passing.has(number) ? new TargetUnreachable(text) : new TargetRefused(text);
  }
}

/** What is over sooner or later without anybody doing anything at this secret. */
const passing = new Set([
  1021, // ER_DISK_FULL: the server waits for space
  1037, // ER_OUTOFMEMORY
  1040, // ER_CON_COUNT_ERROR
  1041, // ER_OUT_OF_RESOURCES
  1053, // ER_SERVER_SHUTDOWN
  1129, // ER_HOST_IS_BLOCKED: max_connect_errors, until FLUSH HOSTS
  1158, // ER_NET_READ_ERROR and the three after it
  1159,
  1160,
  1161,
  1203, // ER_TOO_MANY_USER_CONNECTIONS
  1205, // ER_LOCK_WAIT_TIMEOUT
  1213, // ER_LOCK_DEADLOCK
  1226, // ER_USER_LIMIT_REACHED
  1317, // ER_QUERY_INTERRUPTED
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
  1927, // ER_CONNECTION_KILLED of MariaDB
  1969, // ER_STATEMENT_TIMEOUT of MariaDB
  3024, // ER_QUERY_TIMEOUT of MySQL
  3032, // ER_SERVER_OFFLINE_MODE
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);

/** MariaDB's option is on by default, and comes into force with the first plugin that checks passwords. */
function optionText(text: string, said: string): string {
  if (!said.includes('strict-password-validation')) return text;
  return (
    `${text}; Rotor sends what the server stores of a password, not the password, and this server takes that only ` +
    'with strict_password_validation = OFF'
  );
}

/** The driver's words for this one end in an unfinished link. */
function pluginText(message: string): string {
  const plugin = /unknown plugin (\S+?)\.? /.exec(message)?.[1];
  return plugin === undefined
    ? message
    : `the account asks for authentication plugin ${plugin}, which the driver does not have`;
}
