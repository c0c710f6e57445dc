import { SecretUnreadable } from './errors';
import { redact } from './redaction';

/** What a secret holds when nothing else is said: the members of its JSON text. */
export type SecretMembers = Readonly<Record<string, unknown>>;

/**
 * One version of a secret. Its value is read by `value` and shows neither in console.log nor in JSON.stringify.
 */
export class SecretVersion<Value> {
  readonly #value: Value;
  readonly #text: string;

  constructor(
    readonly versionId: string,
    text: string,
    parse: (secretString: string) => Value,
  ) {
    this.#text = text;
    this.#value = parse(text);
  }

  get value(): Value {
    return this.#value;
  }

  /** Takes every value of this version out of a text. */
  redact(text: string): string {
    return redact(text, [this.#text]);
  }
}

/** Reads a SecretString as a JSON object. SecretUnreadable, without the text. */
export function parseMembers(secretString: string): SecretMembers {
  let parsed: unknown;
  try {
    parsed = JSON.parse(secretString);
  } catch {
    // The parser's own message quotes what it read.
    throw new SecretUnreadable('the secret is not JSON');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new SecretUnreadable('the secret is not a JSON object');
  return { ...parsed };
}
