/**
 * One member of something that was thrown, if it is a text with something in it.
 *
 * Not by `instanceof Error`: an error from another realm, as worker threads and test runners have them, is none here.
 */
export function textOf(error: unknown, name: string): string | undefined {
  const value = memberOf(error, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** One member of something that was thrown, if it is a number. */
export function numberOf(error: unknown, name: string): number | undefined {
  const value = memberOf(error, name);
  return typeof value === 'number' ? value : undefined;
}

/** The HTTP status that an error of the AWS SDK came with; without one, nobody has answered. */
export function statusOf(error: unknown): number | undefined {
  return numberOf(memberOf(error, '$metadata'), 'httpStatusCode');
}

function memberOf(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
}
