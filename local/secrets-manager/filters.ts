import * as z from 'zod';
import type { Secret } from './secret';

const keys = ['name', 'description', 'tag-key', 'tag-value', 'all'] as const;

/** The Filters parameter of ListSecrets and BatchGetSecretValue. */
export const filtersShape = z.optional(
  z.array(z.strictObject({ Key: z.enum(keys), Values: z.array(z.string()).min(1).max(10) })).max(10),
);

type Filter = NonNullable<z.infer<typeof filtersShape>>[number];

/**
 * The secrets that all filters match; a filter matches when any of its values does, and `!` before a value turns it round.
 *
 * Names and tags match by beginning, as AWS documents; descriptions by words.
 */
export function selectSecrets(
  secrets: readonly Secret[],
  filters: readonly Filter[],
  withDeleted: boolean,
): readonly Secret[] {
  return secrets.filter(
    (secret) =>
      (withDeleted || secret.deletion === undefined) &&
      filters.every((filter) => filter.Values.some((value) => holds(secret, filter.Key, value))),
  );
}

function holds(secret: Secret, key: Filter['Key'], value: string): boolean {
  if (value.startsWith('!')) return !holds(secret, key, value.slice(1));
  switch (key) {
    case 'name':
      return secret.name.startsWith(value);
    case 'tag-key':
      return [...(secret.tags?.keys() ?? [])].some((text) => text.startsWith(value));
    case 'tag-value':
      return [...(secret.tags?.values() ?? [])].some((text) => text.startsWith(value));
    case 'description':
      return wordsBegin(secret.description ?? '', value);
    case 'all':
      return [secret.name, secret.description ?? '', ...[...(secret.tags ?? [])].flat()].some((text) =>
        wordsBegin(text, value),
      );
  }
}

function wordsBegin(text: string, value: string): boolean {
  const words = text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
  return value
    .toLowerCase()
    .split(/\s+/u)
    .every((wanted) => words.some((word) => word.startsWith(wanted)));
}
