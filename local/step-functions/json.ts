/** Any JSON value: what flows between states. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Reads JSON text as a JSON value; throws SyntaxError when it is none. */
export function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** Tells a JSON object from arrays and scalars. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tells a JSON array from everything else; Array.isArray does not narrow readonly arrays. */
export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** A value's text, or nothing where it is no string. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Names a value's type as AWS does in the cause of an evaluation error. */
export function typeName(value: Json): 'array' | 'boolean' | 'null' | 'number' | 'object' | 'string' {
  if (value === null) return 'null';
  if (isArray(value)) return 'array';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  return typeof value === 'boolean' ? 'boolean' : 'object';
}

/** The size that AWS counts against a payload limit: UTF-8 bytes of the JSON text. */
export function byteSize(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** 256 KiB: the most that a state's input, output, result or variable may hold. */
export const payloadLimit = 262_144;
