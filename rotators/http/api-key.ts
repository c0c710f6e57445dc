import { SamePrincipal } from '../../domain/errors';
import type { Change, Rotator } from '../rotator';
import { authorityOf, isSuccess } from './authority';
import { send } from './connection';
import { idOf, keyOf, type HttpSettings } from './definition';
import { testRefusal } from './errors';
import { changeKey, mintKey } from './keys';
import { outgoing } from './outgoing';
import { refuseRepetition } from '../repetition';

type Members = Readonly<Record<string, unknown>>;

/**
 * A key at an issuer that makes keys itself, by the requests that the settings describe.
 *
 * Each key is one of: made (and named for a version of the secret), in use, left over, ended. `create` makes one and ends
 * those that are left over; `retire` makes the old key left over, and stops it where the issuer can bring it back
 * (`disable` and `enable`). Nothing but `create` ends a key, so that going back finds both.
 */
export const apiKey: Rotator<Members, Members, HttpSettings> = {
  async create(from, context, { versionId, owner, others, pinned = [] }) {
    const { settings } = context;
    const { key, id } = keyOf(from, settings);
    const { secret: names } = settings;
    refuseRepetition(from, [names.key, names.id], key);
    const minted = await mintKey(settings, authorityOf(settings, from, context), {
      inUse: id,
      // The key in use under a wrong id, as somebody may have written it once, is no key that is left.
      left: others
        .filter((other) => other[names.key] !== key)
        .flatMap((other) => idOf(other, settings) ?? []),
      pinned: pinned.flatMap((other) => idOf(other, settings) ?? []),
      versionId,
      owner,
    });
    return { ...from, [names.key]: minted.key, [names.id]: minted.id };
  },

  async apply(change, context) {
    const { settings } = context;
    const { from, to } = idsOf(change, settings);
    if (settings.enable === undefined || from === to) return {};
    await changeKey(settings.enable, authorityOf(settings, change.from, context), to);
    return {};
  },

  async verify(secret, { settings, signal }) {
    const { id } = keyOf(secret, settings);
    const { test } = settings;
    const ready = outgoing(test, { secret, admin: undefined, id });
    const answer = await send(ready, { egress: settings, signal });
    if (!(test.expect?.includes(answer.status) ?? isSuccess(answer.status)))
      throw testRefusal(answer, ready.what);
  },

  async retire(change, context) {
    const { settings } = context;
    const { from, to } = idsOf(change, settings);
    if (from === to) throw new SamePrincipal(`both versions of the secret hold key ${from}`);
    if (settings.disable === undefined) return;
    await changeKey(settings.disable, authorityOf(settings, change.to, context), from);
  },
};

function idsOf({ from, to }: Change<Members>, settings: HttpSettings): Change<string> {
  return { from: keyOf(from, settings).id, to: keyOf(to, settings).id };
}
