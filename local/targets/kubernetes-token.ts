import { createHash, createHmac } from 'node:crypto';

/** Credentials of a role's session, as STS knows them. */
export interface KnownSession {
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly roleArn: string;
}

/** Parameters that aws-iam-authenticator lets through; any other makes a token void. */
const parameters = new Set(
  ['Action', 'Version', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date', 'X-Amz-Expires'].concat([
    'X-Amz-Security-Token',
    'X-Amz-Signature',
    'X-Amz-SignedHeaders',
  ]),
);

/** The authenticator refuses more, in bytes. */
const longestToken = 4096;

/** STS takes a presigned request for a quarter of an hour, in milliseconds. */
const lifeMs = 15 * 60_000;

/**
 * Says whose token this is, as Amazon EKS finds out: by the checks of aws-iam-authenticator on the presigned request, and by
 * the signature, which on AWS is for STS to judge. Undefined where it is nobody's, or another cluster's.
 */
export function holderOf(
  token: string,
  cluster: string,
  sessionOf: (accessKeyId: string) => KnownSession | undefined,
  now: number,
): KnownSession | undefined {
  const prefix = 'k8s-aws-v1.';
  if (token.length > longestToken || !token.startsWith(prefix)) return undefined;
  const text = Buffer.from(token.slice(prefix.length), 'base64url').toString();
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const query = [...url.searchParams];
  const asked = new Map(query);
  const value = (name: string) => asked.get(name) ?? '';
  const [accessKeyId = '', day = '', region = '', service, end] = value('X-Amz-Credential').split('/');
  const session = sessionOf(accessKeyId);
  const signed = value('X-Amz-SignedHeaders').split(';');
  const [, ...date] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value('X-Amz-Date')) ?? [];
  const [year = NaN, month = NaN, ...rest] = date.map(Number);
  const madeAt = Date.UTC(year, month - 1, ...rest);
  const expires = Number(value('X-Amz-Expires'));
  const isWellFormed =
    url.protocol === 'https:' &&
    url.host === `sts.${region}.amazonaws.com` &&
    url.pathname === '/' &&
    asked.size === query.length &&
    query.every(([name]) => parameters.has(name)) &&
    value('Action') === 'GetCallerIdentity' &&
    value('Version') === '2011-06-15' &&
    value('X-Amz-Algorithm') === 'AWS4-HMAC-SHA256' &&
    service === 'sts' &&
    end === 'aws4_request' &&
    signed.join() === 'host,x-k8s-aws-id' &&
    expires > 0 &&
    expires <= 900 &&
    Math.abs(now - madeAt) < lifeMs;
  if (!isWellFormed || session === undefined) return undefined;
  const canonical = [
    'GET',
    '/',
    query
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, text]) => `${escaped(name)}=${escaped(text)}`)
      .sort()
      .join('&'),
    `host:${url.host}`,
    `x-k8s-aws-id:${cluster}`,
    '',
    signed.join(';'),
    createHash('sha256').digest('hex'),
  ].join('\n');
  const scope = `${day}/${region}/sts/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', value('X-Amz-Date'), scope, digest].join('\n');
  const key = [day, region, 'sts', 'aws4_request'].reduce<string | Buffer>(
    (before, part) => createHmac('sha256', before).update(part).digest(),
    `AWS4${session.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const isSigned = signature === value('X-Amz-Signature');
  return isSigned && value('X-Amz-Security-Token') === session.sessionToken ? session : undefined;
}

/** As SigV4 writes parameters: RFC 3986, with upper-case digits. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
