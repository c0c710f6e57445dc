import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** A key pair as files of OpenSSH hold it. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

const type = 'ssh-ed25519';

/**
 * Makes an Ed25519 key pair in OpenSSH's own format. Node writes PKCS#8, which OpenSSH did not read for this type for years.
 * https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
 */
export function makeKeyPair(comment: string): KeyPair {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const publicBlob = Buffer.concat([field(type), field(point)]);
  // Written twice, so that who decrypts can tell a wrong passphrase; here there is none.
  const check = randomBytes(4);
  const secret = Buffer.concat([
    ...[check, check, field(type), field(point)],
    ...[field(Buffer.concat([seed, point])), field(comment)],
  ]);
  const container = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...[field('none'), field('none'), field(''), uint32(1), field(publicBlob)],
    field(Buffer.concat([secret, padding(secret.length)])),
  ]);
  const lines = container.toString('base64').replace(/.{70}(?=.)/g, '$&\n');
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: [type, publicBlob.toString('base64'), ...(comment === '' ? [] : [comment])].join(' '),
  };
}

/** 1, 2, 3 … up to the block size of the cipher `none`. */
function padding(length: number): Buffer {
  return Buffer.from(Array.from({ length: (8 - (length % 8)) % 8 }, (_, index) => index + 1));
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
