import * as z from 'zod/mini';
import { SecretMalformed } from '../../domain/errors';
import { faultsOf, faultsOfNames, needsAdmin, present, type NamedRequest } from '../http/checks';
import {
  addressesOfAuth,
  auth,
  egressFields,
  jsonTemplate,
  keyFields,
  keySettings,
  member,
  membersInContents,
  membersOfAuth,
  plainUrl,
} from '../http/requests';
import { membersIn, subjectsIn, textsIn } from '../http/templates';
import type { RotatorDefinition, RotatorExample } from '../rotator';

const server = {
  /** Issuer whose metadata name the endpoints (OpenID Connect Discovery, RFC 8414); costs a request in every verb. */
  issuer: z.optional(plainUrl),
  /** Where clients log in. Needed without `issuer`. */
  tokenEndpoint: z.optional(plainUrl),
  /** How the client shows its secret at the token endpoint. */
  clientAuth: z._default(z.enum(['client_secret_basic', 'client_secret_post']), 'client_secret_basic'),
  /** What the login of the test asks for beside the grant: scope, resource, audience. */
  parameters: z.optional(z.record(z.string(), z.string())),
};

/** A client of its own for every rotation: registered by RFC 7591, deleted by RFC 7592. */
const registration = z.strictObject({
  mode: z.literal('registration'),
  ...egressFields,
  ...server,
  /** Where clients are registered. Needed without `issuer`. */
  registrationEndpoint: z.optional(plainUrl),
  /** What the client is registered with, beside the method of its login; `{name}` stands for the version's name. */
  metadata: z._default(
    z
      .record(z.string(), jsonTemplate)
      .check(
        z.refine(
          (value) => textsIn(value).every((text) => membersIn(text).length === 0),
          'is public: no member of a secret may stand in it',
        ),
      ),
    {},
  ),
  /** For servers that list their clients and let an admin delete them: finds the client that a crashed call registered. */
  list: keyFields.list,
  /** Deletes the client `{id}` in the admin's name; absent: by RFC 7592, with the token that the registration gave. */
  revoke: z.optional(keyFields.revoke),
  prefix: keyFields.prefix,
  /** The initial access token, or the client that gets one; absent where everybody may register clients. */
  auth: z.optional(auth),
});

/** One client, of which the provider keeps several secrets. */
const twoSecrets = z.extend(keySettings, {
  mode: z.literal('two-secrets'),
  ...server,
  /** Members beside `client_id` and `client_secret_id` that may stand in URLs, and so in the provider's access logs. */
  inUrls: z._default(z.array(member), []),
});

export type RegistrationSettings = z.infer<typeof registration>;
export type TwoSecretsSettings = z.infer<typeof twoSecrets>;
export type OauthSettings = RegistrationSettings | TwoSecretsSettings;

const settings = z.discriminatedUnion('mode', [registration, twoSecrets]).check((payload) => {
  const { value } = payload;
  const refuse = (path: string[], message: string) =>
    payload.issues.push({ code: 'custom', input: undefined, path, message });
  const { issuer, tokenEndpoint } = value;
  const registrationEndpoint = value.mode === 'registration' ? value.registrationEndpoint : undefined;
  const addresses = { issuer, tokenEndpoint, registrationEndpoint, ...addressesOfAuth(value.auth) };
  const idMember = value.mode === 'registration' ? 'client_id' : 'client_secret_id';
  for (const { path, message } of [
    ...faultsOf(value, requestsOf(value), publicMembers(value), addresses, idMember),
    ...(value.mode === 'registration' ? faultsOfMetadata(value) : faultsOfNames(value)),
  ])
    refuse(path, message);
  if (value.list !== undefined && value.revoke === undefined) refuse(['revoke'], 'is missing beside list');
  if (value.issuer !== undefined) return;
  if (value.tokenEndpoint === undefined) refuse(['tokenEndpoint'], 'is missing, and issuer is too');
  if (value.mode === 'registration' && value.registrationEndpoint === undefined)
    refuse(['registrationEndpoint'], 'is missing, and issuer is too');
});

