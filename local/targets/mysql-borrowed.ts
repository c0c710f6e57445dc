import { createConnection, type RowDataPacket } from 'mysql2/promise';
import type { MysqlServer } from './mysql';

/**
 * Uses a server that somebody else runs, named by a URL with a superuser, where this platform has no program.
 *
 * It is neither configured nor stopped. Its log can be read only if `log_output` has TABLE in it.
 */
export function borrowMysql(url: string): MysqlServer {
  const { hostname, port, username, password } = new URL(url);
  const server = {
    host: hostname,
    port: port === '' ? 3306 : Number(port),
    superuser: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
  return {
    ...server,
    dataDir: undefined,
    certificate: undefined,
    logText: async () => {
      const session = await createConnection({
        host: server.host,
        port: server.port,
        user: server.superuser,
        password: server.password,
      });
      try {
        const [[options]] = await session.query<RowDataPacket[]>(
          `select @@global.general_log and find_in_set('TABLE', @@global.log_output) > 0 as kept`,
        );
        if (Number(options?.['kept']) !== 1)
          throw new Error(
            `the server of ROTOR_TEST_MYSQL_URL keeps no log: set general_log = 1 and log_output = 'TABLE'`,
          );
        const [rows] = await session.query<RowDataPacket[]>(
          `select concat_ws('\\t', '', thread_id, concat(command_type, ' ', convert(argument using utf8))) as line
             from mysql.general_log order by event_time`,
        );
        return rows.map((row) => String(row['line'])).join('\n');
      } finally {
        await session.end();
      }
    },
    stop: () => Promise.resolve(),
  };
}
