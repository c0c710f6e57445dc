import { isRefusedLogin, membersIn, newSecret, openSession, UnwantedAnswer } from './http-target';
import { startOauthServer, type OauthServer } from './oauth-server';
import type { RehearsalTarget, TargetKind, TargetServer } from './target';

/** `oidc-provider` in a process of its own, with dynamic registration. */
export const oauthKind: TargetKind = {
  facts: {
    claimed: false,
    // An access token works until it expires, whatever becomes of its client.
    sessionsOutlive: true,
    connectionsPerVerb: null,
    adminIsPrincipal: false,
    required: ['client_id', 'client_secret'],
  },
  start: startOauthTargets,
};

/** A server, and what it takes to have clients of it. */
export interface OauthTargets extends TargetServer {
  readonly server: OauthServer;
  provision(options?: ServerChoices & { readonly adminArn?: string }): Promise<OauthTarget>;
}

/** How a server is described; by default as one where an admin sees all clients. */
export interface ServerChoices {
  /** What the standards have, and nothing else. */
  readonly standardsOnly?: boolean;
  /** Endpoints are looked up in the server's metadata. */
  readonly discovery?: boolean;
}

/** A client, with the token that registers further ones. */
export interface OauthTarget extends RehearsalTarget {
  readonly admin: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Starts a server and offers clients of it. */
export async function startOauthTargets(): Promise<OauthTargets> {
  const server = await startOauthServer();
  let count = 0;
  return {
    server,
    provision: (choices = {}) => provision(server, `rotor-app-${String((count += 1))}-`, choices),
    logText: async () => (await server.log()).join('\n'),
    logins: async () => {
      const lines = (await server.log()).map((line) => line.split(' '));
      const asClients = lines.filter(([, path]) => path !== '/orders');
      return {
        accepted: asClients
          .filter(([, , status = '']) => status.startsWith('2'))
          .map(([, , , application = '', user = '']) => ({ user, application })),
        refused: asClients.filter(([, , status]) => status === '401').map(() => ({ user: '' })),
      };
    },
    stop: () => server.stop(),
  };
}

async function provision(
  server: OauthServer,
  prefix: string,
  { standardsOnly = false, discovery = false }: ServerChoices,
): Promise<OauthTarget> {
  const initialAccessToken = await server.initialAccessToken();
  const settingsAt = (issuer: string) => ({
    mode: 'registration',
    privateHosts: [new URL(issuer).host],
    prefix,
    ...(discovery ? { issuer } : { tokenEndpoint: `${issuer}/token`, registrationEndpoint: `${issuer}/reg` }),
    ...(standardsOnly
      ? {}
      : {
          list: { url: `${issuer}/clients`, id: '/client_id', name: '/client_name' },
          revoke: { url: `${issuer}/clients/{id}` },
        }),
    metadata: { scope: 'orders' },
    parameters: { scope: 'orders' },
    auth: { kind: 'bearer', member: 'initial_access_token' },
  });
  const first = await register(server.issuer, initialAccessToken, `${prefix}made by hand`);
  return {
    secret: JSON.stringify({ ...first, url: `${server.issuer}/orders`, tokenUrl: `${server.issuer}/token` }),
    admin: JSON.stringify({ initial_access_token: initialAccessToken }),
    settings: settingsAt(server.issuer),
    login: async (text, application) => {
      const { client_id, client_secret, url, tokenUrl } = JSON.parse(text) as Readonly<
        Record<string, string>
      >;
      const token = await accessToken(
        tokenUrl ?? '',
        `${client_id ?? ''}:${encodeURIComponent(client_secret ?? '')}`,
        application,
      );
      return openSession(url ?? '', token, application);
    },
    isRefusedLogin,
    wrong: (text) =>
      JSON.stringify({
        ...(JSON.parse(text) as object),
        [text.includes('initial_access_token') ? 'initial_access_token' : 'client_secret']: newSecret(),
      }),
    // Port 9 is discard's, where nobody listens: the connection is refused at once.
    unreachable: (text) => ({ secret: text, settings: settingsAt('http://127.0.0.1:9') }),
    sensitive: (text) =>
      membersIn(text, ['client_secret', 'registration_access_token', 'initial_access_token']),
    live: async () => (await server.clients()).filter((client) => client.startsWith(prefix)).length,
  };
}

/** Registers a client as its team would by hand, RFC 7591. */
async function register(issuer: string, initialAccessToken: string, clientName: string): Promise<object> {
  const answer = await fetch(`${issuer}/reg`, {
    method: 'POST',
    headers: { authorization: `Bearer ${initialAccessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: clientName,
      scope: 'orders',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    }),
  });
  if (answer.status !== 201) throw new UnwantedAnswer(answer.status);
  const { client_id, client_secret, registration_access_token, registration_client_uri } =
    (await answer.json()) as Readonly<Record<string, unknown>>;
  return { client_id, client_secret, registration_access_token, registration_client_uri };
}

async function accessToken(tokenUrl: string, pair: string, application: string): Promise<string> {
  const answer = await fetch(tokenUrl, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}`, 'user-agent': application },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders' }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!answer.ok) throw new UnwantedAnswer(answer.status);
  return ((await answer.json()) as { access_token: string }).access_token;
}
