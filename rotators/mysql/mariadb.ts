import * as z from 'zod/mini';
import type { Account, Dialect } from './dialect';
import { identifier, literal } from './quoting';
import { clausesOf, type Clauses } from './clauses';
import { verifierOf } from './verifiers';

/** mysql.global_priv.Priv, as far as it matters; numbers are left out of it while they have their default. */
const privileges = z.looseObject({
  plugin: z.optional(z.string()),
  authentication_string: z.optional(z.string()),
  /** Further plugins, any of which lets the user in. */
  auth_or: z.optional(z.array(z.unknown())),
  account_locked: z.optional(z.boolean()),
  is_role: z.optional(z.boolean()),
  default_role: z.optional(z.string()),
  ssl_type: z.optional(z.number()),
  ssl_cipher: z.optional(z.string()),
  x509_issuer: z.optional(z.string()),
  x509_subject: z.optional(z.string()),
  max_questions: z.optional(z.number()),
  max_updates: z.optional(z.number()),
  max_connections: z.optional(z.number()),
  max_user_connections: z.optional(z.number()),
  max_statement_time: z.optional(z.number()),
  password_lifetime: z.optional(z.number()),
});

/** By number, as mysql.global_priv has it. */
const tlsKinds = ['none', 'any', 'x509', 'specified'] as const;

/** MariaDB from 10.4.2 on, where accounts are JSON in mysql.global_priv. */
export const mariadb: Dialect = {
  name: 'MariaDB',
  keepsTwoPasswords: false,

  async accountsOf(session, user) {
    const rows = await session.query(
      `select Host as host, cast(Priv as char) as priv from mysql.global_priv
        where User = ${literal(user)} collate utf8mb4_bin order by Host`,
    );
    return rows.flatMap((row): Account[] => {
      const found = privileges.parse(JSON.parse(String(row['priv'])));
      if (found.is_role === true) return [];
      const role = found.default_role ?? '';
      return [
        {
          user,
          host: String(row['host']),
          plugin: found.auth_or === undefined ? (found.plugin ?? '') : undefined,
          verifier: found.authentication_string ?? '',
          isLocked: found.account_locked === true,
          clauses: clausesOf(clausesIn(found)),
          defaultRoles: role === '' ? [] : [identifier(role)],
        },
      ];
    });
  },

  identified: (plugin, verifier) => `identified via ${plugin} using ${literal(verifier)}`,

  // Takes a verifier of mysql_native_password, the only one that the driver can have logged in with here.
  changeOwnPassword: (password) => `set password = ${literal(verifierOf('mysql_native_password', password))}`,

  setDefaultRoles: (account, [role]) => `set default role ${role ?? 'none'} for ${account}`,
};

function clausesIn(found: z.infer<typeof privileges>): Clauses {
  return {
    tls: tlsKinds[found.ssl_type ?? 0] ?? 'none',
    cipher: found.ssl_cipher ?? '',
    issuer: found.x509_issuer ?? '',
    subject: found.x509_subject ?? '',
    limits: {
      max_queries_per_hour: found.max_questions ?? 0,
      max_updates_per_hour: found.max_updates ?? 0,
      max_connections_per_hour: found.max_connections ?? 0,
      max_user_connections: found.max_user_connections ?? 0,
      max_statement_time: found.max_statement_time ?? 0,
    },
    lifetime: (found.password_lifetime ?? -1) < 0 ? undefined : found.password_lifetime,
  };
}
