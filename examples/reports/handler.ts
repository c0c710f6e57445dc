import { Client } from 'pg';
import { type LambdaContext, lambdaHandler } from '../../client/lambda-handler';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import type { SecretMembers } from '../../client/secret-version';

const secret = RotatingSecret.json({
  secretId: setting('SECRET_ID'),
  maxAgeSeconds: Number(setting('MAX_AGE_SECONDS')),
  prove: countOrders,
});

const answer = lambdaHandler(new RefreshResponder({ consumer: setting('CONSUMER'), secret }));

/**
 * A report on a database whose credential rotates: counts orders.
 *
 * Rotor's rule invokes it as well, with a request to load the secret again; the client answers that, after it has
 * counted with the new credential. Every execution environment is an instance with a cache of its own.
 */
export const handler = async (event: unknown, context?: LambdaContext): Promise<unknown> => {
  if (typeof event === 'object' && event !== null && 'detail-type' in event) return answer(event, context);
  return { orders: await secret.withCredential((version) => countOrders(version.value)) };
};

/** What the application needs of its database: one connection, and the right to read. */
async function countOrders(credential: SecretMembers): Promise<number> {
  const client = new Client(connection(credential));
  await client.connect();
  try {
    const { rows } = await client.query<{ orders: number }>('select count(*)::int as orders from orders');
    return rows[0]?.orders ?? 0;
  } finally {
    await client.end();
  }
}

function connection({ host, port, dbname, username, password, ssl }: SecretMembers) {
  const server = text(host, 'host');
  // TLS with a verified certificate, unless the secret declines it or the database runs on the same machine.
  const plain =
    ssl === false || ssl === 'false' || (ssl === undefined && /^(127\.|::1$|localhost$)/.test(server));
  return {
    application_name: setting('CONSUMER'),
    host: server,
    port: Number(port ?? 5432),
    database: text(dbname, 'dbname'),
    user: text(username, 'username'),
    password: text(password, 'password'),
    connectionTimeoutMillis: 5_000,
    ssl: !plain,
  };
}

function text(value: unknown, member: string): string {
  if (typeof value !== 'string') throw new Error(`the secret's ${member} is not text`);
  return value;
}

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is missing`);
  return value;
}
