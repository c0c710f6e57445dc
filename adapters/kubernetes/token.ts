import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { AwsCredentialIdentity, Checksum, SourceData } from '@smithy/types';
import type { Clock } from '../../client/clock';

/** What a token is made of. */
export interface TokenSource {
  /** Name of the EKS cluster: the token is good for no other. */
  readonly cluster: string;
  readonly region: () => Promise<string>;
  readonly credentials: () => Promise<AwsCredentialIdentity>;
  readonly clock: Clock;
}

/** What the authenticator has always been sent, in seconds. STS lets the request live for 15 minutes whatever it says. */
const expirySeconds = 60;

/** How long a token is used, in milliseconds: a little less than what it says of itself. */
const usedMs = 50_000;

/**
 * Tokens that Amazon EKS takes for an IAM identity: a presigned GetCallerIdentity of STS, bound to the cluster by the signed
 * header `x-k8s-aws-id`. The cluster sends it to STS and so learns who made it. Format and header are those of
 * aws-iam-authenticator and of `aws eks get-token`.
 */
export class EksTokens {
  private made: { readonly token: string; readonly at: number } | undefined;

  constructor(private readonly source: TokenSource) {}

  /** A token that is good for some seconds more. Errors of the credentials are passed on. */
  async token(): Promise<string> {
    const now = this.source.clock.now();
    const age = this.made === undefined ? Infinity : now - this.made.at;
    if (this.made !== undefined && age >= 0 && age < usedMs) return this.made.token;
    const token = await this.make(now);
    this.made = { token, at: now };
    return token;
  }

  /** Makes the next token a new one. */
  forget(): void {
    this.made = undefined;
  }

  private async make(now: number): Promise<string> {
    const { cluster, credentials } = this.source;
    const region = await this.source.region();
    const host = `sts.${region}.${dnsSuffix(region)}`;
    const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 });
    const { query = {} } = await signer.presign(
      {
        method: 'GET',
        protocol: 'https:',
        hostname: host,
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host, 'x-k8s-aws-id': cluster },
      },
      { expiresIn: expirySeconds, signingDate: new Date(now) },
    );
    const parameters = Object.entries(query).map(
      ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`,
    );
    const url = `https://${host}/?${parameters.join('&')}`;
    return `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`;
  }
}

/** The end of AWS's host names in a region, by its partition; regions of the isolated partitions are not known here. */
function dnsSuffix(region: string): string {
  if (region.startsWith('cn-')) return 'amazonaws.com.cn';
  if (region.startsWith('eusc-')) return 'amazonaws.eu';
  return 'amazonaws.com';
}

/** SHA-256, and its HMAC where there is a key, in the shape that the signer takes. */
class Sha256 implements Checksum {
  private parts: Uint8Array[] = [];

  constructor(private readonly secret?: SourceData) {}

  update(chunk: SourceData): void {
    this.parts.push(bytesOf(chunk));
  }

  digest(): Promise<Uint8Array> {
    const { secret, parts } = this;
    const state = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
    for (const part of parts) state.update(part);
    return Promise.resolve(state.digest());
  }

  reset(): void {
    this.parts = [];
  }
}

function bytesOf(data: SourceData): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(data);
}
