/** Writes one line of JSON to the function's log: a constant message, ids and names, never an event and never a value. */
export function log(
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, string | number | undefined>>,
): void {
  console.log(JSON.stringify({ level, message, ...fields }));
}
