import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logins } from './target';
import { keepIdleConnections } from '../kernel/idle-connections';

/** A partner's HTTP server that the example of a team's own rotator works on. */
export interface Partner {
  readonly url: string;
  /** Makes a client with one token. */
  register(client: string, isAdmin?: boolean): string;
  /** How many tokens of a client are accepted. */
  accepted(client: string): number;
  logText(): string;
  logins(): Logins;
  stop(): Promise<void>;
}

interface Token {
  readonly client: string;
  readonly isAdmin: boolean;
  /** First and last use, by application. */
  readonly uses: Map<string, { readonly first: string; readonly last: string }>;
}

/**
 * Starts a server on the loopback that knows tokens by their digest alone: `GET` and `POST /orders` for clients,
 * `PUT` and `DELETE /clients/<client>/tokens/<digest>` and `GET …/uses` for an admin.
 */
export async function startPartner(): Promise<Partner> {
  const tokens = new Map<string, Token>();
  const log: string[] = [];
  const accepted: { user: string; application: string }[] = [];
  const refused: { user: string }[] = [];
  let orders = 0;

  const handle = (request: IncomingMessage): { readonly status: number; readonly body?: object } => {
    const { method = '', url = '/', headers } = request;
    const application = headers['user-agent'] ?? '';
    const token = tokens.get(digestOf(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''));
    if (token === undefined) {
      refused.push({ user: '' });
      return { status: 401, body: {} };
    }
    accepted.push({ user: token.client, application });
    if (url === '/orders') {
      const now = new Date().toISOString();
      // What the rotation does to prove a token is no use of it.
      if (application !== 'rotor') noteUse(token, application, now);
      if (method === 'POST') orders += 1;
      return { status: 200, body: { orders } };
    }
    const [, client = '', digest = '', uses] =
      /^\/clients\/([^/]+)\/tokens\/([0-9a-f]{64})(\/uses)?$/.exec(url) ?? [];
    if (digest === '') return { status: 404, body: {} };
    if (!token.isAdmin) return { status: 403, body: {} };
    const found = tokens.get(digest);
    if (found !== undefined && found.client !== decodeURIComponent(client)) return { status: 409, body: {} };
    return change(method, digest, decodeURIComponent(client), uses !== undefined);
  };

  const change = (method: string, digest: string, client: string, isUses: boolean) => {
    if (isUses)
      return {
        status: 200,
        body: [...(tokens.get(digest)?.uses ?? [])].map(([application, use]) => ({ application, ...use })),
      };
    if (method === 'PUT' && !tokens.has(digest))
      tokens.set(digest, { client, isAdmin: false, uses: new Map() });
    if (method === 'DELETE') tokens.delete(digest);
    return { status: 204 };
  };

  const server = createServer((request, response) => {
    // Nothing that is sent along matters; it only has to be read.
    request.resume();
    request.on('end', () => {
      const answer = handle(request);
      log.push(
        `${request.method ?? ''} ${request.url ?? ''} ${answer.status} ${request.headers['user-agent'] ?? ''}`,
      );
      respond(response, answer);
    });
  });
  keepIdleConnections(server);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    register: (client, isAdmin = false) => {
      const token = randomBytes(24).toString('base64url');
      tokens.set(digestOf(token), { client, isAdmin, uses: new Map() });
      return token;
    },
    accepted: (client) => [...tokens.values()].filter((token) => token.client === client).length,
    logText: () => log.join('\n'),
    logins: () => ({ accepted: [...accepted], refused: [...refused] }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function noteUse({ uses }: Token, application: string, now: string): void {
  uses.set(application, { first: uses.get(application)?.first ?? now, last: now });
}

function respond(
  response: ServerResponse,
  { status, body }: { readonly status: number; readonly body?: object },
): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
