import { createHash, randomUUID } from 'node:crypto';
import type { Json } from './json';
import { parseJson } from './json';

const algorithms: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

// $range answers at most this many numbers.
const rangeLimit = 1000;

function asInteger(name: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new TypeError(`Arguments of the function "${name}" must be numbers`);
  return Math.trunc(value);
}

function partition(array: unknown, size: unknown): unknown[][] | undefined {
  if (array === undefined) return undefined;
  const length = asInteger('partition', size);
  if (length < 1) throw new RangeError('The second argument of the function "partition" must be positive');
  const items: readonly unknown[] = Array.isArray(array) ? array : [array];
  return Array.from({ length: Math.ceil(items.length / length) }, (_, index) =>
    items.slice(index * length, (index + 1) * length),
  );
}

function range(first: unknown, last: unknown, delta: unknown): number[] {
  const [start, end, step] = [first, last, delta].map((value) => asInteger('range', value));
  if (start === undefined || end === undefined || step === undefined || step === 0)
    throw new RangeError('The third argument of the function "range" must not be 0');
  const count = Math.max(0, Math.floor((end - start) / step) + 1);
  if (count > rangeLimit) throw new RangeError(`The function "range" answers at most ${rangeLimit} numbers`);
  const numbers = Array.from({ length: count }, (_, index) => start + index * step);
  // Recorded on AWS: a single number comes out bare, as from JSONata's own sequences.
  if (count === 1) Object.defineProperty(numbers, 'sequence', { value: true });
  return numbers;
}

function hash(data: unknown, algorithm: unknown): string {
  const name = typeof algorithm === 'string' ? algorithms[algorithm] : undefined;
  if (name === undefined)
    throw new TypeError(
      `The second argument of the function "hash" must be one of ${Object.keys(algorithms).join(', ')}`,
    );
  return createHash(name)
    .update(typeof data === 'string' ? data : JSON.stringify(data))
    .digest('hex');
}

/** A number of [0, 1) that is always the same for one seed (mulberry32). */
function seeded(seed: number): number {
  let state = (seed + 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
}

function parse(text: unknown): Json | undefined {
  if (text === undefined) return undefined;
  if (typeof text !== 'string') throw new TypeError('The argument of the function "parse" must be a string');
  return parseJson(text);
}

/** The functions that Step Functions adds to JSONata, by name. */
export function awsFunctions(random: () => number): Readonly<Record<string, (...input: never[]) => unknown>> {
  return {
    partition,
    range,
    hash,
    random: (seed: unknown): number => (typeof seed === 'number' ? seeded(seed) : random()),
    uuid: (): string => randomUUID(),
    parse,
  };
}
