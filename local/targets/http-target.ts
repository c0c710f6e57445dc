import { randomBytes } from 'node:crypto';
import { startIssuer, type Account, type Issuer } from './http-issuer';
import type { ApplicationSession, RehearsalTarget, TargetKind, TargetServer } from './target';

/** An issuer of API keys on this machine, and what a policy says about it. */
export const httpKind: TargetKind = {
  facts: {
    claimed: false,
    sessionsOutlive: false,
    connectionsPerVerb: null,
    adminIsPrincipal: false,
    required: ['apiKey', 'keyId'],
  },
  start: async () => httpTargets(await startIssuer()),
};

/** How an issuer is described; by default as one whose keys end for good, managed with an admin's key. */
export interface IssuerChoices {
  /** Keys can be disabled and enabled again. */
  readonly reversible?: boolean;
  /** Without a list a key that nobody received stays. */
  readonly list?: boolean;
  /** Managed with a token that the admin's key is exchanged for. */
  readonly oauth?: boolean;
}

/** An issuer, and what it takes to have keys of it. */
export interface HttpTargets extends TargetServer {
  readonly issuer: Issuer;
  provision(options?: IssuerChoices & { readonly adminArn?: string }): Promise<HttpTarget>;
}

/** A key of an account of its own. */
export interface HttpTarget extends RehearsalTarget {
  readonly account: Account;
  readonly admin: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Starts an issuer that takes its time with every answer. */
export async function startHttpTargets(options: { readonly latencyMs?: number } = {}): Promise<HttpTargets> {
  return httpTargets(await startIssuer(options));
}

/** An answer of the issuer that an application did not want. */
export class UnwantedAnswer extends Error {
  override readonly name = 'UnwantedAnswer';

  constructor(readonly status: number) {
    super(`the issuer answered ${status}`);
  }
}

function httpTargets(issuer: Issuer): HttpTargets {
  return {
    issuer,
    provision: (choices = {}) => Promise.resolve(provision(issuer, choices)),
    logText: () => Promise.resolve(logTextOf(issuer)),
    logins: () => Promise.resolve(loginsOf(issuer)),
    stop: () => issuer.stop(),
  };
}

/** The issuer's access log as text. */
export function logTextOf({ log }: Issuer): string {
  return log
    .map(({ method, path, status, agent, who }) => `${method} ${path} ${status} ${agent} ${who ?? '-'}`)
    .join('\n');
}

/** Who was let in, and who was not. */
export function loginsOf({ log }: Issuer) {
  return {
    accepted: log.flatMap(({ who, agent }) => (who === undefined ? [] : [{ user: who, application: agent }])),
    refused: log.filter(({ status }) => status === 401).map(() => ({ user: '' })),
  };
}

/** The settings for an account at the issuer, or at the same address of another port. */
export function issuerSettings(
  origin: string,
  { number }: Account,
  { reversible = false, list = true, oauth = false }: IssuerChoices,
): Readonly<Record<string, unknown>> {
  const base = `${origin}/accounts/${String(number)}`;
  return {
    privateHosts: [new URL(origin).host],
    prefix: `rotor-app-${String(number)}-`,
    auth: oauth
      ? { kind: 'oauth-client-credentials', tokenUrl: `${base}/token`, clientSecret: 'apiKey' }
      : { kind: 'bearer' },
    create: { url: `${base}/keys`, body: { name: '{name}' }, key: '/key/value', id: '/key/id' },
    ...(list
      ? { list: { url: `${base}/keys`, items: '/keys', id: '/id', name: '/name', next: '/next' } }
      : {}),
    revoke: { url: `${base}/keys/{id}` },
    ...(reversible
      ? { disable: { url: `${base}/keys/{id}/disable` }, enable: { url: `${base}/keys/{id}/enable` } }
      : {}),
    exhausted: [409],
  };
}

function provision(issuer: Issuer, choices: IssuerChoices): HttpTarget {
  const account = issuer.newAccount();
  const { id, key } = account.newKey('made by hand');
  const settingsAt = (origin: string) => ({
    ...issuerSettings(origin, account, choices),
    test: {
      url: `${origin}/accounts/${String(account.number)}/orders`,
      headers: { authorization: 'Bearer {secret.apiKey}' },
    },
  });
  return {
    account,
    secret: JSON.stringify({
      apiKey: key,
      keyId: id,
      url: `${issuer.origin}/accounts/${String(account.number)}/orders`,
    }),
    admin: JSON.stringify({ apiKey: account.adminKey, client_id: 'rotor' }),
    settings: settingsAt(issuer.origin),
    login: async (text, application) => {
      const { apiKey, url } = JSON.parse(text) as { apiKey: string; url: string };
      return openSession(url, apiKey, application);
    },
    isRefusedLogin,
    wrong: (text) => JSON.stringify({ ...(JSON.parse(text) as object), apiKey: newSecret() }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({ secret: text, settings: settingsAt('http://127.0.0.1:9') }),
    sensitive: (text) => membersIn(text, ['apiKey']),
    live: () => Promise.resolve(account.live().length),
  };
}

/** Whether the issuer did not know the key. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof UnwantedAnswer && error.status === 401;
}

/** Counts orders with a key or a token, and adds one for each round of work. */
export async function openSession(
  url: string,
  key: string,
  application: string,
): Promise<ApplicationSession> {
  const ask = async (method: 'GET' | 'POST') => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${key}`, 'user-agent': application },
      signal: AbortSignal.timeout(60_000),
    });
    await response.text();
    if (!response.ok) throw new UnwantedAnswer(response.status);
  };
  await ask('GET');
  return { work: () => ask('POST'), close: () => Promise.resolve() };
}

/** Values of these members; all of a text that is no JSON, since they may stand anywhere in it. */
export function membersIn(text: string, names: readonly string[]): readonly string[] {
  try {
    const members = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return names.flatMap((name) => {
      const value = members[name];
      return typeof value === 'string' && value !== '' ? [value] : [];
    });
  } catch {
    return [text];
  }
}

/** A secret that nobody knows. */
export function newSecret(): string {
  return randomBytes(24).toString('base64url');
}
