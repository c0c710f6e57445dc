import * as z from 'zod/mini';
import { SecretMalformed } from '../../domain/errors';
import { givesAway } from '../repetition';
import type { RotatorDefinition, RotatorExample } from '../rotator';
import { faultsOf, faultsOfNames, needsAdmin, present, type NamedRequest } from './checks';
import {
  addressesOfAuth,
  keySettings,
  member,
  membersInContents,
  membersInUrls,
  membersOfAuth,
  requestFields,
  statuses,
  type RequestTemplate,
} from './requests';

/** What a policy says about an issuer of keys: the requests that it takes, and where the key stands in its answers. */
const settingsShape = z.extend(keySettings, {
  /** Uses a key as a consumer would: with `{secret.apiKey}` in a header, and without the admin. */
  test: z.strictObject({
    ...requestFields('GET'),
    /** Status codes that say that the key works; absent: 2xx. */
    expect: z.optional(statuses),
  }),
  /** Members of the secret that hold the key and its id. */
  secret: z._default(z.strictObject({ key: z._default(member, 'apiKey'), id: z._default(member, 'keyId') }), {
    key: 'apiKey',
    id: 'keyId',
  }),
  /** Members that may stand in URLs, and so in the issuer's access logs. For a key in a query string, the key itself. */
  inUrls: z._default(z.array(member), []),
});

export type HttpSettings = z.infer<typeof settingsShape>;

const settings = settingsShape.check((payload) => {
  const { value } = payload;
  const refuse = (path: string[], message: string) =>
    payload.issues.push({ code: 'custom', input: undefined, path, message });
  const open = [value.secret.id, ...value.inUrls];
  const faults = faultsOf(value, requestsOf(value), open, addressesOfAuth(value.auth), value.secret.id);
  for (const { path, message } of [...faults, ...faultsOfNames(value)]) refuse(path, message);
  if (value.secret.key === value.secret.id)
    refuse(['secret', 'id'], 'is the member of the key itself; an id is public, and stands in events');
  const tested = [...membersInContents([value.test]), ...membersInUrls([value.test])];
  if (!tested.some(({ of, name }) => of === 'secret' && name === value.secret.key))
    refuse(['test'], 'does not use the key');
  if (needsAdmin([value.test], undefined)) refuse(['test'], 'uses the admin');
});

/** Any JSON object: which members it has to have is the settings' to say. */
const secret = z.looseObject({});
type Members = z.infer<typeof secret>;

const example: RotatorExample = {
  secret: { keyId: 'key_1', url: 'https://api.example.com/v1/orders' },
  admin: {},
  generated: 'apiKey',
  settings: {
    hosts: ['api.example.com'],
    prefix: 'rotor-example-app-',
    auth: { kind: 'bearer' },
    create: {
      url: 'https://api.example.com/v1/keys',
      body: { name: '{name}' },
      key: '/key/value',
      id: '/key/id',
    },
    list: { url: 'https://api.example.com/v1/keys', items: '/keys', id: '/id', name: '/name' },
    revoke: { url: 'https://api.example.com/v1/keys/{id}' },
    test: {
      url: 'https://api.example.com/v1/me',
      headers: { authorization: 'Bearer {secret.apiKey}' },
    },
  },
};

/** A key at any issuer that makes, lists and ends keys over HTTPS. */
export const httpApiKeyDefinition: RotatorDefinition<Members, Members, HttpSettings> = {
  traits: (value) => ({
    overlap: 'two-principals',
    mint: 'target',
    usage: false,
    endsSessions: false,
    admin: needsAdmin(managementOf(value), value.auth) ? 'required' : 'none',
    retirement: value.disable === undefined ? 'deferred' : 'reversible',
    network: 'public',
    iam: [],
  }),
  secret,
  admin: secret,
  settings,
  example,
  sensitive: (value, chosen) => sensitiveMembers(chosen).flatMap((name) => textMember(value, name) ?? []),
  claims: () => false,
  principal: (value, chosen) => keyOf(value, chosen).id,
  adminArn: () => undefined,
};

/** The key and its id. SecretMalformed names the member that is missing. */
export function keyOf(
  value: Members,
  { secret: names }: HttpSettings,
): { readonly key: string; readonly id: string } {
  const read = (name: string) => {
    const found = textMember(value, name);
    if (found === undefined) throw new SecretMalformed(`secret has a wrong or missing field: ${name}`);
    return found;
  };
  const [key, id] = [read(names.key), read(names.id)];
  // History, events and URLs have the id.
  if (givesAway(id, key))
    throw new SecretMalformed(`secret holds its key in the field of the id: ${names.id}`);
  return { key, id };
}

/** The id alone, where there is one: a value of before the enrolment need not have any. */
export function idOf(value: Members, { secret: names }: HttpSettings): string | undefined {
  return textMember(value, names.id);
}

/** The key, what `auth` holds as credentials, and whatever else goes into headers and bodies and into no URL. */
function sensitiveMembers(value: HttpSettings): readonly string[] {
  const requests = requestsOf(value).map(([, request]) => request);
  const [credential] = membersOfAuth(value.auth);
  const filled = membersInContents(requests)
    .map(({ name }) => name)
    .filter((name) => name !== value.secret.id && !value.inUrls.includes(name));
  return [...new Set([value.secret.key, ...(credential === undefined ? [] : [credential.name]), ...filled])];
}

function managementOf({ create, list, revoke, disable, enable }: HttpSettings): readonly RequestTemplate[] {
  return present({ create, list, revoke, disable, enable }).map(([, request]) => request);
}

function requestsOf({ create, list, revoke, disable, enable, test }: HttpSettings): readonly NamedRequest[] {
  return present({ create, list, revoke, disable, enable, test });
}

function textMember(value: Members, name: string): string | undefined {
  const found = value[name];
  if (typeof found === 'number') return String(found);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
