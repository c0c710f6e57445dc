import { SamePrincipal } from '../../domain/errors';
import { authorityOf } from '../http/authority';
import { changeKey, mintKey } from '../http/keys';
import { refuseRepetition } from '../repetition';
import type { Rotator, RotatorContext } from '../rotator';
import { logIn } from './connection';
import {
  oauthClientSecretDefinition,
  secretIdOf,
  type OauthAdmin,
  type OauthSecret,
  type OauthSettings,
} from './definition';
import { registerClient } from './registration';

/**
 * The secret of an OAuth client, in one of two ways: a client of its own for every rotation, or a further secret of the
 * same client.
 *
 * What is made is one of: in use, left over, ended. `retire` makes it left over, and stops it where the provider can bring
 * it back; only the next rotation's `create` ends it, so that going back finds both.
 */
export const clientSecret: Rotator<OauthSecret, OauthAdmin, OauthSettings> = {
  async create(from, context, options) {
    const { settings } = context;
    refuseRepetition(from, ['client_id', 'client_secret'], from.client_secret);
    if (settings.mode === 'registration') return registerClient(from, { ...context, settings }, options);
    const minted = await mintKey(settings, authorityOf(settings, from, context), {
      inUse: secretIdOf(from),
      left: options.others
        .filter(({ client_secret }) => client_secret !== from.client_secret)
        .flatMap((other) => other.client_secret_id ?? []),
      pinned: (options.pinned ?? []).flatMap((other) => other.client_secret_id ?? []),
      versionId: options.versionId,
      owner: options.owner,
    });
    return { ...from, client_secret: minted.key, client_secret_id: minted.id };
  },

  async apply({ from, to }, context) {
    await change('enable', to, from, context);
    return {};
  },

  verify: (secret, { settings, signal }) => logIn(secret, settings, signal),

  async retire({ from, to }, context) {
    const [stopped, kept] = [from, to].map((secret) =>
      oauthClientSecretDefinition.principal(secret, context.settings),
    );
    if (stopped === kept) throw new SamePrincipal(`both versions of the secret hold ${String(kept)}`);
    await change('disable', from, to, context);
  },
};

/** Stops a secret of the client or brings it back, in the name of another one; nothing where the provider cannot. */
async function change(
  kind: 'enable' | 'disable',
  secret: OauthSecret,
  working: OauthSecret,
  context: RotatorContext<OauthAdmin, OauthSettings>,
): Promise<void> {
  const { settings } = context;
  const request = settings.mode === 'two-secrets' ? settings[kind] : undefined;
  if (request === undefined) return;
  await changeKey(request, authorityOf(settings, working, context), secretIdOf(secret));
}
