import { ServiceError } from '../kernel/service';

/**
 * Reads a filter pattern of unstructured terms into a test of one line.
 *
 * All plain terms must occur, none with `-` before it, and one of those with `?`, if there are any. Patterns for JSON
 * (`{…}`), for columns (`[…]`) and regular expressions (`%…%`) are refused.
 */
export function parseFilterPattern(pattern: string): (message: string) => boolean {
  const text = pattern.trim();
  if (/^[{[%]/.test(text))
    throw new ServiceError(
      'UnsupportedParameter',
      'The embedded cloud does not implement FilterLogEvents with JSON, column or regular expression patterns.',
    );
  const terms = [...text.matchAll(/([?-]?)(?:"((?:[^"\\]|\\.)*)"|(\S+))/g)].map((match) => ({
    sign: match[1],
    text: match[2]?.replace(/\\(.)/g, '$1') ?? match[3] ?? '',
  }));
  const of = (sign: string) => terms.filter((term) => term.sign === sign).map((term) => term.text);
  const [required, excluded, either] = [of(''), of('-'), of('?')];
  return (message) =>
    required.every((term) => message.includes(term)) &&
    !excluded.some((term) => message.includes(term)) &&
    (either.length === 0 || either.some((term) => message.includes(term)));
}
