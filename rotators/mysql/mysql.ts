import type { Row } from './connection';
import { clausesOf, type Clauses } from './clauses';
import type { Dialect } from './dialect';
import { accountName, literal } from './quoting';

const tlsKinds = { '': 'none', ANY: 'any', X509: 'x509', SPECIFIED: 'specified' } as const;

/** MySQL 5.7 and 8, Percona Server and Aurora: accounts are rows of mysql.user. */
export function mysql(features: {
  readonly hasRoles: boolean;
  readonly keepsTwoPasswords: boolean;
}): Dialect {
  return {
    name: 'MySQL',
    keepsTwoPasswords: features.keepsTwoPasswords,

    async accountsOf(session, user) {
      const where = `User = ${literal(user)} collate utf8mb4_bin`;
      const rows = await session.query(
        `select Host as host, plugin, convert(authentication_string using utf8mb4) as verifier, account_locked,
                ssl_type, convert(ssl_cipher using utf8mb4) as ssl_cipher,
                convert(x509_issuer using utf8mb4) as x509_issuer, convert(x509_subject using utf8mb4) as x509_subject,
                max_questions, max_updates, max_connections, max_user_connections, password_lifetime
           from mysql.user where ${where} order by Host`,
      );
      const roles = features.hasRoles
        ? await session.query(
            `select HOST as host, DEFAULT_ROLE_USER as role, DEFAULT_ROLE_HOST as role_host
               from mysql.default_roles where ${where} order by DEFAULT_ROLE_USER, DEFAULT_ROLE_HOST`,
          )
        : [];
      return rows.map((row) => ({
        user,
        host: textIn(row, 'host'),
        plugin: textIn(row, 'plugin'),
        verifier: textIn(row, 'verifier'),
        isLocked: row['account_locked'] === 'Y',
        clauses: clausesOf(clausesIn(row)),
        defaultRoles: roles
          .filter((role) => role['host'] === row['host'])
          .map((role) => accountName({ user: textIn(role, 'role'), host: textIn(role, 'role_host') })),
      }));
    },

    identified: (plugin, verifier) => `identified with ${plugin} as ${literal(verifier)}`,

    // Only the password itself is allowed here; MySQL writes neither it nor its like into its logs.
    changeOwnPassword: (password) => `alter user user() identified by ${literal(password)}`,

    setDefaultRoles: (account, roles) =>
      `set default role ${roles.length === 0 ? 'none' : roles.join(', ')} to ${account}`,
  };
}

function clausesIn(row: Row): Clauses {
  const tls = textIn(row, 'ssl_type');
  const lifetime = row['password_lifetime'];
  return {
    tls: tls === 'ANY' || tls === 'X509' || tls === 'SPECIFIED' ? tlsKinds[tls] : 'none',
    cipher: textIn(row, 'ssl_cipher'),
    issuer: textIn(row, 'x509_issuer'),
    subject: textIn(row, 'x509_subject'),
    limits: {
      max_queries_per_hour: Number(row['max_questions']),
      max_updates_per_hour: Number(row['max_updates']),
      max_connections_per_hour: Number(row['max_connections']),
      max_user_connections: Number(row['max_user_connections']),
    },
    lifetime: lifetime === null || lifetime === undefined ? undefined : Number(lifetime),
  };
}

function textIn(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : '';
}
