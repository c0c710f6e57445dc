import { text as textOf } from 'node:stream/consumers';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Cloud } from '../cloud';
import { isRefusedLogin, membersIn, newSecret, UnwantedAnswer } from './http-target';
import type { RehearsalTarget, TargetKind, TargetServer } from './target';
import { keepIdleConnections } from '../kernel/idle-connections';

/** A receiver of webhooks: whoever sends to it signs with the value, and it checks with what Secrets Manager holds. */
export const generatedKind: TargetKind = {
  facts: {
    claimed: false,
    sessionsOutlive: true,
    connectionsPerVerb: null,
    adminIsPrincipal: false,
    required: ['value'],
  },
  start: startGeneratedTargets,
};

/** A receiver, and what it takes to have webhooks at it. */
export interface GeneratedTargets extends TargetServer {
  provision(options?: { readonly adminArn?: string }): Promise<GeneratedTarget>;
}

/** A webhook with a value of its own. */
export interface GeneratedTarget extends RehearsalTarget {
  /** Tells the receiver a new value, as AWSCURRENT's move does; only where there is no cloud that it reads from. */
  publish(secret: string): void;
}

/** What a receiver accepts: the value in force, and the one before, which others may sign with for a while. */
interface Webhook {
  accepted: readonly string[];
  /** Where the receiver reads them anew; absent without a cloud. */
  readonly read?: () => Promise<readonly string[]>;
}

/** Starts a receiver. Without a cloud it knows what `publish` tells, and a login publishes what it logs in with. */
export async function startGeneratedTargets(cloud?: Cloud): Promise<GeneratedTargets> {
  const webhooks = new Map<string, Webhook>();
  const log: { readonly line: string; readonly agent: string; readonly accepted: boolean }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      const path = request.url ?? '';
      const accepted = await isGenuine(webhooks.get(path), body, String(request.headers['x-signature']));
      const agent = request.headers['user-agent'] ?? '';
      const status = accepted ? 200 : 401;
      log.push({ line: `${request.method ?? ''} ${path} ${String(status)} ${agent}`, agent, accepted });
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ received: log.length }));
    })();
  });
  keepIdleConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver got no port');
  const origin = `http://127.0.0.1:${String(address.port)}`;
  return {
    provision: () => {
      const path = `/hooks/${String(webhooks.size + 1)}`;
      return Promise.resolve(provision(webhooks, path, `${origin}${path}`, cloud));
    },
    logText: () => Promise.resolve(log.map(({ line }) => line).join('\n')),
    logins: () =>
      Promise.resolve({
        accepted: log
          .filter(({ accepted }) => accepted)
          .map(({ agent }) => ({ user: '', application: agent })),
        refused: log.filter(({ accepted }) => !accepted).map(() => ({ user: '' })),
      }),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/**
 * Whether a known value signed the body. A signature that none fits may be a new value's: the sender has loaded it and
 * the receiver has not. So it reads again before it refuses.
 */
async function isGenuine(webhook: Webhook | undefined, body: string, signature: string): Promise<boolean> {
  if (webhook === undefined) return false;
  const fits = () => webhook.accepted.some((value) => isEqual(signatureOf(body, value), signature));
  if (fits()) return true;
  if (webhook.read === undefined) return false;
  webhook.accepted = await webhook.read();
  return fits();
}

function provision(
  webhooks: Map<string, Webhook>,
  path: string,
  url: string,
  cloud: Cloud | undefined,
): GeneratedTarget {
  const first = newSecret();
  const webhook: Webhook =
    cloud === undefined ? { accepted: [first] } : { accepted: [], read: readerOf(cloud, url) };
  webhooks.set(path, webhook);
  const strangers = new Set<string>();
  const publish = (secret: string) => {
    const [value = ''] = membersIn(secret, ['value']);
    if (cloud !== undefined || webhook.accepted.includes(value) || strangers.has(value)) return;
    webhook.accepted = [value, ...webhook.accepted].slice(0, 2);
  };
  return {
    secret: JSON.stringify({ value: first, url }),
    publish,
    login: async (secret, application) => {
      publish(secret);
      const [value = ''] = membersIn(secret, ['value']);
      const work = () => deliver(url, value, application);
      await work();
      return { work, close: () => Promise.resolve() };
    },
    isRefusedLogin,
    wrong: (secret) => {
      const stranger = newSecret();
      strangers.add(stranger);
      return JSON.stringify({ ...(JSON.parse(secret) as object), value: stranger });
    },
    sensitive: (secret) => membersIn(secret, ['value']),
    live: async () => {
      webhook.accepted = (await webhook.read?.()) ?? webhook.accepted;
      return webhook.accepted.length;
    },
  };
}

/** Reads both values as a consumer does. Which secret is this webhook's is seen once, by the address in it. */
function readerOf(cloud: Cloud, url: string): () => Promise<readonly string[]> {
  const valueAt = async (SecretId: string, VersionStage: string): Promise<string | undefined> => {
    try {
      const { SecretString } = await cloud.call<{ SecretString: string }>(
        'secretsmanager',
        'GetSecretValue',
        {
          SecretId,
          VersionStage,
        },
      );
      const [found] = membersIn(SecretString, ['url']);
      return found === url ? membersIn(SecretString, ['value'])[0] : undefined;
    } catch {
      // No such label, or a value that is no text.
      return undefined;
    }
  };
  let own: string | undefined;
  return async () => {
    if (own === undefined) {
      const { SecretList } = await cloud.call<{ SecretList: readonly { readonly ARN: string }[] }>(
        'secretsmanager',
        'ListSecrets',
        {},
      );
      for (const { ARN } of SecretList) if ((await valueAt(ARN, 'AWSCURRENT')) !== undefined) own = ARN;
    }
    if (own === undefined) return [];
    const values = [await valueAt(own, 'AWSCURRENT'), await valueAt(own, 'AWSPREVIOUS')];
    return values.filter((value) => value !== undefined);
  };
}

/** Sends one webhook, signed with the value. */
async function deliver(url: string, value: string, application: string): Promise<void> {
  const body = JSON.stringify({ event: 'order.created', at: new Date().toISOString() });
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': application,
      'x-signature': signatureOf(body, value),
    },
    body,
    signal: AbortSignal.timeout(60_000),
  });
  await answer.text();
  if (!answer.ok) throw new UnwantedAnswer(answer.status);
}

function signatureOf(body: string, value: string): string {
  return createHmac('sha256', value).update(body).digest('hex');
}

function isEqual(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}
