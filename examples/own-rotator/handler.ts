import { setTimeout as pause } from 'node:timers/promises';
import { errors, ownRotator } from '../../rotators/lambda/contract';
import { adminFor, callPartner, digestOf, partnerSecret, type PartnerSecret, type TokenUse } from './partner';

/**
 * A team's own rotator, for a partner that lets a client have several tokens and keeps a digest of each.
 *
 * Rotor draws the token (`"generated": "token"` in the policy's settings), so there is no verb `create`.
 */
export const handler = ownRotator({
  async apply({ to, admin }, { signal }) {
    const secret = partnerSecret(to);
    const by = { signal, rejected: 'AdminRejected' } as const;
    await callPartner(adminFor(secret, admin), 'PUT', tokenPath(secret), by);
    return {};
  },

  async verify({ secret }, { signal }) {
    await callPartner(partnerSecret(secret), 'GET', '/orders', { signal, rejected: 'CredentialRejected' });
  },

  async usage({ secret, since, watchMs, admin }, { signal }) {
    const read = partnerSecret(secret);
    const look = async () => {
      const by = { signal, rejected: 'AdminRejected' } as const;
      const uses = await callPartner(adminFor(read, admin), 'GET', `${tokenPath(read)}/uses`, by);
      if (!isUses(uses)) throw new errors.TargetRefused('the partner answers something else than uses');
      return uses.filter(({ last }) => Date.parse(last) > Date.parse(since));
    };
    await look();
    await pause(watchMs, undefined, { signal });
    // The partner forgets no use, so that the second look shows what the first one did.
    const begun = (await look()).map(({ application, first, last }) => ({
      application,
      clientAddress: null,
      // There are requests and no sessions: an application that makes many is one holder.
      count: 1,
      newestBegan: last,
      oldestBegan: first,
    }));
    return { begun, open: [], looks: 2 };
  },

  async retire({ from, to, admin }, { signal }) {
    const [stopped, kept] = [partnerSecret(from), partnerSecret(to)];
    if (stopped.token === kept.token) throw new errors.SamePrincipal('both values hold the same token');
    const by = { signal, rejected: 'AdminRejected' } as const;
    await callPartner(adminFor(kept, admin), 'DELETE', tokenPath(stopped), by);
  },
});

function tokenPath({ client, token }: PartnerSecret): string {
  return `/clients/${encodeURIComponent(client)}/tokens/${digestOf(token)}`;
}

function isUses(value: unknown): value is readonly TokenUse[] {
  return (
    Array.isArray(value) &&
    value.every(
      (use: unknown) =>
        typeof use === 'object' &&
        use !== null &&
        ['application', 'first', 'last'].every((name) => typeof Reflect.get(use, name) === 'string'),
    )
  );
}
