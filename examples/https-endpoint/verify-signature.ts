import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is known of a request whose signature is looked at. */
export interface SignedRequest {
  /** The header `Rotor-Signature`, as it came. */
  readonly header: string | undefined;
  /** What was signed: the body of a POST byte by byte, or the path with its query of a GET. */
  readonly signed: string | Buffer;
  /** Keys that are in force: that of AWSCURRENT, and that of AWSPREVIOUS where it is at hand. */
  readonly keys: readonly string[];
  /** This side's time, in milliseconds since the epoch. */
  readonly nowMs: number;
}

/** How old a signature may be, and how far clocks may be apart, in seconds. Whoever records a request cannot send it later. */
const windowSeconds = 300;

/** More signatures than a rotation of the key can bring cost time and are nobody's. */
const mostSignatures = 4;

/**
 * Whether a request was signed with one of the keys, a short while ago.
 *
 * The header is `t=<seconds since the epoch>,v1=<hex>`, with a `v1` for each key that the sender knows; each is the HMAC-SHA256
 * of `<t>.<what was signed>`. Compared in constant time, so that nobody can guess a signature digit by digit.
 */
export function isSigned({ header = '', signed, keys, nowMs }: SignedRequest): boolean {
  const parts = header.split(',').map((part) => part.trim());
  const t = valuesOf(parts, 't')[0] ?? '';
  if (!/^\d{1,12}$/.test(t)) return false;
  if (Math.abs(nowMs / 1000 - Number(t)) > windowSeconds) return false;
  const given = valuesOf(parts, 'v1')
    .filter((hex) => /^[0-9a-f]{64}$/.test(hex))
    .map((hex) => Buffer.from(hex, 'hex'))
    .slice(0, mostSignatures);
  const expected = keys.map((key) => createHmac('sha256', key).update(`${t}.`).update(signed).digest());
  // Every pair is compared: which one fits takes no time of its own.
  return given.flatMap((one) => expected.map((other) => timingSafeEqual(one, other))).includes(true);
}

function valuesOf(parts: readonly string[], name: string): string[] {
  return parts.flatMap((part) => (part.startsWith(`${name}=`) ? [part.slice(name.length + 1)] : []));
}
