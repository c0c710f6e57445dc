import { Client } from 'pg';
import type { PostgresTargets } from '../../../local/targets/postgres-target';
import { membersOf } from '../context';

/** Runs statements in one session of the secret's user, as an application would, and returns the rows of each. */
export async function runAs(
  { server }: PostgresTargets,
  secret: string,
  ...statements: readonly string[]
): Promise<readonly (readonly unknown[])[]> {
  const { username, password, dbname } = membersOf(secret);
  const client = new Client({
    host: server.host,
    port: server.port,
    user: String(username),
    password: String(password),
    database: String(dbname),
    ssl: false,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const rows = [];
    for (const statement of statements)
      rows.push((await client.query<Record<string, unknown>>(statement)).rows);
    return rows;
  } finally {
    await client.end();
  }
}
