import { ServiceError } from '../kernel/service';

/** One page of a list, and the token of the next; the token is the offset, in base64. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/** Cuts a page out of a list; a token that is not one of its own is refused under the service's `code`. */
export function pageOf<Item>(
  all: readonly Item[],
  size: number,
  token: string | undefined,
  code = 'InvalidNextTokenException',
): Page<Item> {
  const from = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(from) || from < 0 || from > all.length)
    throw new ServiceError(code, 'The NextToken value is invalid.');
  const to = from + size;
  return {
    items: all.slice(from, to),
    next: to < all.length ? Buffer.from(String(to)).toString('base64url') : undefined,
  };
}
