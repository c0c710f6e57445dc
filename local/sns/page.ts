import { invalidParameter } from './invalid-parameter';

/** The part of a list that one answer holds, 100 items as on AWS; the token is the position of the next. */
export function page<Item>(
  items: readonly Item[],
  token: string | undefined,
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  const from = Number(token ?? 0);
  if (!Number.isInteger(from)) throw invalidParameter('NextToken');
  return {
    items: items.slice(from, from + 100),
    next: items.length > from + 100 ? String(from + 100) : undefined,
  };
}
