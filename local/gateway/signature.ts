import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from './http-message';
import { header } from './http-message';

/** What a Signature Version 4 Authorization header says. */
export interface Authorization {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  /** Signing name of the service: `states`, `events`, `secretsmanager`. */
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Reads the Authorization header; undefined where it is absent or of another scheme. */
export function parseAuthorization(request: HttpRequest): Authorization | undefined {
  const value = header(request.headers, 'authorization');
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/.exec(
      value,
    );
  if (match === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', service = '', headers = '', signature = ''] = match;
  return { accessKeyId, date, region, service, signedHeaders: headers.split(';'), signature };
}

/** Says whether the request was signed with this secret, by the rules of Signature Version 4. */
export function isSignedWith(
  secretAccessKey: string,
  request: HttpRequest,
  authorization: Authorization,
): boolean {
  const { date, region, service, signature } = authorization;
  const scope = `${date}/${region}/${service}/aws4_request`;
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    header(request.headers, 'x-amz-date'),
    scope,
    sha256(canonicalRequest(request, authorization)),
  ].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<Buffer | string>(
    (derived, part) => hmac(derived, part),
    `AWS4${secretAccessKey}`,
  );
  return timingSafeEqual(hmac(key, stringToSign), Buffer.from(signature, 'hex'));
}

function canonicalRequest(request: HttpRequest, { signedHeaders }: Authorization): string {
  const headers = signedHeaders.map((name) => {
    const value = request.headers[name];
    const text = Array.isArray(value) ? value.join(',') : (value ?? '');
    return `${name}:${text.trim().replace(/ +/g, ' ')}\n`;
  });
  const query = [...request.query].map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
  return [
    request.method,
    // Services other than S3 encode the path once more.
    request.path.split('/').map(encode).join('/'),
    query.join('&'),
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
