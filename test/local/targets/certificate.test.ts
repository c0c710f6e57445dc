import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { selfSigned } from '../../../local/targets/certificate';

describe('a certificate made at run time', () => {
  const { certificate, key } = selfSigned(['localhost', 'db.test'], ['127.0.0.1']);

  test('is signed by itself, for the names asked for, valid today', () => {
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.subjectAltName).toBe('DNS:localhost, DNS:db.test, IP Address:127.0.0.1');
    expect(parsed.ca).toBe(true);
    expect(Date.parse(parsed.validFrom)).toBeLessThan(Date.now());
    expect(Date.parse(parsed.validTo)).toBeGreaterThan(Date.now());
  });

  test('differs from every other in its serial number', () => {
    const other = new X509Certificate(selfSigned(['localhost'], []).certificate);
    expect(other.serialNumber).not.toBe(new X509Certificate(certificate).serialNumber);
  });

  test('convinces a client that trusts it, and no other', async () => {
    const server = tls.createServer({ cert: certificate, key }, (socket) => socket.end('hello'));
    server.on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const trusting = tls.connect({ host: '127.0.0.1', port, ca: certificate });
    await once(trusting, 'secureConnect');
    trusting.destroy();
    const doubting = tls.connect({ host: '127.0.0.1', port });
    const [refusal] = (await once(doubting, 'error')) as [NodeJS.ErrnoException];
    expect(refusal.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    server.close();
  });
});
