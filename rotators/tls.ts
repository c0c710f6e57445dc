/** What a secret, or its admin's, says about TLS. */
export interface TlsWish {
  readonly ssl?: boolean | 'true' | 'false' | undefined;
  readonly sslrootcert?: string | undefined;
}

/**
 * TLS as the secret says, and never less: `true` is TLS with a verified certificate, `false` is none, and a secret that
 * says nothing gets none on this machine's own loopback and TLS everywhere else. Nothing falls back to plain text.
 *
 * @returns undefined for plain text; an authority only where one is named, since Node's own are trusted otherwise.
 */
export function tlsFor(
  host: string,
  secret: TlsWish,
  admin: TlsWish | undefined,
): { readonly ca?: string } | undefined {
  const wanted = [secret.ssl, admin?.ssl].some((flag) => flag === true || flag === 'true');
  const declined = secret.ssl === false || secret.ssl === 'false' || isLoopback(host);
  if (!wanted && declined) return undefined;
  const ca = secret.sslrootcert ?? admin?.sslrootcert;
  return ca === undefined ? {} : { ca };
}

/** Whether a host can only be this machine, where nobody listens in on the way. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}

/** Whether a code of Node's says that TLS failed: the handshake, or the certificate. */
export function isTlsCode(code: string | undefined): boolean {
  return (
    code !== undefined && /^ERR_(?:TLS|SSL|OSSL)_|CERT|^EPROTO$|^UNABLE_TO_|^HOSTNAME_MISMATCH$/.test(code)
  );
}
