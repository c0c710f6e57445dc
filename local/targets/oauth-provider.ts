import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Adapter, AdapterPayload, default as Provider } from 'oidc-provider';
import { keepIdleConnections } from '../kernel/idle-connections';

/** What the parent asks this process for. */
export type Question = 'initial access token' | 'clients' | 'log';

/** What this process tells its parent: where it is, and answers. */
export type Told =
  { readonly issuer: string } | { readonly number: number; readonly answer: string | readonly string[] };

/**
 * A process of its own with `oidc-provider` in it: a certified server with dynamic registration (RFC 7591), management of
 * registrations (RFC 7592) and the client credentials grant. The package is an ES module, which the parent may not be
 * able to load. It serves on a free port of the loopback interface, and ends when its parent does.
 */
async function serve(): Promise<void> {
  const { default: Server } = await import('oidc-provider');
  const server = createServer();
  keepIdleConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider got no port');
  const issuer = `http://127.0.0.1:${String(address.port)}`;
  const provider = new Server(issuer, {
    adapter: Shelf,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true, initialAccessToken: true },
      registrationManagement: { enabled: true },
    },
    scopes: ['openid', 'orders'],
    ttl: { ClientCredentials: 300 },
  });
  const log: string[] = [];
  const clients = new Map<string, string>();
  const granted = new WeakMap<object, string | undefined>();
  provider.on('grant.success', ({ req, oidc }) => void granted.set(req, oidc.client?.clientId));
  provider.on('registration_create.success', (_, client) => {
    clients.set(client.clientId, client.clientName ?? '');
  });
  provider.on('registration_delete.success', (_, client) => void clients.delete(client.clientId));
  let orders = 100;
  provider.use(async (context, next) => {
    const [, token = ''] = context.get('authorization').split(' ');
    const [, place, id] = context.path.split('/');
    if (place === 'orders') {
      const known = await provider.ClientCredentials.find(token);
      context.status = known === undefined ? 401 : 200;
      if (known !== undefined && context.method === 'POST') orders += 1;
      context.body = known === undefined ? { error: 'invalid_token' } : { orders };
    } else if (place === 'clients') {
      // What servers have beside the standards: an admin sees all clients and may delete them.
      if ((await provider.InitialAccessToken.find(token)) === undefined) context.status = 401;
      else if (context.method === 'DELETE') context.status = (await remove(id ?? '')) ? 204 : 404;
      else context.body = [...clients].map(([client_id, client_name]) => ({ client_id, client_name }));
    } else await next();
    const who = granted.get(context.req);
    log.push(
      `${context.method} ${context.path} ${context.status} ${context.get('user-agent')} ${who ?? '-'}`,
    );
  });
  const callback = provider.callback();
  const remove = async (id: string) => {
    if (!clients.delete(id)) return false;
    await new Shelf('Client').destroy(id);
    return true;
  };
  server.on('request', (request, response) => void callback(request, response));
  process.on('message', ({ number, question }: { number: number; question: Question }) => {
    void answerTo(question, provider, clients, log).then((answer) => tell({ number, answer }));
  });
  tell({ issuer });
}

/** What the provider stores, for as long as this process lives; nothing here is ever looked up by anything but its id. */
class Shelf implements Adapter {
  static readonly #shelves = new Map<string, Map<string, AdapterPayload>>();
  readonly #entries: Map<string, AdapterPayload>;

  constructor(name: string) {
    this.#entries = Shelf.#shelves.get(name) ?? new Map<string, AdapterPayload>();
    Shelf.#shelves.set(name, this.#entries);
  }

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    this.#entries.set(id, payload);
  }
  async find(id: string): Promise<AdapterPayload | undefined> {
    return this.#entries.get(id);
  }
  async destroy(id: string): Promise<void> {
    this.#entries.delete(id);
  }
  async findByUserCode(): Promise<undefined> {
    return undefined;
  }
  async findByUid(): Promise<undefined> {
    return undefined;
  }
  async consume(): Promise<void> {
    // What can be used once, codes and refresh tokens, the client credentials grant does not have.
  }
  async revokeByGrantId(): Promise<void> {
    // Nor grants.
  }
}

async function answerTo(
  question: Question,
  provider: Provider,
  clients: ReadonlyMap<string, string>,
  log: readonly string[],
): Promise<string | readonly string[]> {
  switch (question) {
    case 'initial access token':
      return new provider.InitialAccessToken({}).save();
    case 'clients':
      return [...clients.values()];
    case 'log':
      return log;
  }
}

function tell(message: Told): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit(0));
void serve();
