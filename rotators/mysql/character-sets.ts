/**
 * Stands in for `iconv-lite` where functions are bundled: a quarter of a megabyte of tables for character sets of the East.
 *
 * The driver turns to it for what Node's Buffer does not know. Sessions of Rotor are utf8mb4, so that can only be the words
 * of a server whose own default is another one, before the session has begun: they are read as UTF-8, and a character of
 * an error's text may be wrong.
 */
export function getDecoder(): { write(bytes: Buffer): string; end(): undefined } {
  return { write: (bytes) => bytes.toString('utf8'), end: () => undefined };
}

/** The other way round. */
export function getEncoder(): { write(text: string): Buffer; end(): undefined } {
  return { write: (text) => Buffer.from(text, 'utf8'), end: () => undefined };
}
