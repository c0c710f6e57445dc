/** Form of a JSON pointer, RFC 6901. */
export const pointerForm = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** What stands at a JSON pointer; undefined where nothing does. The empty pointer is the whole document. */
export function atPointer(document: unknown, pointer: string): unknown {
  const steps = pointer.split('/').slice(1);
  return steps.reduce<unknown>((value, step) => {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? Reflect.get(value, name)
      : undefined;
  }, document);
}

/**
 * The text at a pointer; numbers, as some issuers number their keys, become text. Undefined for all else, and for a number
 * that JavaScript rounds: it would be the id of another key.
 */
export function textAt(document: unknown, pointer: string): string | undefined {
  const value = atPointer(document, pointer);
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
