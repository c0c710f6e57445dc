import net from 'node:net';
import * as z from 'zod/mini';

/** Port as secrets have it: AWS documents a number, and its console writes digits. */
export const port = z.union([
  z.int().check(z.gte(1), z.lte(65_535)),
  z.string().check(
    z.regex(/^[1-9]\d{0,4}$/),
    z.refine((value) => Number(value) <= 65_535),
  ),
]);

/**
 * Name or address of a host, and nothing around it. A URL, a user, a port, brackets or a blank at the end would be looked up
 * as part of the name, and a host that is unknown is worth another try for as long as the rotation lasts.
 */
export const host = z.string().check(z.refine((value) => net.isIPv6(value) || /^[^\s:/@[\]]+$/.test(value)));

/** How a server is reached over TLS; the rule is in tls.ts. */
export const tlsMembers = {
  ssl: z.optional(z.union([z.boolean(), z.enum(['true', 'false'])])),
  /** Certificate of the authority that signed the server's, as PEM. Absent: those that Node trusts. */
  sslrootcert: z.optional(z.string().check(z.regex(/-----BEGIN CERTIFICATE-----/))),
};
