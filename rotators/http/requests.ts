import * as z from 'zod/mini';
import { isLoopback } from './egress';
import { pointerForm } from './pointer';
import { isTemplate, membersIn, subjectsIn, textsIn, type Json, type Member } from './templates';

/** Requests of the settings: what an issuer wants to be asked, in the terms of any HTTP API. */

/** Name of a member of a secret, as placeholders can name it. */
export const member = z.string().check(z.regex(/^[A-Za-z_][\w-]*$/, 'must be the name of a member'));
const pointer = z.string().check(z.regex(pointerForm, 'must be a JSON pointer, such as /key/id'));
/** Status codes. A redirect is never among them: none is followed, so nothing was done. */
export const statuses = z.array(
  z.int().check(
    z.gte(200),
    z.lte(599),
    z.refine((code) => code < 300 || code >= 400, 'is a redirect, and none is followed'),
  ),
);

/** A host as URLs write it: lower case, with a port where it is not 443. */
const host = z.string().check(
  z.refine((text) => {
    const [secure, plain] = [`https://${text}/`, `http://${text}/`];
    return [secure, plain].some((url) => URL.canParse(url) && new URL(url).host === text);
  }, 'must be a host as URLs have it: in lower case, with a port where it is not 443, and without a path'),
);

/** Where requests may go; every rotator that sends HTTP requests has these. */
export const egressFields = {
  /** Hosts that requests may go to. Their addresses have to be public. */
  hosts: z.optional(z.array(host)),
  /** Hosts that requests may go to although their addresses are private. Plain HTTP goes to this machine's loopback alone. */
  privateHosts: z.optional(z.array(host)),
  /** Certificate of the authority to trust instead of those that Node trusts, as PEM. */
  ca: z.optional(z.string().check(z.regex(/-----BEGIN CERTIFICATE-----/, 'must be a certificate as PEM'))),
};

/** An address without placeholders. */
export const plainUrl = z
  .string()
  .check(
    z.refine(
      (text) => !text.includes('{') && isAddress(text),
      'must be an HTTPS address without placeholders, user or fragment',
    ),
  );

const placeholders = '{secret.member}, {admin.member}, {id} and {name}';
const onlyPlaceholders = `may hold no placeholders but ${placeholders}`;

/** An address whose path and query may hold placeholders. */
const url = z.string().check(
  z.refine((text) => {
    const origin = /^https?:\/\/[^/?#{}\s]+(?=[/?]|$)/.exec(text)?.[0];
    return origin !== undefined && isTemplate(text, 'url') && isAddress(text.replace(/\{[^}]*\}/g, 'x'));
  }, `must be an HTTPS address without user or fragment; ${placeholders} stand in its path or query`),
);

