import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { LookupFunction } from 'node:net';

/** One request, ready to be sent. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  /** How errors call it: nothing in it may be secret. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Certificate of the only authority to trust, as PEM; absent: those that Node trusts. */
  readonly ca?: string | undefined;
  /** How the host becomes an address; absent: Node's way. */
  readonly lookup?: LookupFunction | undefined;
  /** How long the whole exchange may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Most bytes of an answer. */
  readonly longest: number;
}

/** What came back, whatever its status. */
export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
}

/** An exchange that came to no answer of use, for a reason that Node has no code for. */
export class ExchangeFailed extends Error {
  override readonly name = 'ExchangeFailed';

  constructor(
    readonly fault: 'answer-too-long' | 'other-protocol' | 'no-answer-in-time',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Sends one request and returns the answer, whatever its status. Certificates are verified; redirects are not followed.
 *
 * ExchangeFailed, Node's own errors, whose messages may quote what the other side sent, and whatever `lookup` raises.
 */
export async function exchange(outgoing: Exchange, signal: AbortSignal): Promise<Reply> {
  const { url, what, method, headers, body, ca, lookup, timeoutMs, longest } = outgoing;
  const deadline = AbortSignal.timeout(timeoutMs);
  const send = url.protocol === 'https:' ? requestSecure : requestPlain;
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const request = send(
        url,
        {
          method,
          headers: {
            accept: 'application/json',
            'user-agent': 'rotor',
            ...headers,
            ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
          },
          // No connection outlives its request, and none was made before the address was looked at.
          agent: false,
          // Said, so that NODE_TLS_REJECT_UNAUTHORIZED cannot unsay it.
          rejectUnauthorized: true,
          signal: AbortSignal.any([signal, deadline]),
          ...(ca === undefined ? {} : { ca }),
          ...(lookup === undefined ? {} : { lookup }),
        },
        (response) => {
          const parts: Buffer[] = [];
          let bytes = 0;
          response.on('data', (part: Buffer) => {
            bytes += part.length;
            if (bytes <= longest) {
              parts.push(part);
              return;
            }
            reject(new ExchangeFailed('answer-too-long', `${what} answered with more than ${longest} bytes`));
            request.destroy();
          });
          response.on('error', reject);
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              text: Buffer.concat(parts).toString(),
              location: response.headers.location,
              retryAfter: response.headers['retry-after'],
            });
          });
        },
      );
      request.on('error', reject);
      // Nobody asked for another protocol, and without a listener such an answer would end in nothing at all.
      request.on('upgrade', (_, socket) => {
        socket.destroy();
        reject(new ExchangeFailed('other-protocol', `${what} answered 101 and wants another protocol`));
      });
      request.end(body);
    });
  } catch (error) {
    if (deadline.aborted && !signal.aborted)
      throw new ExchangeFailed('no-answer-in-time', `${what}: no answer within ${timeoutMs / 1000} s`);
    throw error;
  }
}
