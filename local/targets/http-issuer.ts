import { text as textOf } from 'node:stream/consumers';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { keepIdleConnections } from '../kernel/idle-connections';

/** What goes wrong with one request to come. */
export interface Fault {
  /** Beginning of the request that it is for, such as `POST /accounts/1/keys`. */
  readonly request: string;
  /**
   * Answered instead of what was asked for; `lost`: what was asked for is done, and the connection breaks off; `upgrade`: what
   * was asked for is done, and the answer is another protocol.
   */
  readonly answer: number | 'lost' | 'upgrade';
  /** Sent as Retry-After: seconds, or a date. */
  readonly retryAfter?: string;
  readonly body?: string;
  readonly location?: string;
  /** The answer's text is the Authorization header, as careless debugging has it; told what it was. */
  readonly echo?: (credential: string) => void;
}

/** One request, as an access log has it. Keys stand there by their ids. */
export interface AccessLine {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly agent: string;
  /** Who asked: the id of a key, `admin`, or nobody whom the issuer knows. */
  readonly who: string | undefined;
}

/** One customer of the issuer: an admin, and keys for its applications. */
export interface Account {
  readonly number: number;
  readonly adminKey: string;
  /** Makes a key by hand, as the first one is made. */
  newKey(name: string): { readonly id: string; readonly key: string };
  /** Names of the keys that work. */
  live(): readonly string[];
  /** Most keys there may be; none by default. */
  limit: number;
}

/** A running issuer. */
export interface Issuer {
  readonly origin: string;
  readonly log: readonly AccessLine[];
  newAccount(): Account;
  /** Plans faults; each strikes once, in order. */
  plan(...faults: readonly Fault[]): void;
  stop(): Promise<void>;
}

interface Key {
  readonly id: string;
  readonly name: string;
  readonly hash: string;
  enabled: boolean;
}

interface State extends Account {
  readonly adminHash: string;
  readonly keys: Map<string, Key>;
  /** Hashes of access tokens, and who got them. */
  readonly tokens: Map<string, string>;
  orders: number;
}

/** Entries of a page of the list. */
const pageLength = 3;

/**
 * Starts a vendor's API on the loopback interface: accounts with keys that an admin makes, lists, disables and revokes, a
 * token endpoint that takes keys as client secrets, and orders to count with a key or a token. It keeps hashes of keys.
 */