/** Those that Node sets, or that would make another request of it. */
const ownHeaders = /^(?:host|connection|content-length|transfer-encoding|expect|upgrade|te|trailer)$/i;
const headers = z.record(
  z.string().check(
    z.regex(/^[!#$%&'*+.^_`|~\dA-Za-z-]+$/),
    z.refine((name) => !ownHeaders.test(name)),
  ),
  z.string().check(z.refine((text) => isTemplate(text, 'header'), onlyPlaceholders)),
);
const text = z.string().check(z.refine((template) => isTemplate(template, 'text'), onlyPlaceholders));
/** A JSON value whose texts may hold placeholders. */
export const jsonTemplate = z
  .json()
  .check(z.refine((body) => textsIn(body).every((part) => isTemplate(part, 'text')), onlyPlaceholders));

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The fields of one request; `usual` is the method where none is given. */
export const requestFields = (usual: Method) => ({
  method: z._default(z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']), usual),
  url,
  headers: z.optional(headers),
  /** Sent as JSON; placeholders stand in its texts. */
  body: z.optional(jsonTemplate),
  /** Sent as application/x-www-form-urlencoded instead. */
  form: z.optional(z.record(z.string(), text)),
});

/** A request that changes one key, and that may find the change made. */
const changeRequest = (usual: Method, done: readonly number[]) =>
  z.strictObject({
    ...requestFields(usual),
    /** Status codes beside 2xx that say that it is done. */
    done: z._default(statuses, [...done]),
  });

/** How the issuer's keys are made, found and ended. */
export const keyFields = {
  /** Makes a key, under the name `{name}` where the issuer gives its keys names. */
  create: z.strictObject({
    ...requestFields('POST'),
    /** Where the key stands in the answer. */
    key: pointer,
    /** Where the key's id stands in the answer. */
    id: pointer,
  }),
  /** Lists the keys with their names, so that a key which a crashed call made is found. */
  list: z.optional(
    z.strictObject({
      ...requestFields('GET'),
      /** Where the list stands in the answer. */
      items: z._default(pointer, ''),
      /** Where id and name stand in an entry of the list. */
      id: pointer,
      name: pointer,
      /** Where the address of the next page stands in the answer, if the issuer gives its list in pages. */
      next: z.optional(pointer),
    }),
  ),
  /** Ends the key `{id}` for ever. */
  revoke: changeRequest('DELETE', [404, 410]),
  /** Stops the key `{id}` so that `enable` can bring it back; both or neither. */
  disable: z.optional(changeRequest('POST', [])),
  enable: z.optional(changeRequest('POST', [])),
  /** Beginning of the names of keys, before what tells this secret's from every other secret's. */
  prefix: z.optional(
    z.string().check(z.regex(/^[\w.-]{3,40}$/, 'must have 3 to 40 letters, digits, or any of _ . -')),
  ),
  /** Status codes by which the issuer says that there may be no further key. */
  exhausted: z._default(statuses, []),
};

const whose = z._default(z.enum(['admin', 'secret']), 'admin');

/** What goes with every request that makes, lists or ends keys; absent: nothing but what its own headers say. */
export const auth = z.discriminatedUnion('kind', [
  z.strictObject({
    /** `Authorization: Bearer` with a member of the admin's secret, or of the secret itself. */
    kind: z.literal('bearer'),
    from: whose,
    member: z._default(member, 'apiKey'),
  }),
  z.strictObject({
    /** `Authorization: Basic` with two members. */
    kind: z.literal('basic'),
    from: whose,
    username: z._default(member, 'username'),
    password: z._default(member, 'password'),
  }),
  z.strictObject({
    /** A token by the client credentials grant of RFC 6749, section 4.4, for each verb anew. */
    kind: z.literal('oauth-client-credentials'),
    from: whose,
    tokenUrl: plainUrl,
    clientId: z._default(member, 'client_id'),
    clientSecret: z._default(member, 'client_secret'),
    clientAuth: z._default(z.enum(['client_secret_basic', 'client_secret_post']), 'client_secret_basic'),
    /** Further parameters of the token request, such as scope, resource or audience. */
    parameters: z.optional(z.record(z.string(), z.string())),
  }),
]);

export type Auth = z.infer<typeof auth>;

/** Addresses of `auth`, by their fields. */
export function addressesOfAuth(of: Auth | undefined): Readonly<Record<string, string>> {
  return of?.kind === 'oauth-client-credentials' ? { 'auth.tokenUrl': of.tokenUrl } : {};
}

/** What it takes to make, find and end keys at an issuer. */
export const keySettings = z.strictObject({ ...egressFields, ...keyFields, auth: z.optional(auth) });
export type KeySettings = z.infer<typeof keySettings>;

/** One request of the settings. */
export interface RequestTemplate {
  readonly method: Method;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Json | undefined;
  readonly form?: Readonly<Record<string, string>> | undefined;
}

/** Members of the secret and of the admin's secret that stand in URLs of these requests. */
export function membersInUrls(requests: readonly RequestTemplate[]): readonly Member[] {
  return requests.flatMap((request) => membersIn(request.url));
}

/** Members of the secret and of the admin's secret that stand in headers and bodies of these requests. */
export function membersInContents(requests: readonly RequestTemplate[]): readonly Member[] {
  return requests.flatMap(contentsOf).flatMap(membersIn);
}

/** Which of `{id}` and `{name}` stand anywhere in a request. */
export function subjectsOf(request: RequestTemplate): readonly ('id' | 'name')[] {
  return [request.url, ...contentsOf(request)].flatMap(subjectsIn);
}

function contentsOf({ headers: named = {}, form = {}, body = null }: RequestTemplate): readonly string[] {
  return [...Object.values(named), ...Object.values(form), ...textsIn(body)];
}

/** Members that `auth` reads; the first of them is the credential. */
export function membersOfAuth(of: Auth | undefined): readonly Member[] {
  switch (of?.kind) {
    case undefined:
      return [];
    case 'bearer':
      return [{ of: of.from, name: of.member }];
    case 'basic':
      return [
        { of: of.from, name: of.password },
        { of: of.from, name: of.username },
      ];
    case 'oauth-client-credentials':
      return [
        { of: of.from, name: of.clientSecret },
        { of: of.from, name: of.clientId },
      ];
  }
}

function isAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password, hash } = new URL(address);
  const secure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return secure && username === '' && password === '' && hash === '';
}
