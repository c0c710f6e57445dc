import type { Json } from '../step-functions/json';
import { parseJson } from '../step-functions/json';

/** Finds the first difference between what was recorded on AWS and what a run gave; placeholders stand for anything. */
export class Matcher {
  private readonly bound = new Map<string, string>();
  private readonly words: ReadonlySet<string>;

  /** `placeholders` lists what the recorder put in the place of values that change from run to run. */
  constructor(placeholders: readonly string[]) {
    this.words = new Set(placeholders.filter((word) => !word.startsWith('<')));
  }

  /** Where and how the two differ, or undefined. */
  difference(expected: unknown, actual: unknown, path: string): string | undefined {
    if (typeof expected === 'string') return this.text(expected, actual, path);
    if (isList(expected)) {
      if (!isList(actual) || actual.length !== expected.length) return differ(path, expected, actual);
      return first(expected, (item, index) => this.difference(item, actual[index], `${path}[${index}]`));
    }
    if (isRecord(expected)) {
      // AWS gives some causes as JSON text where the recording holds them parsed.
      const other = typeof actual === 'string' ? parsed(actual) : actual;
      if (!isRecord(other)) return differ(path, expected, actual);
      const keys = new Set([...Object.keys(expected), ...Object.keys(other)]);
      return first([...keys], (key) => this.difference(expected[key], other[key], `${path}.${key}`));
    }
    return expected === actual || (expected === 0 && actual === 0)
      ? undefined
      : differ(path, expected, actual);
  }

  private text(expected: string, actual: unknown, path: string): string | undefined {
    if (this.words.has(expected)) return actual === undefined ? differ(path, expected, actual) : undefined;
    if (typeof actual !== 'string') return differ(path, expected, actual);
    if (expected === actual || this.fits(expected, actual)) return undefined;
    // JSON inside a text is compared by value: recordings differ in spaces.
    const [left, right] = [parsed(expected), parsed(actual)];
    if (left !== undefined && right !== undefined && typeof left === 'object' && left !== null)
      return this.difference(left, right, `${path}(parsed)`);
    return differ(path, expected, actual);
  }

  private fits(expected: string, actual: string): boolean {
    const tokens: string[] = [];
    const pattern = expected
      .split(/(<[\w:-]+>)/)
      .map((part, index) => {
        if (index % 2 === 0) return escaped(part);
        const known = this.bound.get(part);
        if (known !== undefined) return escaped(known);
        if (tokens.includes(part)) return `\\${tokens.indexOf(part) + 1}`;
        tokens.push(part);
        return '([\\s\\S]+?)';
      })
      .join('');
    const match = new RegExp(`^${pattern}$`).exec(actual);
    tokens.forEach((token, index) => {
      const text = match?.[index + 1];
      if (text !== undefined) this.bound.set(token, text);
    });
    return match !== null;
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function first<Item>(
  items: readonly Item[],
  find: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differ(path: string, expected: unknown, actual: unknown): string {
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 300));
  return `${path}: expected ${show(expected)}, got ${show(actual)}`;
}

/** An event as the recordings show it: details flattened, JSON texts decoded, what changes from run to run left out. */
export function flatten(event: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const flat: Record<string, unknown> = {
    type: event['type'],
    id: event['id'],
    previousEventId: event['previousEventId'],
  };
  for (const [key, details] of Object.entries(event)) {
    if (!key.endsWith('EventDetails') || !isRecord(details)) continue;
    for (const [name, value] of Object.entries(details)) {
      if (name === 'region' || name.endsWith('Details')) continue;
      if (name === 'roleArn') continue;
      if (name === 'name' || name === 'state') flat['stateName'] = value;
      else if (['input', 'output', 'parameters'].includes(name) && typeof value === 'string')
        flat[name] = parsed(value);
      else if (name === 'assignedVariables' && isRecord(value))
        flat[name] = Object.fromEntries(
          Object.entries(value).map(([variable, text]) => [variable, parsed(String(text))]),
        );
      else flat[name] = value;
    }
  }
  return flat;
}
