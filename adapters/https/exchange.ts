import { type Exchange, ExchangeFailed, exchange as send, type Reply } from '../../network/exchange';
import { AnswerTooLong, CertificateUntrusted, NoAnswer } from './errors';

/** One request, ready to be sent. */
export type Outgoing = Exchange & { readonly method: 'GET' | 'POST' | 'PATCH' };

export type { Reply };

/**
 * Sends one request over verified TLS and returns the answer, whatever its status; redirects are not followed.
 *
 * NoAnswer, CertificateUntrusted, AnswerTooLong, and whatever `lookup` raises. An aborted signal ends it with NoAnswer.
 */
export async function exchange(outgoing: Outgoing, signal: AbortSignal): Promise<Reply> {
  try {
    return await send(outgoing, signal);
  } catch (error) {
    if (error instanceof ExchangeFailed)
      throw error.fault === 'answer-too-long'
        ? new AnswerTooLong(error.message)
        : new NoAnswer(error.message);
    throw named(error, outgoing.what);
  }
}

/** Node's errors by their codes; their messages may quote what the other side sent, and are not passed on. */
function named(error: unknown, what: string): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  // X.509's verdicts, and that of Node about the name: nothing that a repeat mends.
  if (/CERT|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_(?:CA|PURPOSE)$/.test(code))
    return new CertificateUntrusted(`${what}: ${code}`);
  return new NoAnswer(`${what}: ${code}`);
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  // An aborted request's code is a number of the DOM's.
  return typeof error.code === 'string' ? error.code : 'ABORTED';
}
