import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { SecretMalformed } from '../../domain/errors';
import type { RotatorDefinition, RotatorExample } from '../rotator';

const settings = z.strictObject({
  /** Member of the secret that holds the value. */
  member: z._default(z.string().check(z.minLength(1)), 'value'),
  /** `password` is drawn by the policy's password rules; the others are random bytes in that encoding. */
  format: z._default(z.enum(['password', 'hex', 'base64', 'base64url']), 'base64url'),
  /** How many random bytes; the default is the output of SHA-256, the length that RFC 2104 recommends for its HMAC. */
  bytes: z._default(z.int().check(z.gte(16), z.lte(1024)), 32),
  /** Stands before what is drawn, as in `whsec_…`. */
  prefix: z._default(z.string().check(z.maxLength(32)), ''),
});

export type GeneratedSettings = z.infer<typeof settings>;

/** Any JSON object: which member holds the value is the settings' to say. */
const secret = z.looseObject({});

export type GeneratedSecret = z.infer<typeof secret>;

const example: RotatorExample = {
  secret: { url: 'https://app.example.com/hooks' },
  generated: 'value',
  settings: { member: 'value' },
};

/** A value that nobody but its users checks, such as the key of webhook signatures. */
export const generatedDefinition: RotatorDefinition<GeneratedSecret, GeneratedSecret, GeneratedSettings> = {
  traits: () => ({
    overlap: 'two-credentials',
    mint: 'rotator',
    usage: false,
    endsSessions: false,
    admin: 'none',
    retirement: 'deferred',
    network: 'none',
    iam: [],
  }),
  secret,
  admin: secret,
  settings,
  example,
  sensitive: (value, { member }) => {
    const found = value[member];
    return typeof found === 'string' && found !== '' ? [found] : [];
  },
  claims: () => false,
  principal: (value, chosen) => fingerprint(valueOf(value, chosen), chosen),
  adminArn: () => undefined,
};

/** The value itself. SecretMalformed names the member that is missing. */
export function valueOf(secret: GeneratedSecret, { member }: GeneratedSettings): string {
  const value = secret[member];
  if (typeof value !== 'string' || value === '')
    throw new SecretMalformed(`secret has a wrong or missing field: ${member}`);
  return value;
}

/**
 * What events call the value: the beginning of its SHA-256, which says of any guess whether it is right. So a value has such
 * a name only if it looks as Rotor draws it from 128 bits or more: one that a person chose may be guessed however long it
 * is, and among passwords nobody could tell. The rotation that replaces a value needs no name of it.
 */
function fingerprint(value: string, { prefix, format, bytes }: GeneratedSettings): string {
  const drawn = value.startsWith(prefix) ? value.slice(prefix.length) : '';
  return format !== 'password' && looksDrawn(drawn, format, bytes)
    ? createHash('sha256').update(value).digest('hex').slice(0, 8)
    : 'unnamed';
}

/** Random text of this length has letters of both cases and digits, but for one text in 30; words seldom do. */
function looksDrawn(text: string, format: 'hex' | 'base64' | 'base64url', bytes: number): boolean {
  const decoded = Buffer.from(text, format);
  const hasAll = [/[0-9]/, /[a-z]/, ...(format === 'hex' ? [] : [/[A-Z]/])].every((kind) => kind.test(text));
  return decoded.length === bytes && decoded.toString(format) === text && hasAll;
}
