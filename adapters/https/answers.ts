import { redact } from '../../client/redaction';
import { EndpointBusy, EndpointFailing, EndpointRefused } from './errors';
import type { Reply } from './exchange';

/** What an endpoint says about a version. */
export type Verdict =
  | { readonly state: 'loaded' }
  /** At work; `location` is where to ask how far, as it was sent. */
  | { readonly state: 'working'; readonly location: string | undefined }
  /** It does not know that it was asked: it has restarted, or another instance of it answers. */
  | { readonly state: 'unknown' }
  | { readonly state: 'refused'; readonly reason: string };

/** Longest reason that is passed on. */
const longestReason = 256;

/** What was asked, as far as the answer is read by it. */
export interface Question {
  readonly method: 'GET' | 'POST';
  readonly versionId: string;
  /** How errors call it. */
  readonly what: string;
  /** Values that the answer must not give away, should it quote them. */
  readonly hidden: readonly string[];
}

/**
 * Reads an endpoint's answer. Errors: EndpointBusy for 429, and for 503 with Retry-After; EndpointFailing for any other 5xx,
 * 408 and 425; EndpointRefused for redirects, other 4xx, a 200 that does not name the version, and what HTTP does not know.
 */
export function verdictOf(reply: Reply, { method, versionId, what, hidden }: Question): Verdict {
  const { status } = reply;
  switch (status) {
    case 200:
      checkNames(reply, versionId);
      return { state: 'loaded' };
    case 202:
      return { state: 'working', location: reply.location };
    case 409:
    case 422:
      return { state: 'refused', reason: reasonOf(reply, hidden) };
  }
  if (method === 'GET' && (status === 404 || status === 410)) return { state: 'unknown' };
  if (status === 429 || (status === 503 && reply.retryAfter !== undefined))
    throw new EndpointBusy(`${what} answered ${status}`);
  if (status >= 500 || status === 408 || status === 425)
    throw new EndpointFailing(`${what} answered ${status}`);
  if (status >= 300 && status < 400)
    throw new EndpointRefused(
      `HTTP ${status}: redirects are not followed, name the final address in the settings`,
    );
  throw new EndpointRefused(`HTTP ${status}`);
}

/**
 * How long an answer asks to wait, in milliseconds: Retry-After of RFC 9110, section 10.2.3, in seconds or as a date; a day
 * at most. Undefined where nobody asked for it.
 */
export function pauseAsked({ status, retryAfter }: Reply, now: number): number | undefined {
  if ((status !== 429 && status !== 503) || retryAfter === undefined) return undefined;
  const seconds = retryAfter.trim();
  if (/^\d+$/.test(seconds)) return Math.min(Number(seconds), 86_400) * 1000;
  // Node's own reading of dates finds one in "-5" and "1.5" too.
  const date = /[A-Za-z]/.test(retryAfter) ? Date.parse(retryAfter) : NaN;
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), 86_400_000);
}

/** The member `reason` of the answer, on one line; the status where there is none. */
function reasonOf({ status, text }: Reply, hidden: readonly string[]): string {
  const told = memberOf(text, 'reason');
  // Redacted before it is cut: half a value would not be found.
  const line = redact(told ?? '', hidden)
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim();
  return `EndpointRefused: ${line === '' ? `HTTP ${status}` : line}`.slice(0, longestReason);
}

/**
 * A 200 counts where it names the version that was asked for. Load balancers, sign-in pages and health checks answer 200 to
 * anything. What it says in place of that is not told: it may be anything.
 */
function checkNames({ text }: Reply, versionId: string): void {
  const named = memberOf(text, 'versionId');
  if (named === undefined)
    throw new EndpointRefused('HTTP 200 without {"versionId":"…"}, which would say that it is loaded');
  if (named !== versionId) throw new EndpointRefused('HTTP 200 for another version than the one asked for');
}

/** A member of the answer that is a text; undefined where there is none, or where the answer is no JSON object. */
function memberOf(text: string, name: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, name)) return undefined;
  const value: unknown = Reflect.get(parsed, name);
  return typeof value === 'string' ? value : undefined;
}