export async function startIssuer({ latencyMs = 0 }: { readonly latencyMs?: number } = {}): Promise<Issuer> {
  const accounts = new Map<number, State>();
  const log: AccessLine[] = [];
  const faults: Fault[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      if (latencyMs > 0) await pause(latencyMs);
      const { pathname } = new URL(request.url ?? '/', 'http://issuer');
      const line = `${request.method ?? ''} ${pathname}`;
      const planned = faults.findIndex((fault) => line.startsWith(fault.request));
      const [fault] = planned === -1 ? [] : faults.splice(planned, 1);
      const reply =
        fault === undefined || typeof fault.answer === 'string'
          ? route(accounts, request, body)
          : { status: fault.answer, text: fault.body ?? '' };
      log.push({
        method: request.method ?? '',
        path: pathname,
        status: reply.status,
        agent: request.headers['user-agent'] ?? '',
        who: reply.who,
      });
      const { authorization = '' } = request.headers;
      fault?.echo?.(authorization.replace(/^\w+ /, ''));
      if (fault?.answer === 'lost') response.destroy();
      else if (fault?.answer === 'upgrade')
        request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
      else answer(response, fault?.echo === undefined ? reply : { ...reply, text: authorization }, fault);
    })();
  });
  keepIdleConnections(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the issuer got no port');
  return {
    origin: `http://127.0.0.1:${String(address.port)}`,
    log,
    newAccount: () => {
      const account = newAccount(accounts.size + 1);
      accounts.set(account.number, account);
      return account;
    },
    plan: (...planned) => void faults.push(...planned),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly who?: string | undefined;
}

function newAccount(number: number): State {
  const adminKey = `adm_${randomBytes(24).toString('base64url')}`;
  const keys = new Map<string, Key>();
  return {
    number,
    adminKey,
    adminHash: hashOf(adminKey),
    keys,
    tokens: new Map(),
    orders: 100,
    limit: Infinity,
    newKey: (name) => {
      const id = `key_${randomBytes(6).toString('hex')}`;
      const key = `vendor_${randomBytes(24).toString('base64url')}`;
      keys.set(id, { id, name, hash: hashOf(key), enabled: true });
      return { id, key };
    },
    live: () => [...keys.values()].filter(({ enabled }) => enabled).map(({ name }) => name),
  };
}

function route(accounts: ReadonlyMap<number, State>, request: IncomingMessage, body: string): Reply {
  const url = new URL(request.url ?? '/', 'http://issuer');
  const [, root, number, resource = '', id, action] = url.pathname.split('/');
  const account = accounts.get(Number(number));
  if (root !== 'accounts' || account === undefined)
    return { status: 404, text: '{"error":"no such account"}' };
  const { method = '' } = request;
  if (method === 'POST' && resource === 'token') return token(account, request, new URLSearchParams(body));
  const who = holderOf(account, request.headers.authorization ?? '');
  if (who === undefined) return { status: 401, text: '{"error":"unknown key"}' };
  if (resource === 'orders') {
    if (method === 'POST') account.orders += 1;
    return json(method === 'POST' ? 201 : 200, { orders: account.orders }, who);
  }
  if (resource !== 'keys') return json(404, { error: 'no such resource' }, who);
  if (who !== 'admin') return json(403, { error: 'keys are the admin’s' }, who);
  if (id === undefined) return collection(account, method, url, body);
  const key = account.keys.get(decodeURIComponent(id));
  if (key === undefined) return json(404, { error: 'no such key' }, who);
  if (method === 'DELETE') account.keys.delete(key.id);
  else key.enabled = action === 'enable';
  return { status: 204, text: '', who };
}

function collection(account: State, method: string, url: URL, body: string): Reply {
  if (method === 'POST') {
    if (account.keys.size >= account.limit) return json(409, { error: 'key limit reached' }, 'admin');
    const { name } = JSON.parse(body) as { name: string };
    const { id, key } = account.newKey(name);
    return json(201, { key: { id, value: key, name } }, 'admin');
  }
  const begin = Number(url.searchParams.get('after') ?? 0);
  const all = [...account.keys.values()];
  const keys = all.slice(begin, begin + pageLength).map(({ id, name, enabled }) => ({ id, name, enabled }));
  const end = begin + pageLength;
  return json(200, { keys, ...(end < all.length ? { next: `?after=${String(end)}` } : {}) }, 'admin');
}

/** RFC 6749, section 4.4: the client is the account's application, or its admin, by Basic or in the form. */
function token(account: State, request: IncomingMessage, form: URLSearchParams): Reply {
  const [scheme, pair = ''] = (request.headers.authorization ?? '').split(' ');
  const [id = '', secret = ''] =
    scheme === 'Basic'
      ? Buffer.from(pair, 'base64').toString().split(':').map(decodeURIComponent)
      : [form.get('client_id') ?? '', form.get('client_secret') ?? ''];
  const who = holderOf(account, `Bearer ${secret}`);
  const isClient = id === (who === 'admin' ? 'rotor' : 'app');
  if (who === undefined || !isClient) return { status: 401, text: '{"error":"invalid_client"}' };
  const scope = form.get('scope');
  if (scope !== null && scope !== 'orders') return json(400, { error: 'invalid_scope' }, who);
  const accessToken = randomBytes(24).toString('base64url');
  account.tokens.set(hashOf(accessToken), who);
  return json(200, { access_token: accessToken, token_type: 'Bearer', expires_in: 300 }, who);
}

function holderOf(account: State, authorization: string): string | undefined {
  const hash = hashOf(authorization.replace(/^Bearer /, ''));
  if (hash === account.adminHash) return 'admin';
  const key = [...account.keys.values()].find((candidate) => candidate.hash === hash);
  if (key !== undefined) return key.enabled ? key.id : undefined;
  return account.tokens.get(hash);
}

function json(status: number, document: object, who: string): Reply {
  return { status, text: JSON.stringify(document), who };
}

function answer(response: ServerResponse, { status, text }: Reply, fault: Fault | undefined): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(fault?.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }),
    ...(fault?.location === undefined ? {} : { location: fault.location }),
  });
  response.end(status === 204 ? undefined : text);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
