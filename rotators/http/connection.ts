import { setTimeout as pause } from 'node:timers/promises';
import { TargetRefused, TargetUnreachable } from '../../domain/errors';
import { exchange, ExchangeFailed, type Reply } from '../../network/exchange';
import { redactor } from '../redaction';
import { checkUrl, guardedLookup, mayBePrivate, type Egress } from './egress';
import { networkRefusal } from './errors';

/** Longer than any issuer needs that is well; far below a function's own deadline. */
const timeoutMs = 10_000;
/** An answer about one key. */
const longestAnswer = 64 * 1024;
/** What an issuer may ask to wait within one verb. Longer, and the workflow's patience is the place to wait. */
const longestPauseMs = 10_000;
/** How often one request is sent where the issuer asks for patience. */
const mostTries = 3;

/** One request, ready to be sent. */
export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  /** How errors call it: method and address with placeholders, so that nothing of a secret is in it. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Values that went out with it and that an answer may quote: a token of this call is in no secret. */
  readonly hidden: readonly string[];
  /** Most bytes of an answer, where 64 KiB are too few. */
  readonly longest?: number;
}

/** What came back. */
export interface Answer extends Reply {
  readonly url: URL;
  /** Takes the request's own values out of a text. */
  readonly redact: (text: string) => string;
}

/** Sends requests to the hosts of the settings, as long as the verb has time. */
export interface Connection {
  readonly egress: Egress;
  readonly signal: AbortSignal;
}

/**
 * Sends one request and returns the answer, whatever its status. TargetUnreachable, TlsUnavailable, EgressRefused.
 *
 * Where the issuer says 429 or 503 and when to come back, the request is sent again after a short pause; one that is too
 * long for this call is TargetUnreachable, with the time.
 */
export async function send(outgoing: Outgoing, connection: Connection): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await exchangeOnce(outgoing, connection);
    const waitMs = pauseAsked(answer, Date.now());
    if (waitMs === undefined) return answer;
    if (waitMs > longestPauseMs || tries === mostTries)
      throw new TargetUnreachable(
        `${outgoing.what} answered ${answer.status} and asks to come back at ${new Date(Date.now() + waitMs).toISOString()}`,
      );
    await pause(waitMs, undefined, { signal: connection.signal });
  }
}

/** The JSON that an answer holds. TargetRefused, which does not quote it: it may hold a new key. */
export function jsonOf({ text, status }: Answer, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TargetRefused(`${what} answered ${status} with something that is not JSON`);
  }
}

/**
 * How long to wait before the same request, in milliseconds: Retry-After of RFC 9110, section 10.2.3, in seconds or as
 * a date. Undefined where nobody asked for it.
 */
export function pauseAsked(
  { status, retryAfter }: Pick<Answer, 'status' | 'retryAfter'>,
  now: number,
): number | undefined {
  if ((status !== 429 && status !== 503) || retryAfter === undefined) return undefined;
  const seconds = retryAfter.trim();
  if (/^\d+$/.test(seconds)) return Math.min(Number(seconds), 86_400) * 1000;
  // Node's own reading of dates finds one in "-5" and "1.5" too.
  const date = /[A-Za-z]/.test(retryAfter) ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), 86_400_000);
}

async function exchangeOnce(outgoing: Outgoing, { egress, signal }: Connection): Promise<Answer> {
  const { url, what, hidden, longest = longestAnswer } = outgoing;
  checkUrl(url, egress, what);
  const lookup = guardedLookup(url.host, mayBePrivate(url.host, egress));
  try {
    const reply = await exchange({ ...outgoing, ca: egress.ca, lookup, timeoutMs, longest }, signal);
    return { url, ...reply, redact: redactor(hidden) };
  } catch (error) {
    if (error instanceof ExchangeFailed)
      throw error.fault === 'no-answer-in-time'
        ? new TargetUnreachable(error.message)
        : new TargetRefused(error.message);
    throw networkRefusal(error, what);
  }
}
