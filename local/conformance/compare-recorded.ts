/** Keys whose lists the recorder sorted in its own way; they are compared as sets. */
const unordered = new Set(['VersionStages', 'Versions']);

/**
 * Compares an answer with a recorded one and returns the first difference, or undefined.
 *
 * A placeholder such as `<version_uuid:1>` stands for some text, always the same within a case: its first meeting binds
 * it, later ones must agree. `datetime` stands for any date.
 */
export function compareRecorded(
  recorded: unknown,
  actual: unknown,
  bindings: Map<string, string>,
  path = '',
): string | undefined {
  if (recorded === 'datetime') return actual instanceof Date ? undefined : `${path}: expected a date`;
  if (typeof recorded === 'string') return compareText(recorded, actual, bindings, path);
  if (Array.isArray(recorded)) return compareList(recorded, actual, bindings, path);
  if (typeof recorded === 'object' && recorded !== null)
    return compareObject(recorded, actual, bindings, path);
  return recorded === actual ? undefined : `${path}: expected ${String(recorded)}, got ${show(actual)}`;
}

function compareText(
  recorded: string,
  actual: unknown,
  bindings: Map<string, string>,
  path: string,
): string | undefined {
  if (typeof actual !== 'string') return `${path}: expected text, got ${show(actual)}`;
  const unbound: string[] = [];
  const pattern = recorded.split(/(<[\w-]+(?::\d+)?>)/u).map((part) => {
    if (!/^<[\w-]+(?::\d+)?>$/u.test(part)) return escape(part);
    const known = bindings.get(part);
    if (known !== undefined) return escape(known);
    unbound.push(part);
    return '(.+)';
  });
  const match = new RegExp(`^${pattern.join('')}$`, 'su').exec(actual);
  if (match === null) return `${path}: expected ${recorded}, got ${actual}`;
  unbound.forEach((placeholder, index) => bindings.set(placeholder, match[index + 1] ?? ''));
  return undefined;
}

function compareList(
  recorded: readonly unknown[],
  actual: unknown,
  bindings: Map<string, string>,
  path: string,
): string | undefined {
  if (!Array.isArray(actual)) return `${path}: expected a list, got ${show(actual)}`;
  if (actual.length !== recorded.length)
    return `${path}: expected ${recorded.length} entries, got ${actual.length}`;
  if (!unordered.has(path.split('.').at(-1) ?? ''))
    return first(
      recorded.map((item, index) => () => compareRecorded(item, actual[index], bindings, `${path}.${index}`)),
    );
  const rest: unknown[] = [...(actual as readonly unknown[])];
  for (const item of recorded) {
    // A trial may bind placeholders wrongly, so it works on a copy until it fits.
    const index = rest.findIndex(
      (candidate) => compareRecorded(item, candidate, new Map(bindings), path) === undefined,
    );
    if (index < 0) return `${path}: nothing matches ${show(item)}`;
    compareRecorded(item, rest[index], bindings, path);
    rest.splice(index, 1);
  }
  return undefined;
}

function compareObject(
  recorded: object,
  actual: unknown,
  bindings: Map<string, string>,
  path: string,
): string | undefined {
  // The recorder parsed JSON documents that travel as text.
  const value = typeof actual === 'string' ? parse(actual) : actual;
  if (typeof value !== 'object' || value === null) return `${path}: expected an object, got ${show(actual)}`;
  const actualEntries = new Map<string, unknown>(Object.entries(value));
  const keys: string[] = [];
  for (const [recordedKey, item] of Object.entries(recorded)) {
    if (recordedKey === 'ResponseMetadata') continue;
    const key = boundKey(recordedKey, item, actualEntries, bindings);
    keys.push(key);
    if (!actualEntries.has(key)) return `${path}.${key}: missing`;
    const wrong = compareRecorded(item, actualEntries.get(key), bindings, `${path}.${key}`);
    if (wrong !== undefined) return wrong;
  }
  const extra = [...actualEntries.keys()].find((key) => !keys.includes(key));
  return extra === undefined ? undefined : `${path}.${extra}: not in the recorded answer`;
}

/** A placeholder as a key that no answer has bound yet names the member whose value fits. */
function boundKey(
  recordedKey: string,
  item: unknown,
  actual: ReadonlyMap<string, unknown>,
  bindings: Map<string, string>,
): string {
  const known = bindings.get(recordedKey);
  if (known !== undefined || !recordedKey.startsWith('<')) return known ?? recordedKey;
  const taken = new Set(bindings.values());
  const found = [...actual].find(
    ([key, value]) => !taken.has(key) && compareRecorded(item, value, new Map(bindings)) === undefined,
  )?.[0];
  if (found !== undefined) bindings.set(recordedKey, found);
  return found ?? recordedKey;
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const wrong = check();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, '\\$&');
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