/** A client that a list is to find has to be registered under its name; nothing else is known before there is one. */
function faultsOfMetadata({ metadata, list }: RegistrationSettings) {
  const subjects = textsIn(metadata).flatMap(subjectsIn);
  const { client_name: name } = metadata;
  const isNamed = name === undefined || textsIn(name).flatMap(subjectsIn).includes('name');
  return [
    ...(subjects.includes('id') ? [{ path: ['metadata'], message: 'has no value for {id}' }] : []),
    ...(list === undefined || isNamed
      ? []
      : [{ path: ['metadata', 'client_name'], message: 'lacks {name}, by which list finds the client' }]),
  ];
}

const text = z.string().check(z.minLength(1));

/** Members by the names of RFC 7591, section 3.2.1. */
const secret = z.looseObject({
  client_id: text,
  client_secret: text,
  /** Id of the secret at a provider that keeps two. */
  client_secret_id: z.optional(text),
  /** What RFC 7592 wants to see to delete the client, and where. */
  registration_access_token: z.optional(text),
  registration_client_uri: z.optional(text),
});

/** Any JSON object: which members it has to have is the settings' to say. */
const admin = z.looseObject({});

export type OauthSecret = z.infer<typeof secret>;
export type OauthAdmin = z.infer<typeof admin>;

const example: RotatorExample = {
  secret: { client_id: 'app' },
  admin: { client_id: 'rotor' },
  generated: 'client_secret',
  settings: {
    mode: 'registration',
    hosts: ['login.example.com'],
    tokenEndpoint: 'https://login.example.com/token',
    registrationEndpoint: 'https://login.example.com/register',
    metadata: { scope: 'orders' },
    parameters: { scope: 'orders' },
    auth: {
      kind: 'oauth-client-credentials',
      tokenUrl: 'https://login.example.com/token',
      parameters: { scope: 'registration' },
    },
  },
};

/** The secret of an OAuth client that logs in as itself. */
export const oauthClientSecretDefinition: RotatorDefinition<OauthSecret, OauthAdmin, OauthSettings> = {
  traits: (value) => ({
    overlap: value.mode === 'registration' ? 'two-principals' : 'two-credentials',
    mint: 'target',
    usage: false,
    endsSessions: false,
    admin: needsAdmin(
      requestsOf(value).map(([, request]) => request),
      value.auth,
    )
      ? 'required'
      : 'none',
    retirement: value.mode === 'two-secrets' && value.disable !== undefined ? 'reversible' : 'deferred',
    network: 'public',
    iam: [],
  }),
  secret,
  admin,
  settings,
  example,
  sensitive: (value, chosen) =>
    sensitiveMembers(chosen).flatMap((name) => {
      const found: unknown = Reflect.get(value, name);
      return typeof found === 'string' && found !== '' ? [found] : [];
    }),
  claims: () => false,
  principal: (value, chosen) => (chosen.mode === 'registration' ? value.client_id : secretIdOf(value)),
  adminArn: () => undefined,
};

/** The id of the secret, where the provider keeps several. SecretMalformed. */
export function secretIdOf({ client_secret_id }: OauthSecret): string {
  if (client_secret_id === undefined)
    throw new SecretMalformed('secret has a wrong or missing field: client_secret_id');
  return client_secret_id;
}

/** Secrets, tokens, and whatever else goes into headers and bodies and into no URL. */
function sensitiveMembers(value: OauthSettings): readonly string[] {
  const [credential] = membersOfAuth(value.auth);
  const requests = requestsOf(value).map(([, request]) => request);
  const filled = membersInContents(requests).map(({ name }) => name);
  return [
    'client_secret',
    'registration_access_token',
    ...(credential === undefined ? [] : [credential.name]),
    ...filled.filter((name) => !publicMembers(value).includes(name)),
  ];
}

function publicMembers(value: OauthSettings): readonly string[] {
  return ['client_id', 'client_secret_id', ...(value.mode === 'two-secrets' ? value.inUrls : [])];
}

function requestsOf(value: OauthSettings): readonly NamedRequest[] {
  if (value.mode === 'registration') return present({ list: value.list, revoke: value.revoke });
  const { create, list, revoke, disable, enable } = value;
  return present({ create, list, revoke, disable, enable });
}
