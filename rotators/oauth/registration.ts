import { CredentialRejected, TargetRefused } from '../../domain/errors';
import { authorityOf } from '../http/authority';
import { jsonOf, send } from '../http/connection';
import { endLeftOver, nameOf } from '../http/keys';
import { textAt } from '../http/pointer';
import type { RequestTemplate } from '../http/requests';
import type { CreateOptions, RotatorContext } from '../rotator';
import { endpointOf, logIn } from './connection';
import type { OauthAdmin, OauthSecret, RegistrationSettings } from './definition';
import { closedRegistration, deletionOf, undeletable, type Deletion } from './errors';

type Context = RotatorContext<OauthAdmin, RegistrationSettings>;

/** What a client that logs in as itself is registered with, where the settings say nothing else: RFC 7591, section 2. */
const usualMetadata = {
  client_name: '{name}',
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
};

/** Members of the answer that belong to the client it is about, and to no other. */
const ofOneClient = [
  'client_id_issued_at',
  'client_secret_expires_at',
  'registration_access_token',
  'registration_client_uri',
];

/** Deletes the clients of earlier rotations and registers a new one. */
export async function registerClient(
  from: OauthSecret,
  context: Context,
  { versionId, owner, others, pinned = [] }: CreateOptions<OauthSecret>,
): Promise<OauthSecret> {
  const { settings, signal } = context;
  const authority = authorityOf(settings, from, context);
  const kept = [from, ...pinned].map(({ client_id }) => client_id);
  const left = others.filter(({ client_id }) => !kept.includes(client_id));
  if (settings.revoke === undefined) for (const client of left) await deleteClient(client, context);
  else
    await endLeftOver({ ...settings, revoke: settings.revoke }, authority, {
      inUse: from.client_id,
      left: left.map(({ client_id }) => client_id),
      pinned: kept,
      versionId,
      owner,
    });

  const request: RequestTemplate = {
    method: 'POST',
    url: await endpointOf('registration', settings, signal),
    body: { ...usualMetadata, ...settings.metadata, token_endpoint_auth_method: settings.clientAuth },
  };
  const what = `POST ${request.url}`;
  const answer = await authority
    .ask(request, { name: nameOf(settings, { versionId, owner }) })
    .catch((error: unknown) => {
      throw closedRegistration(error, settings.auth !== undefined);
    });
  const document = jsonOf(answer, what);
  const [id, secret] = [textAt(document, '/client_id'), textAt(document, '/client_secret')];
  if (id === undefined || secret === undefined)
    throw new TargetRefused(`${what} answered without ${id === undefined ? 'client_id' : 'client_secret'}`);
  const carried = Object.entries(from).filter(([name]) => !ofOneClient.includes(name));
  const given = ofOneClient.flatMap((name): [string, unknown][] => {
    const value: unknown = Reflect.get(Object(document), name);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries([...carried, ...given]), client_id: id, client_secret: secret };
}

/**
 * Deletes a client that nobody has to use any more, by RFC 7592. TargetRefused where it still works after all: one that was
 * made by hand, or by a server that keeps to RFC 7591 alone, has no token to be deleted with.
 */
async function deleteClient(left: OauthSecret, context: Context): Promise<void> {
  if ((await askToDelete(left, context)) === 'gone') return;
  try {
    await logIn(left, context.settings, context.signal);
  } catch (error) {
    if (error instanceof CredentialRejected) return;
    throw error;
  }
  throw undeletable(left);
}

async function askToDelete(left: OauthSecret, { settings, signal }: Context): Promise<Deletion> {
  const { registration_client_uri: uri, registration_access_token: token, client_id: id } = left;
  if (uri === undefined || token === undefined) return 'not allowed';
  if (!URL.canParse(uri))
    throw new TargetRefused(`client ${id} has a registration_client_uri that is no address`);
  // The address of some servers holds the client's id and of some a token: the host is enough to say where it went.
  const what = `DELETE of client ${id} at ${new URL(uri).host}`;
  const answer = await send(
    {
      method: 'DELETE',
      url: new URL(uri),
      what,
      headers: { authorization: `Bearer ${token}` },
      hidden: [token],
    },
    { egress: settings, signal },
  );
  return deletionOf(answer, what);
}
