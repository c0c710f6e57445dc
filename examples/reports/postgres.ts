import { Client } from 'pg';
import { isPlain, reports, text } from './reports';

/** Counts orders in PostgreSQL, on one connection. */
export const handler = reports(async (credential, application) => {
  const { host, port, dbname, username, password } = credential;
  const client = new Client({
    application_name: application,
    host: text(host, 'host'),
    port: Number(port ?? 5432),
    database: text(dbname, 'dbname'),
    user: text(username, 'username'),
    password: text(password, 'password'),
    connectionTimeoutMillis: 20_000,
    ssl: !isPlain(credential),
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ orders: number }>('select count(*)::int as orders from orders');
    return rows[0]?.orders ?? 0;
  } finally {
    await client.end();
  }
});
