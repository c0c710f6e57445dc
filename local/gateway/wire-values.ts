import { ServiceError } from '../kernel/service';

/** Says whether a value is an object with members, as JSON and XML have them. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Copies a value into what AWS's JSON protocols send: dates as epoch seconds, absent members left out. */
export function toJsonValue(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (Array.isArray(value)) return value.map(toJsonValue);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, toJsonValue(member)]),
  );
}

/** Reads a JSON object; an empty body counts as one without members, as AWS takes it. */
export function parseJsonObject(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's message quotes the text, which may be a secret.
    throw new ServiceError('SerializationException', 'The body is not JSON.');
  }
  if (!isRecord(value)) throw new ServiceError('SerializationException', 'The body is not a JSON object.');
  return value;
}
