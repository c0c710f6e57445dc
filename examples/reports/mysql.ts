import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { isPlain, reports, text } from './reports';

/** Counts orders in MySQL or MariaDB, on one connection. */
export const handler = reports(async (credential, application) => {
  const { host, port, dbname, username, password } = credential;
  const connection = await createConnection({
    connectAttributes: { program_name: application },
    host: text(host, 'host'),
    port: Number(port ?? 3306),
    database: text(dbname, 'dbname'),
    user: text(username, 'username'),
    password: text(password, 'password'),
    connectTimeout: 20_000,
    // The driver compares the certificate with the host's name only where it is told to.
    ...(isPlain(credential) ? {} : { ssl: { verifyIdentity: true } }),
  });
  try {
    const [rows] = await connection.query<RowDataPacket[]>('select count(*) as orders from orders');
    return Number(rows[0]?.['orders'] ?? 0);
  } finally {
    await connection.end();
  }
});
