import { ServiceError } from '../kernel/service';

/** The part of a list that one answer holds; the token is the position of the next item. */
export function page<Item>(
  items: readonly Item[],
  limit = 100,
  token = '0',
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  if (!/^\d{1,9}$/.test(token)) throw new ServiceError('ValidationException', 'The NextToken is not valid.');
  const from = Number(token);
  const to = from + limit;
  return { items: items.slice(from, to), next: items.length > to ? String(to) : undefined };
}

/** Items whose names begin with a prefix, by name. */
export const byName = <T extends { readonly name: string }>(items: Iterable<T>, prefix = ''): readonly T[] =>
  [...items].filter((item) => item.name.startsWith(prefix)).sort((a, b) => (a.name < b.name ? -1 : 1));
