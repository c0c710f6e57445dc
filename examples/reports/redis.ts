import { createClient } from '@redis/client';
import { isPlain, reports, text } from './reports';

/** Counts what Redis holds, on one connection. */
export const handler = reports(async (credential, application) => {
  const { host, port, username, password } = credential;
  const place = {
    host: text(host, 'host'),
    port: Number(port ?? 6379),
    connectTimeout: 20_000,
    // A refused login must come back as an error, and not be tried for ever.
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    name: application,
    commandOptions: { timeout: 20_000 },
    username: text(username ?? 'default', 'username'),
    password: text(password, 'password'),
    socket: isPlain(credential) ? place : { ...place, tls: true },
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.dbSize();
  } finally {
    client.destroy();
  }
});
