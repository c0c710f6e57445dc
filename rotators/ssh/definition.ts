import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import type { RotatorDefinition, RotatorTraits } from '../rotator';
import { host, port } from '../server-members';

/** Types of keys that OpenSSH has; those of security keys (sk-…) need a person who touches them. */
const keyTypes = 'ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)';
/** One line, as in a `.pub` file: type, key, comment. */
const publicKeyLine = new RegExp(`^(${keyTypes}) ([A-Za-z0-9+/]{40,}={0,2})(?: ([^\\r\\n]*))?\\r?\\n?$`);

const name = z.string().check(z.regex(/^[^-\0\r\n:/][^\0\r\n:/]*$/));
const publicKey = z.string().check(z.regex(publicKeyLine));

const place = z.looseObject({
  host,
  port: z.optional(port),
  /** The host's public key, as `ssh-keyscan` prints it after the name. Nothing is sent to a host that shows another one. */
  hostKey: publicKey,
});

/** AWS documents no shape for SSH keys. Members beyond these are kept. */
const secret = z.looseObject({
  username: name,
  hosts: z.array(place).check(z.minLength(1)),
  privateKey: z.string().check(z.minLength(1)),
  publicKey,
  /** ARN of the admin's secret. */
  masterarn: z.optional(z.string().check(z.minLength(1))),
});

/** An admin's secret: a key that may change the user's file, of the same user or of root. */
const admin = z.looseObject({ username: name, privateKey: z.string().check(z.minLength(1)) });

const settings = z.strictObject({
  /** As sshd's AuthorizedKeysFile: relative to the user's home, `%u` is the user and `%h` the home. */
  authorizedKeysFile: z.optional(
    z.string().check(z.regex(/^(?:%h\/)?(?:%u|[^-%\0\r\n])(?:%u|[^%\0\r\n])*$/)),
  ),
});

export type SshHost = z.infer<typeof place>;
export type SshSecret = z.infer<typeof secret>;
export type SshAdmin = z.infer<typeof admin>;
export type SshSettings = z.infer<typeof settings>;

/** The members that this rotator knows; none of them holds the private key but its own. */
export const knownMembers: readonly string[] = Object.keys(secret.shape);

const traits = {
  overlap: 'two-credentials',
  mint: 'rotator',
  usage: false,
  endsSessions: false,
  admin: 'optional',
  retirement: 'reversible',
  network: 'vpc',
  iam: [],
} as const satisfies RotatorTraits;

/** Public keys without a private one: 32 bytes that somebody made up. */
const exampleKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGV4YW1wbGUtZXhhbXBsZS1leGFtcGxlLWV4YW1wbGUt';

/** A user's key pair for SSH, of which every host has the public half in a file of the user's. */
export const keyDefinition: RotatorDefinition<SshSecret, SshAdmin, SshSettings> = {
  traits: () => traits,
  secret,
  admin,
  settings,
  example: {
    secret: {
      username: 'app',
      hosts: [{ host: 'web-1.example.internal', port: 22, hostKey: exampleKey }],
      publicKey: `${exampleKey} app`,
    },
    admin: { username: 'app' },
    generated: 'privateKey',
    settings: {},
  },
  sensitive: ({ privateKey }) => [privateKey, ...bodyOf(privateKey)],
  claims: (candidate) => typeof candidate['privateKey'] === 'string' && Array.isArray(candidate['hosts']),
  principal: ({ username, publicKey: key }) => `${username} ${fingerprint(key)}`,
  adminArn: ({ masterarn }) => masterarn,
};

/** A public key taken apart. */
export interface PublicKey {
  readonly type: string;
  /** Base64 of the key itself, by which lines of authorized_keys are told apart. */
  readonly blob: string;
  readonly comment: string;
}

/** Takes a public key's line apart; the schema has seen that it is one. */
export function parsePublicKey(text: string): PublicKey {
  const [, type = '', blob = '', comment = ''] = publicKeyLine.exec(text) ?? [];
  return { type, blob, comment: comment.trim() };
}

/** Names a public key as `ssh-keygen -l` and the log of sshd do. */
export function fingerprint(publicKeyText: string): string {
  return fingerprintOf(Buffer.from(parsePublicKey(publicKeyText).blob, 'base64'));
}

/** The same, of the key's own bytes. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The lines between the markers, each of which gives part of the key away. A short one occurs elsewhere by chance. */
function bodyOf(privateKey: string): readonly string[] {
  return privateKey.split(/\s*\n\s*/).filter((part) => part.length >= 32 && !part.startsWith('-----'));
}
