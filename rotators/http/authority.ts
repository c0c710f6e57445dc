import { AdminMissing, AdminRejected, PermissionMissing, SecretMalformed } from '../../domain/errors';
import type { RotatorContext } from '../rotator';
import { clientCredentialsToken } from './client-credentials';
import { send, type Answer, type Connection } from './connection';
import type { Egress } from './egress';
import { refusal, type Bearer } from './errors';
import { needsAdmin } from './checks';
import { outgoing } from './outgoing';
import type { Auth, RequestTemplate } from './requests';
import type { Values } from './templates';

/** What a request is about, beyond the secrets. */
export type Subject = Pick<Values, 'id' | 'name'>;

/** Sends requests that make, list and end keys, with the credential that the settings name for it. */
export interface Authority {
  /**
   * Sends one and returns its answer, whose status is 2xx or among `expected`. All else is an error with a name.
   *
   * An admin that is refused is read once more in the life of this object, since it may have been rotated meanwhile.
   */
  ask(
    request: RequestTemplate,
    subject: Subject,
    options?: { readonly expected?: readonly number[]; readonly longest?: number; readonly url?: URL },
  ): Promise<Answer>;
}

/**
 * Requests in the name of `secret`, a value that works at this moment, or of the admin.
 *
 * A verb makes one of these for itself: a token that is fetched lives as long as the verb and is written nowhere.
 */
export function authorityOf(
  settings: Egress & { readonly auth?: Auth | undefined },
  secret: object,
  context: RotatorContext<object>,
): Authority {
  const { auth } = settings;
  let { admin } = context;
  let mayReadAgain = context.readAdminAgain !== undefined;
  let credential: Promise<Credential> | undefined;

  const attempt: Authority['ask'] = async (request, subject, options = {}) => {
    const bearer: Bearer = needsAdmin([request], auth) ? 'admin' : 'secret';
    if (bearer === 'admin' && admin === undefined)
      throw new AdminMissing(
        `${shown(request)} goes with an admin's credential, and no secret of one is named`,
      );
    const connection: Connection = {
      egress: bearer === 'admin' ? withinHostsOf(admin, settings) : settings,
      signal: context.signal,
    };
    credential ??= credentialOf(auth, auth?.from === 'admin' ? (admin ?? {}) : secret, connection);
    const { header, hidden } = await credential;
    const values: Values = { secret, admin, ...subject };
    const ready = outgoing(request, values, header === undefined ? {} : { authorization: header });
    const answer = await send(
      {
        ...ready,
        hidden,
        ...(options.longest === undefined ? {} : { longest: options.longest }),
        ...(options.url === undefined ? {} : { url: options.url }),
      },
      connection,
    );
    if (isSuccess(answer.status) || options.expected?.includes(answer.status) === true) return answer;
    throw refusal(answer, ready.what, bearer);
  };

  return {
    ask: async (request, subject, options) => {
      try {
        return await attempt(request, subject, options);
      } catch (error) {
        const refused = error instanceof AdminRejected || error instanceof PermissionMissing;
        if (!refused || !mayReadAgain || context.readAdminAgain === undefined) throw error;
        mayReadAgain = false;
        const fresh = await context.readAdminAgain();
        // The same credential again would be one more refused login, and bring the admin nearer to a lock-out.
        if (JSON.stringify(fresh) === JSON.stringify(admin)) throw error;
        admin = fresh;
        credential = undefined;
        return attempt(request, subject, options);
      }
    },
  };
}

/** Method and address with their placeholders: what errors call a request. */
export function shown({ method, url }: RequestTemplate): string {
  return `${method} ${url}`;
}

/** Whether a status says that it has been done. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

interface Credential {
  readonly header: string | undefined;
  readonly hidden: readonly string[];
}

async function credentialOf(
  auth: Auth | undefined,
  holder: object,
  connection: Connection,
): Promise<Credential> {
  const read = (member: string) => {
    const value: unknown = Reflect.get(holder, member);
    if (typeof value === 'string' && value !== '') return value;
    const whose = auth?.from === 'admin' ? 'admin secret' : 'secret';
    throw new SecretMalformed(`${whose} has a wrong or missing field: ${member}`);
  };
  switch (auth?.kind) {
    case undefined:
      return { header: undefined, hidden: [] };
    case 'bearer': {
      const token = read(auth.member);
      return { header: `Bearer ${token}`, hidden: [token] };
    }
    case 'basic': {
      const pair = Buffer.from(`${read(auth.username)}:${read(auth.password)}`).toString('base64');
      return { header: `Basic ${pair}`, hidden: [pair] };
    }
    case 'oauth-client-credentials': {
      const client = { id: read(auth.clientId), secret: read(auth.clientSecret) };
      const { token } = await clientCredentialsToken({ ...auth, client, bearer: auth.from }, connection);
      return { header: `Bearer ${token}`, hidden: [token] };
    }
  }
}

/**
 * The hosts that the admin's secret allows, if it names any: whoever may edit an application's policy could otherwise have
 * the admin's credential sent to a server of their own.
 */
function withinHostsOf(admin: object | undefined, egress: Egress): Egress {
  const own: unknown = Reflect.get(admin ?? {}, 'hosts');
  if (!Array.isArray(own)) return egress;
  const allowed = (host: string) => own.includes(host);
  return {
    ...egress,
    hosts: egress.hosts?.filter(allowed),
    privateHosts: egress.privateHosts?.filter(allowed),
  };
}
