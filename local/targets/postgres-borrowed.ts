import { Client } from 'pg';
import type { PostgresServer } from './postgres';

/**
 * Uses a server that somebody else runs, named by a URL with a superuser, where this platform has no binaries.
 *
 * It is neither configured nor stopped. Its log can be read only if its logging collector is on.
 */
export function borrowPostgres(url: string): PostgresServer {
  const { hostname, port, username, password } = new URL(url);
  const superuser = decodeURIComponent(username);
  return {
    host: hostname,
    port: port === '' ? 5432 : Number(port),
    superuser,
    password: decodeURIComponent(password),
    dataDir: undefined,
    certificate: undefined,
    logText: async () => {
      const client = new Client({ connectionString: url });
      await client.connect();
      try {
        const { rows } = await client.query<{ text: string | null }>(
          'select pg_read_file(pg_current_logfile()) as text',
        );
        const text = rows[0]?.text;
        if (typeof text !== 'string')
          throw new Error(
            'the server of ROTOR_TEST_POSTGRES_URL keeps no log: set logging_collector and log_connections',
          );
        return text;
      } finally {
        await client.end();
      }
    },
    stop: () => Promise.resolve(),
  };
}
