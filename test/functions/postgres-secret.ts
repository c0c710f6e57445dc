/** Values that must never be seen outside the store, in any text. */
export const passwords = {
  inUse: 'pass-in-use-Zq8',
  admin: 'pass-of-admin-Kx3',
  pending: 'pass-pending-Vw5',
};

/** A SecretString in the shape that AWS documents, at a port where nobody listens. */
export function postgresSecret(changes: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    engine: 'postgres',
    host: '127.0.0.1',
    port: 1,
    dbname: 'app',
    ssl: false,
    username: 'app',
    password: passwords.inUse,
    ...changes,
  });
}

/** The admin's SecretString. */
export const adminSecret = postgresSecret({ username: 'admin', password: passwords.admin });
