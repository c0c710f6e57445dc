import { ServiceError } from '../kernel/service';

/** One page of a list, with AWS's defaults: 100 entries, 1,000 at most, and an opaque token for what follows. */
export function page<Entry>(
  entries: readonly Entry[],
  {
    maxResults,
    nextToken,
  }: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
): { readonly entries: readonly Entry[]; readonly nextToken?: string } {
  const start = nextToken === undefined ? 0 : decode(nextToken);
  const size = maxResults === undefined || maxResults === 0 ? 100 : maxResults;
  const end = start + size;
  return {
    entries: entries.slice(start, end),
    ...(end < entries.length ? { nextToken: Buffer.from(`from:${end}`).toString('base64url') } : {}),
  };
}

function decode(token: string): number {
  const offset = /^from:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1];
  if (offset === undefined) throw new ServiceError('InvalidToken', `Invalid Token: 'Invalid token'`);
  return Number(offset);
}
