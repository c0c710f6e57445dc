import type { Readable } from '../cloud';

/** A place in which a secret value was found; the value itself is not repeated. */
export interface Leak {
  readonly place: string;
  readonly count: number;
}

/**
 * Looks for secret values in everything that can be read: as they are, and as JSON, URLs and Base64 write them.
 *
 * Values shorter than 8 characters would be found by chance and are refused.
 */
export function findLeaks(values: readonly string[], readables: readonly Readable[]): readonly Leak[] {
  const short = values.filter((value) => value.length < 8).length;
  if (short > 0) throw new RangeError(`${short} secret values are too short to be looked for`);
  const forms = new Set(values.flatMap(formsOf));
  return readables.flatMap(({ place, text }) => {
    const count = [...forms].reduce((sum, form) => sum + occurrences(text, form), 0);
    return count === 0 ? [] : [{ place, count }];
  });
}

function formsOf(value: string): string[] {
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    Buffer.from(value).toString('base64'),
  ];
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
