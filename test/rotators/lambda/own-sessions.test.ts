import { randomBytes } from 'node:crypto';
import { errors, ownRotator, type Members } from '../../../rotators/lambda/contract';
import { ownRotatorContract } from '../../../rotators/lambda/contract-suite';

interface Session {
  readonly token: string;
  readonly application: string;
  readonly began: number;
}

/** A target in this process that knows tokens and the sessions that were opened with them. */
const accepted = new Set<string>();
const sessions = new Set<Session>();

const tokenIn = ({ token }: Members): string => {
  if (typeof token === 'string' && token !== '') return token;
  throw new errors.SecretMalformed('the secret has no token');
};

const newToken = () => randomBytes(24).toString('base64url');

function accept(token: string): string {
  accepted.add(token);
  return token;
}

/** The sessions of one token, one holder each. */
function holdersOf(token: string, isWanted: (session: Session) => boolean) {
  const open = [...sessions].filter((session) => session.token === token && isWanted(session));
  return open.map(({ application, began }) => ({
    application,
    clientAddress: null,
    count: 1,
    newestBegan: new Date(began).toISOString(),
    oldestBegan: new Date(began).toISOString(),
    openSeconds: Math.floor((Date.now() - began) / 1000),
  }));
}

const handler = ownRotator({
  apply: async ({ to }) => {
    accept(tokenIn(to));
    return {};
  },
  verify: async ({ secret }) => {
    if (!accepted.has(tokenIn(secret))) throw new errors.CredentialRejected('the token is not accepted');
  },
  usage: async ({ secret, since }) => {
    const isNew = ({ began }: Session) => began > Date.parse(since);
    const [begun, open] = [isNew, (session: Session) => !isNew(session)].map((isWanted) =>
      holdersOf(tokenIn(secret), isWanted),
    );
    return { begun: begun ?? [], open: open ?? [], looks: 2 };
  },
  retire: async ({ from, to }) => {
    if (tokenIn(from) === tokenIn(to)) throw new errors.SamePrincipal('both are one token');
    accepted.delete(tokenIn(from));
  },
  end: async ({ secret }) => {
    const token = tokenIn(secret);
    if (accepted.has(token)) throw new errors.PrincipalInUse('the token is accepted');
    const ended = holdersOf(token, () => true);
    for (const session of sessions) if (session.token === token) sessions.delete(session);
    return { ended };
  },
});

ownRotatorContract('a target that ends sessions', {
  handler,
  settings: {
    principal: 'client',
    generated: 'token',
    overlap: 'two-credentials',
    usage: true,
    endsSessions: true,
  },
  provision: async () => ({
    secret: { client: 'app', token: accept(newToken()) },
    use: async (secret, application) =>
      void sessions.add({ token: tokenIn(secret), application, began: Date.now() }),
    open: async (secret, application) => {
      const session = { token: tokenIn(secret), application, began: Date.now() };
      sessions.add(session);
      return { isOpen: () => Promise.resolve(sessions.has(session)) };
    },
  }),
  wrong: (secret) => ({ ...secret, token: newToken() }),
});
