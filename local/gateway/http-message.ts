import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ServiceError } from '../kernel/service';

/** A request as it came over the wire, read to its end. */
export interface HttpRequest {
  readonly method: string;
  /** Path as sent, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer ready to be sent. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The largest body that any AWS operation here takes is Lambda's 6 MiB; the rest is for its envelope. */
export const maximumBodyBytes = 7 * 1024 * 1024;

/** A header's value, or the empty string; a repeated header counts as its first value. */
export function header(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Reads a request whole, and stops at the size limit with RequestEntityTooLarge. */
export async function readRequest(message: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maximumBodyBytes)
      throw new ServiceError(
        'RequestEntityTooLargeException',
        `The request is larger than ${maximumBodyBytes} bytes.`,
        413,
      );
    chunks.push(chunk);
  }
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: message.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: message.headers,
    body: Buffer.concat(chunks),
  };
}
