import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, as PEM. */
export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes a certificate for a server of the rehearsal, signed by itself and valid for a day.
 *
 * Written by hand as DER, because Node makes keys and signatures but no X.509, and a private key in the repository
 * would sooner or later be used for something. Fields are those of RFC 5280, section 4.1.
 */
export function selfSigned(dnsNames: readonly string[], ipv4: readonly string[]): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const ecdsaWithSha256 = sequence(objectId('2a8648ce3d040302'));
  const name = sequence(
    tag(0x31, sequence(objectId('550403'), tag(0x0c, Buffer.from(dnsNames[0] ?? 'localhost')))),
  );
  const day = 86_400_000;
  const names = sequence(
    ...dnsNames.map((dns) => tag(0x82, Buffer.from(dns))),
    ...ipv4.map((ip) => tag(0x87, Buffer.from(ip.split('.').map(Number)))),
  );
  const authority = sequence(tag(0x01, Buffer.from([0xff])));
  const toBeSigned = sequence(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + day)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(
      0xa3,
      sequence(
        sequence(objectId('551d13'), tag(0x01, Buffer.from([0xff])), tag(0x04, authority)),
        sequence(objectId('551d11'), tag(0x04, names)),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const der = sequence(toBeSigned, ecdsaWithSha256, tag(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function tag(type: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([type, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([type, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([type, 0x82, length >> 8, length & 0xff]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

function objectId(hex: string): Buffer {
  return tag(0x06, Buffer.from(hex, 'hex'));
}

function integer(bytes: Buffer): Buffer {
  return tag(0x02, bytes);
}

function utcTime(time: number): Buffer {
  return tag(0x17, Buffer.from(`${new Date(time).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
}
