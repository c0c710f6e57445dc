/** Where a sensitive value stood. */
const redacted = '[redacted]';

/** What PostgreSQL stores of a password. It opens no door by itself, and still invites guessing. */
const verifier = /SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+/g;

/**
 * Makes a function that takes sensitive values out of a text, in every form that a driver, a URL, a JSON document or an
 * SQL statement gives them, so that no text of an error has to be trusted.
 */
export function redactor(values: Iterable<string>): (text: string) => string {
  const forms = new Set([...values].flatMap(formsOf));
  forms.delete('');
  // Longest first: a form that contains another one must go as a whole.
  const ordered = [...forms].sort((a, b) => b.length - a.length);
  return (text) =>
    ordered.reduce((rest, form) => rest.replaceAll(form, redacted), text.replace(verifier, redacted));
}

function formsOf(value: string): string[] {
  // A lone surrogate has no URL form, and encodeURIComponent throws; it cannot reach a target either.
  const wellFormed = Buffer.from(value).toString();
  const url = encodeURIComponent(wellFormed);
  const base64 = Buffer.from(value).toString('base64').replace(/=+$/, '');
  return [
    value,
    value.normalize('NFKC'),
    url,
    url.replaceAll('%20', '+'),
    url.replace(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase()),
    encodeURI(wellFormed),
    JSON.stringify(value).slice(1, -1),
    JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'),
    Buffer.from(value).toString('base64'),
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
    value.replaceAll("'", "''"),
    value.replaceAll("'", "''").replaceAll('\\', '\\\\'),
    value.replaceAll('"', '""'),
  ];
}
