import { once } from 'node:events';
import { createServer as createPlainServer, type Server } from 'node:http';
import { createServer } from 'node:https';
import { selfSigned } from '../../../local/targets/certificate';
import { rotators } from '../../../rotators/registry';
import { inGoodTime, rejection } from '../context';

const rotator = rotators['http-api-key'];
const own = selfSigned(['localhost'], ['127.0.0.1']);
const foreign = selfSigned(['issuer.example.com'], []);

const servers: Server[] = [];
const listen = async (server: Server): Promise<number> => {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server got no port');
  return address.port;
};
const secure = ({ certificate, key }: typeof own) =>
  listen(createServer({ cert: certificate, key }, (_, response) => response.end('{}')));

afterAll(async () => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});

const verify = (host: string, changes: Readonly<Record<string, unknown>>) =>
  rotator.verify(JSON.stringify({ apiKey: 'key_of_the_test', keyId: 'key_1' }), {
    admin: undefined,
    readAdminAgain: undefined,
    signal: inGoodTime(),
    password: () => '',
    settings: {
      privateHosts: [host],
      create: { url: `https://${host}/keys`, key: '/key', id: '/id' },
      revoke: { url: `https://${host}/keys/{id}` },
      test: { url: `https://${host}/me`, headers: { authorization: 'Bearer {secret.apiKey}' } },
      ...changes,
    },
  });

test('an issuer whose certificate an authority of the settings has signed is trusted', async () => {
  const port = await secure(own);
  for (const name of ['localhost', '127.0.0.1'])
    await verify(`${name}:${String(port)}`, { ca: own.certificate });
});

test('an issuer whose certificate nothing vouches for gets no key', async () => {
  const host = `localhost:${String(await secure(own))}`;
  expect((await rejection(verify(host, {}))).name).toBe('TlsUnavailable');
});

test('an issuer with another issuer’s certificate gets no key', async () => {
  const host = `localhost:${String(await secure(foreign))}`;
  expect((await rejection(verify(host, { ca: foreign.certificate }))).name).toBe('TlsUnavailable');
});

test('an issuer that speaks no TLS gets no key', async () => {
  const host = `localhost:${String(await listen(createPlainServer((_, response) => response.end('{}'))))}`;
  expect((await rejection(verify(host, {}))).name).toBe('TlsUnavailable');
});

test('a public name that turns out to be a private address gets no key', async () => {
  const host = `localhost:${String(await secure(own))}`;
  const refused = await rejection(verify(host, { hosts: [host], privateHosts: [], ca: own.certificate }));
  expect(refused.name).toBe('EgressRefused');
  expect(refused.message).toContain('privateHosts');
});

test('a name that nobody has is worth another try', async () => {
  expect((await rejection(verify('issuer.invalid', {}))).name).toBe('TargetUnreachable');
});
