/** Members of AWS's documented secret shapes that are addresses, not secrets; everything else is taken for one. */
const publicMembers = new Set([
  'engine',
  'host',
  'port',
  'dbname',
  'username',
  'ssl',
  'masterarn',
  'dbInstanceIdentifier',
  'dbClusterIdentifier',
]);

/** Long enough for a driver's sentence, short enough for an event. */
const longestText = 400;

/** Shorter values would be found in every sentence; a text that holds one is dropped as a whole. */
const shortestReplaceable = 4;

/**
 * Makes a text fit for events and logs: no secret value is left in it, neither as it is nor as URLs, JSON or Base64
 * write it.
 */
export function redact(text: string, secretTexts: readonly string[]): string {
  let redacted = text;
  const values = secretTexts
    .flatMap(sensitiveValues)
    .flatMap(spellings)
    // The longest first: a value that is part of another must not leave the rest of that behind.
    .sort((a, b) => b.length - a.length);
  for (const value of new Set(values)) {
    if (value === '' || !redacted.includes(value)) continue;
    if (value.length < shortestReplaceable) return '[redacted]';
    redacted = redacted.replaceAll(value, '[redacted]');
  }
  return redacted.length > longestText ? `${redacted.slice(0, longestText)}…` : redacted;
}

function sensitiveValues(secretText: string): string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(secretText);
  } catch {
    return [secretText];
  }
  return [secretText, ...leaves(parsed, true)];
}

function leaves(value: unknown, top: boolean): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    top && publicMembers.has(name) ? [] : leaves(member, false),
  );
}

function spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    // A lone surrogate has no URL form.
    urlForm(value),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ];
}

function urlForm(value: string): string {
  try {
    return encodeURIComponent(value);
  } catch {
    return value;
  }
}
