import {
  AdminRejected,
  CredentialRejected,
  CredentialUnusable,
  PermissionMissing,
  RotorError,
  TargetRefused,
  TargetUnreachable,
  TlsUnavailable,
} from '../../domain/errors';
import { textOf } from '../error-members';
import { isTlsCode } from '../tls';
import type { Answer } from './connection';

/** Whose credential a request went with: the same refusal has another remedy. */
export type Bearer = 'admin' | 'secret';

/** What is quoted of a refusal: enough for an error code and a sentence. */
const longestExcerpt = 300;

/**
 * Gives an error of Node's client its name in domain/errors.ts: TLS by Node's codes, all else is the network's.
 *
 * This file is the one place that looks at such errors and at status codes.
 */
export function networkRefusal(error: unknown, what: string): RotorError {
  if (error instanceof RotorError) return error;
  const code = textOf(error, 'code');
  const message = textOf(error, 'message') ?? code ?? 'no answer';
  // A token of the issuer's own that cannot stand in a header: nothing was sent, and no repetition changes it.
  if (code === 'ERR_INVALID_CHAR') return new TargetRefused(`${what}: ${message}`);
  if (isTlsCode(code)) return new TlsUnavailable(`${what}: ${message} (${code ?? ''})`);
  return new TargetUnreachable(`${what}: ${message}`);
}

/** Names what a status says that the request did not hope for. */
export function refusal(answer: Answer, what: string, bearer: Bearer): RotorError {
  const text = `${what} answered ${excerpt(answer)}`;
  const { status } = answer;
  if (status >= 300 && status < 400)
    return new TargetRefused(
      `${what} answered ${status}, a redirect${destination(answer)}: none is followed, name the final address in the settings`,
    );
  if (status === 401) return bearer === 'admin' ? new AdminRejected(text) : new CredentialRejected(text);
  if (status === 403) return bearer === 'admin' ? new PermissionMissing(text) : new CredentialUnusable(text);
  // 408 and 425 ask for another try as much as the server's own troubles do.
  if (status === 408 || status === 425 || status === 429 || status >= 500) return new TargetUnreachable(text);
  return new TargetRefused(text);
}

/**
 * Names what the test of a credential says. Both 401 and 403: gateways tell an unknown key with either, and a key that
 * was made this moment may be unknown at some of the issuer's machines for a while.
 */
export function testRefusal(answer: Answer, what: string): RotorError {
  if (answer.status === 401 || answer.status === 403)
    return new CredentialRejected(`${what} answered ${excerpt(answer)}`);
  return refusal(answer, what, 'secret');
}

/**
 * Names what a token endpoint refuses, by the codes of RFC 6749, section 5.2. Some answer 400 to an unknown client, some
 * 401, and only the code in the body tells it from a scope that is not the client's.
 */
export function tokenRefusal(answer: Answer, what: string, bearer: Bearer): RotorError {
  const text = `${what} answered ${excerpt(answer)}`;
  const { status } = answer;
  const code = /"error"\s*:\s*"([a-z_]+)"/.exec(answer.text)?.[1];
  if (status >= 400 && status < 500) {
    if (code === 'invalid_client') return refusal({ ...answer, status: 401 }, what, bearer);
    if (code === 'unauthorized_client' || code === 'invalid_scope')
      return bearer === 'admin' ? new PermissionMissing(text) : new CredentialUnusable(text);
  }
  return refusal(answer, what, bearer);
}

/**
 * Status and the beginning of the answer, on one line. A success may hold a new key under a name that nobody expected:
 * it is never quoted.
 */
function excerpt({ status, text, redact }: Answer): string {
  if (status < 400) return String(status);
  // Redacted before it is cut: half a value would not be found. Many servers escape slashes, plus and equals signs.
  const line = redact(unescaped(text))
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  if (line === '') return String(status);
  return `${status}: ${line.length > longestExcerpt ? `${line.slice(0, longestExcerpt)} …` : line}`;
}

/** A text without the escapes of JSON that hide a value from whoever looks for it. */
function unescaped(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
    .replaceAll('\\/', '/');
}

/** The host alone: what follows it may hold a token. */
function destination({ location }: Answer): string {
  return location !== undefined && URL.canParse(location) ? ` to ${new URL(location).host}` : '';
}
