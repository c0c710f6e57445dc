import { SamePrincipal, SecretMalformed } from '../../domain/errors';
import { everywhere } from '../everywhere';
import { refuseRepetition } from '../repetition';
import type { Change, Rotator } from '../rotator';
import { editAuthorizedKeys, fileOf, type Edit } from './authorized-keys';
import { publicBlob } from './connection';
import {
  keyDefinition,
  knownMembers,
  parsePublicKey,
  type SshAdmin,
  type SshSecret,
  type SshSettings,
} from './definition';
import { asAdmin, asUser, type Context } from './hosts';
import { makeKeyPair } from './key-pair';

/**
 * A user's key pair for SSH. A rotation adds the new public key at every host, and removes the old one.
 *
 * Each public key is, at each host: absent or listed. `apply` moves `to` to listed and leaves `from` alone; `retire` moves
 * `from` to absent. Both have logged in at every host before they change the first.
 */
export const key: Rotator<SshSecret, SshAdmin, SshSettings> = {
  async create(from) {
    checkPair(from);
    refuseRepetition(from, knownMembers, keyDefinition.sensitive(from, {}), 'private key');
    return { ...from, ...makeKeyPair(parsePublicKey(from.publicKey).comment) };
  },

  async apply(change, context) {
    await edited('add', change, [change.from, change.to], context);
    return {};
  },

  async verify(secret, context) {
    checkPair(secret);
    // The login is all: a key that is tied to a command would run it, once more than anybody wants.
    await asUser(secret.hosts, [secret], context, async () => undefined);
  },

  async retire(change, context) {
    const [from, to] = [change.from, change.to].map(({ publicKey }) => parsePublicKey(publicKey).blob);
    if (from === to) throw new SamePrincipal('both versions of the secret hold the same key');
    // By the key that stays: so it works at every host before the other one goes anywhere.
    await edited('remove', change, [change.to], context);
  },
};

/** Changes the file at every host of `to`: as the admin where there is one, and else by the first key that is accepted. */
async function edited(
  verb: Edit['verb'],
  { from, to }: Change<SshSecret>,
  own: readonly [SshSecret, ...SshSecret[]],
  context: Context,
): Promise<void> {
  if (from.username !== to.username)
    throw new SecretMalformed(
      `the versions of the secret name users ${from.username} and ${to.username}; a rotation keeps the user`,
    );
  for (const secret of [from, to]) checkPair(secret);
  const { admin } = context;
  const edit = {
    verb,
    account: to.username,
    file: fileOf(context.settings, to.username),
    from: parsePublicKey(from.publicKey),
    to: parsePublicKey(to.publicKey),
    anew: admin !== undefined,
  };
  const work = async (sessions: Parameters<Parameters<typeof asUser>[3]>[0]) => {
    await everywhere(sessions, (session) => editAuthorizedKeys(session, edit));
  };
  if (admin === undefined) await asUser(to.hosts, own, context, work);
  else await asAdmin(to.hosts, [from, to], admin, context, work);
}

/** A public key that is not the private one's would be spread over all hosts, and let nobody in. SecretMalformed. */
function checkPair({ privateKey, publicKey }: SshSecret): void {
  if (publicBlob(privateKey, 'privateKey') !== parsePublicKey(publicKey).blob)
    throw new SecretMalformed('publicKey of the secret is not the one of its privateKey');
}
