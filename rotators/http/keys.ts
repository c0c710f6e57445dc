import { OverlapExhausted, TargetRefused, TargetUnreachable } from '../../domain/errors';
import { shown, type Authority } from './authority';
import { jsonOf } from './connection';
import { atPointer, textAt } from './pointer';
import { givesAway } from '../repetition';
import type { KeySettings } from './requests';

/** A key that the issuer has just made. */
export interface MintedKey {
  readonly key: string;
  readonly id: string;
}

/** What a new key takes the place of. */
export interface Replaced {
  /** Id of the key in use: whatever else is found, this one stays. */
  readonly inUse: string;
  /** Ids of keys that an earlier rotation replaced. */
  readonly left: readonly string[];
  /** Ids of keys that somebody reads by a label of their own: they stay too. */
  readonly pinned: readonly string[];
  readonly versionId: string;
  readonly owner: string | undefined;
}

/** A list that is longer is no list of one team's keys. */
const mostPages = 50;
const longestPage = 1024 * 1024;
const usualPrefix = 'rotor-';
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Ends what earlier rotations left behind, and makes a key. OverlapExhausted where there may be no more.
 */
export async function mintKey(
  settings: KeySettings,
  authority: Authority,
  replaced: Replaced,
): Promise<MintedKey> {
  await endLeftOver(settings, authority, replaced);
  const { create, exhausted } = settings;
  const what = shown(create);
  const name = nameOf(settings, replaced);
  const answer = await authority.ask(create, { name }, { expected: exhausted });
  if (exhausted.includes(answer.status))
    throw new OverlapExhausted(`${what} answered ${answer.status}: the issuer has no room for a further key`);
  const document = jsonOf(answer, what);
  const [key, id] = [textAt(document, create.key), textAt(document, create.id)];
  if (key === undefined || id === undefined) {
    const missing = key === undefined ? `create.key (${create.key})` : `create.id (${create.id})`;
    throw new TargetRefused(`${what} answered ${answer.status} without a text at ${missing}`);
  }
  // The id stands in history, in events and in URLs.
  if (givesAway(id, key))
    throw new TargetRefused(`${what} answered with the key itself at create.id (${create.id})`);
  return { key, id };
}

/**
 * Ends three kinds of keys, and never the key in use or one that somebody has pinned: what an earlier rotation replaced;
 * the key that an earlier call with the same version made and nobody received, found in the list by its name; and every
 * other key with a name of this secret's, which is that of a rotation that went back.
 *
 * The last kind is told by the name alone. So the list has to show the key in use: where it does not, it is another
 * account's, or its ids are not those of `create`, and the key in use might be taken for one that is left.
 */
export async function endLeftOver(
  settings: Pick<KeySettings, 'list' | 'revoke' | 'prefix'>,
  authority: Authority,
  replaced: Replaced,
): Promise<void> {
  const { inUse, pinned } = replaced;
  const isKept = (id: string) => id === inUse || pinned.includes(id);
  const left = new Set(replaced.left.filter((id) => !isKept(id)));
  const name = nameOf(settings, replaced);
  const listed = await listKeys(settings, authority);
  const abandoned = listed.filter(
    (key) =>
      !isKept(key.id) && !left.has(key.id) && key.name !== name && isOurs(key.name, settings, replaced),
  );
  if (abandoned.length > 0 && !listed.some(({ id }) => id === inUse))
    throw new TargetRefused(
      `the list of keys lacks key ${inUse}, which is in use: see whether list.id is what create.id is, and whether list is of the same account`,
    );
  for (const key of listed)
    if (!isKept(key.id) && (left.has(key.id) || key.name === name || abandoned.includes(key)))
      await endListed(settings.revoke, authority, key.id);
  for (const id of left)
    if (!listed.some((key) => key.id === id)) await changeKey(settings.revoke, authority, id);
}

/** What the key of a version is called at the issuer. */
export function nameOf(
  settings: Pick<KeySettings, 'prefix'>,
  { versionId, owner }: Pick<Replaced, 'versionId' | 'owner'>,
): string {
  return `${beginningOf(settings, owner)}${versionId}`;
}

function beginningOf({ prefix = usualPrefix }: Pick<KeySettings, 'prefix'>, owner: string | undefined) {
  return owner === undefined ? prefix : `${prefix}${owner}-`;
}

/** Asks for a change of one key: to end it, to stop it, to bring it back. What is done already is done. */
export async function changeKey(
  request: KeySettings['revoke'],
  authority: Authority,
  id: string,
): Promise<void> {
  await authority.ask(request, { id }, { expected: request.done });
}

/**
 * Ends a key that the list has just shown. To be told that there is none is no success then: an address with a slip in it
 * says the same of every key, and would leave all of them working. A list that lags behind says so too, for a while.
 */
async function endListed(request: KeySettings['revoke'], authority: Authority, id: string): Promise<void> {
  const { status } = await authority.ask(request, { id }, { expected: request.done });
  if (status === 404 || status === 410)
    throw new TargetUnreachable(
      `${shown(request)} answered ${status} for key ${id}, which the list still shows: see whether revoke.url is right`,
    );
}

/** The key was named for a version of this secret, and for no other secret: whoever copies a policy copies its prefix. */
function isOurs(
  name: string | undefined,
  settings: Pick<KeySettings, 'prefix'>,
  { owner }: Pick<Replaced, 'owner'>,
): boolean {
  if (owner === undefined || name === undefined) return false;
  const beginning = beginningOf(settings, owner);
  return name.startsWith(beginning) && uuid.test(name.slice(beginning.length));
}

interface ListedKey {
  readonly id: string;
  /** What has none was not made by a rotation. */
  readonly name: string | undefined;
}

async function listKeys(
  { list }: Pick<KeySettings, 'list'>,
  authority: Authority,
): Promise<readonly ListedKey[]> {
  if (list === undefined) return [];
  const what = shown(list);
  const keys: ListedKey[] = [];
  let url: URL | undefined;
  for (let page = 1; ; page++) {
    const answer = await authority.ask(
      list,
      {},
      { longest: longestPage, ...(url === undefined ? {} : { url }) },
    );
    const document = jsonOf(answer, what);
    const items = atPointer(document, list.items);
    if (!Array.isArray(items))
      throw new TargetRefused(`${what} answered without a list at list.items (${list.items})`);
    for (const item of items) {
      const id = textAt(item, list.id);
      if (id !== undefined) keys.push({ id, name: textAt(item, list.name) });
    }
    const next = list.next === undefined ? undefined : textAt(document, list.next);
    if (next === undefined) return keys;
    if (page === mostPages) throw new TargetRefused(`${what} has more than ${mostPages} pages`);
    if (!URL.canParse(next, answer.url.href))
      throw new TargetRefused(`${what} answered with a next page that is no address`);
    url = new URL(next, answer.url);
  }
}
