import { membersInContents, membersInUrls, subjectsOf, type Auth, type RequestTemplate } from './requests';

/** A request and the field of the settings that it stands in. */
export type NamedRequest = readonly [field: string, request: RequestTemplate];

/** Whether any of these requests goes with the admin's secret. */
export function needsAdmin(requests: readonly RequestTemplate[], auth: Auth | undefined): boolean {
  const named = [...membersInUrls(requests), ...membersInContents(requests)];
  return auth?.from === 'admin' || named.some(({ of }) => of === 'admin');
}

/** The requests among these fields that the settings have. */
export function present(
  fields: Readonly<Record<string, RequestTemplate | undefined>>,
): readonly NamedRequest[] {
  return Object.entries(fields).flatMap(([field, request]) =>
    request === undefined ? [] : [[field, request] as const],
  );
}

/** What is wrong with settings beyond the form of each field. */
interface Fault {
  readonly path: string[];
  readonly message: string;
}

/** What `{id}` and `{name}` stand for in each request; elsewhere they stand for nothing. */
const known: Readonly<Record<string, readonly ('id' | 'name')[]>> = {
  create: ['name'],
  list: [],
  revoke: ['id'],
  disable: ['id'],
  enable: ['id'],
  test: ['id'],
};

/** Requests that change one key. */
const changes: readonly string[] = ['revoke', 'disable', 'enable'];

/**
 * What requests say about the key that they are for. One that changes a key and does not say which may change all of them;
 * and one that says it by the secret's own member means the key in use.
 */
function aboutKeys(requests: readonly NamedRequest[], idMember: string): readonly Fault[] {
  return requests.flatMap(([field, request]) => {
    const subjects = subjectsOf(request);
    const unknown = subjects.filter((subject) => !known[field]?.includes(subject));
    // In a header it may be half of a credential that shows itself.
    const { headers: _, ...rest } = request;
    const members = [...membersInUrls([rest]), ...membersInContents([rest])];
    const own = members.some(({ of, name }) => of === 'secret' && name === idMember);
    return [
      ...unknown.map((subject) => ({ path: [field], message: `has no value for {${subject}}` })),
      ...(!changes.includes(field) || subjects.includes('id')
        ? []
        : [{ path: [field], message: 'does not say which key it is for: {id}' }]),
      ...(changes.includes(field) && own
        ? [{ path: [field], message: `is for {id}; {secret.${idMember}} is the key in use` }]
        : []),
    ];
  });
}

/**
 * What the requests of the settings get wrong together: one that does not say which key it is for, an address at a host that
 * they do not name, one of `disable` and `enable` without the other, two kinds of body, and members in URLs that are not
 * public. Servers and proxies log URLs.
 *
 * `addresses` are those that stand outside of requests, by their fields; `idMember` holds the id of the key in use.
 */
export function faultsOf(
  settings: {
    readonly hosts?: readonly string[] | undefined;
    readonly privateHosts?: readonly string[] | undefined;
    readonly disable?: unknown;
    readonly enable?: unknown;
  },
  requests: readonly NamedRequest[],
  publicMembers: readonly string[],
  addresses: Readonly<Record<string, string | undefined>>,
  idMember: string,
): readonly Fault[] {
  const { hosts = [], privateHosts = [], disable, enable } = settings;
  const named = [...hosts, ...privateHosts];
  const elsewhere = [
    ...requests.map(([field, { url }]) => [`${field}.url`, url] as const),
    ...Object.entries(addresses),
  ].flatMap(([field, address]) => {
    const host = address === undefined ? undefined : hostOf(address);
    return host === undefined || named.includes(host) ? [] : [{ field, host }];
  });
  const both = requests.filter(([, { body, form }]) => body !== undefined && form !== undefined);
  const open = requests.filter(([, request]) =>
    membersInUrls([request]).some(({ name }) => !publicMembers.includes(name)),
  );
  return [
    ...elsewhere.map(({ field, host }) => ({
      path: field.split('.'),
      message: `is at ${host}, which is not among hosts and privateHosts`,
    })),
    ...((disable === undefined) !== (enable === undefined)
      ? [{ path: [disable === undefined ? 'disable' : 'enable'], message: 'is missing' }]
      : []),
    ...aboutKeys(requests, idMember),
    ...both.map(([field]) => ({ path: [field, 'form'], message: 'stands beside a body' })),
    ...open.map(([field]) => ({
      path: [field, 'url'],
      message: 'holds a member of a secret that inUrls does not name',
    })),
  ];
}

/** What `create` and `list` get wrong together. */
export function faultsOfNames({
  create,
  list,
}: {
  readonly create: RequestTemplate & { readonly key: string; readonly id: string };
  readonly list?: unknown;
}): readonly Fault[] {
  return [
    ...(create.key === create.id
      ? [{ path: ['create', 'id'], message: 'is the key itself; an id is public, and stands in events' }]
      : []),
    ...(list === undefined || subjectsOf(create).includes('name')
      ? []
      : [{ path: ['create'], message: 'does not give the key its {name}, by which list finds it' }]),
  ];
}

/** The host of an address whose path and query may hold placeholders. */
function hostOf(address: string): string {
  return new URL(address.replace(/\{[^}]*\}/g, 'x')).host;
}
