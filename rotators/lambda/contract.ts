import { rotorErrors, type RotorErrorName } from '../../domain/errors';
import { redactor } from '../redaction';
import type { SessionHolder, Usage, Verb } from '../rotator';

/** Version of the payloads below; another one would come with a new name of the rotator's settings. */
export const schemaVersion = '1';

/** The members of a secret, as its SecretString holds them. */
export type Members = Readonly<Record<string, unknown>>;

interface Common {
  /** What the policy's `settings.options` says; public. */
  readonly options: Members;
  /** Members of the secret that are no secret, as the policy names them. */
  readonly public: readonly string[];
  /** The admin's secret; absent where the policy names none. */
  readonly admin?: Members;
}

/** Asks for the replacement of `from`; only where the policy names no member that Rotor draws itself. */
export interface CreateRequest extends Common {
  readonly from: Members;
  /** The same at every repeat: name by it what you mint, and find it again. */
  readonly versionId: string;
  /** A password by the secret's password policy, another one at every repeat. */
  readonly password: string;
  /** ISO 8601; when `from` came into use. */
  readonly replacedAt?: string;
  /** What earlier rotations replaced (AWSPREVIOUS): what stands nowhere may be held by somebody all the same. */
  readonly others: readonly Members[];
  /** Values under labels of somebody's own: do not touch their credentials. */
  readonly pinned: readonly Members[];
}

/** Asks to make `to` work, whatever ran before; `from` goes on working unless the policy says that nothing overlaps. */
export interface ApplyRequest extends Common {
  readonly from: Members;
  readonly to: Members;
  /** ISO 8601; when `from` came into use. Absent when going back. */
  readonly replacedAt?: string;
}

/** Asks to do with `secret` the least that an application does, and to change nothing. */
export interface VerifyRequest extends Common {
  readonly secret: Members;
}

/** Asks who uses `secret`; only where the policy says that the target can tell. */
export interface UsageRequest extends Common {
  readonly secret: Members;
  /** ISO 8601; uses that began later count as begun. */
  readonly since: string;
  /** Look once at the beginning of this time and once at its end. */
  readonly watchMs: number;
}

/** Asks to stop `from` and to leave `to` working. Already stopped is success. */
export interface RetireRequest extends Common {
  readonly from: Members;
  readonly to: Members;
}

/** Asks to end the sessions that are still open with `secret`, which was retired; only where the policy says that it can. */
export interface EndRequest extends Common {
  readonly secret: Members;
}

/** What each verb is asked. */
export interface OwnRequests {
  readonly create: CreateRequest;
  readonly apply: ApplyRequest;
  readonly verify: VerifyRequest;
  readonly usage: UsageRequest;
  readonly retire: RetireRequest;
  readonly end: EndRequest;
}

/** The payload of an invocation. */
export type OwnRequest = {
  readonly [V in Verb]: OwnRequests[V] & { readonly schemaVersion: typeof schemaVersion; readonly verb: V };
}[Verb];

/** The payload of an answer: a result, or an error by its name in domain/errors.ts. */
export type OwnAnswer =
  | { readonly schemaVersion: typeof schemaVersion; readonly result: object }
  | {
      readonly schemaVersion: typeof schemaVersion;
      readonly error: { readonly name: OwnErrorName; readonly message: string };
    };

/** Who holds sessions; how long they have been open may be left out. */
export type OwnSessionHolder = Omit<SessionHolder, 'openSeconds'> &
  Partial<Pick<SessionHolder, 'openSeconds'>>;

/** Who uses a credential. */
export interface OwnUsage extends Pick<Usage, 'looks'> {
  readonly begun: readonly OwnSessionHolder[];
  readonly open: readonly OwnSessionHolder[];
}

/** Whose sessions were ended; a repeat names those alone that it has ended itself. */
export interface OwnEnded {
  readonly ended: readonly OwnSessionHolder[];
}

/** What a verb may know beside its request. */
export interface OwnContext {
  /** Aborts shortly before the function's own timeout. */
  readonly signal: AbortSignal;
}

/** The verbs of a team's own rotator. Each may be repeated after a crash at any point, and must then reach the same end. */
export interface OwnVerbs {
  /** Only where the target invents the credential. Answers the whole replacement, with what it does not know kept. */
  readonly create?: (request: CreateRequest, context: OwnContext) => Promise<Members>;
  /** Answers since when `from` no longer works, ISO 8601, where nothing overlaps. */
  readonly apply: (request: ApplyRequest, context: OwnContext) => Promise<{ readonly gapBegan?: string }>;
  readonly verify: (request: VerifyRequest, context: OwnContext) => Promise<void>;
  /** Only where the target can tell. */
  readonly usage?: (request: UsageRequest, context: OwnContext) => Promise<OwnUsage>;
  readonly retire: (request: RetireRequest, context: OwnContext) => Promise<void>;
  /** Only where the target can tell the sessions of a retired credential from others. None left is success. */
  readonly end?: (request: EndRequest, context: OwnContext) => Promise<OwnEnded>;
}

/** Errors that a team's function may raise: those about a secret, its policy and its target, and none of the workflow's own. */
export const ownErrorNames = [
  'SecretMalformed',
  'PolicyInvalid',
  'AdminMissing',
  'AdminIsTheSecret',
  'AdminRejected',
  'UserNameTooLong',
  'TargetUnreachable',
  'TargetRefused',
  'PermissionMissing',
  'TlsUnavailable',
  'CredentialRejected',
  'CredentialUnusable',
  'OverlapExhausted',
  'PrincipalInUse',
  'SamePrincipal',
  'InvocationMalformed',
] as const satisfies readonly RotorErrorName[];

export type OwnErrorName = (typeof ownErrorNames)[number];

/** The classes to throw; an error of any other class counts by its `name`, and is TargetRefused if that is none of these. */
export const errors = rotorErrors;

/** Whether a team's function may raise an error of this name. */
export function isOwnErrorName(name: string): name is OwnErrorName {
  return ownErrorNames.some((known) => known === name);
}

/** Strings of a secret that must be seen nowhere: all, at any depth, but those in members that are named public. */
export function sensitiveStrings(secret: Members, publicMembers: readonly string[]): readonly string[] {
  const strings = (value: unknown): readonly string[] => {
    if (typeof value === 'string') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
  };
  return Object.entries(secret).flatMap(([name, value]) =>
    publicMembers.includes(name) ? [] : strings(value),
  );
}

/** Time that is left for the answer when `signal` aborts. */
const reserveMs = 500;

/**
 * Makes the Lambda handler of a team's own rotator: checks the request, calls the verb, and turns what it throws into an
 * answer, with the secrets of the request taken out of the message. It throws nothing and logs nothing.
 *
 * What a verb has minted itself is not known to the handler: do not put it into a message.
 */
export function ownRotator(
  verbs: OwnVerbs,
): (event: unknown, context?: { readonly getRemainingTimeInMillis?: () => number }) => Promise<OwnAnswer> {
  return async (event, context) => {
    let redact = (text: string) => text;
    try {
      const request = parseRequest(event);
      redact = redactor(secretsOf(request));
      const remaining = context?.getRemainingTimeInMillis?.();
      const signal =
        remaining === undefined
          ? new AbortController().signal
          : AbortSignal.timeout(Math.max(1, remaining - reserveMs));
      return { schemaVersion, result: await call(verbs, request, { signal }) };
    } catch (error) {
      return { schemaVersion, error: told(error, redact) };
    }
  };
}

async function call(verbs: OwnVerbs, request: OwnRequest, context: OwnContext): Promise<object> {
  switch (request.verb) {
    case 'create':
      if (verbs.create === undefined) throw absent('create');
      return verbs.create(request, context);
    case 'apply':
      return verbs.apply(request, context);
    case 'verify':
      await verbs.verify(request, context);
      return {};
    case 'usage':
      if (verbs.usage === undefined) throw absent('usage');
      return verbs.usage(request, context);
    case 'retire':
      await verbs.retire(request, context);
      return {};
    case 'end':
      if (verbs.end === undefined) throw absent('end');
      return verbs.end(request, context);
  }
}

function absent(verb: Verb): Error {
  return new errors.InvocationMalformed(
    `this function has no verb ${verb}, and the policy's settings ask for it`,
  );
}

/** Members of each request that are secrets, and so objects. */
const secretMembers = {
  create: ['from'],
  apply: ['from', 'to'],
  verify: ['secret'],
  usage: ['secret'],
  retire: ['from', 'to'],
  end: ['secret'],
} as const satisfies { readonly [V in Verb]: readonly (keyof OwnRequests[V])[] };

/** Members of each request that are lists of secrets. */
const valueLists = {
  create: ['others', 'pinned'],
  apply: [],
  verify: [],
  usage: [],
  retire: [],
  end: [],
} as const satisfies { readonly [V in Verb]: readonly (keyof OwnRequests[V])[] };

/** Rotor makes the requests; what is looked for is somebody else's invocation, or another version. InvocationMalformed. */
function parseRequest(event: unknown): OwnRequest {
  if (!isRequest(event))
    throw new errors.InvocationMalformed(
      `not a request of Rotor with schemaVersion ${schemaVersion}: it names no verb, or lacks a secret`,
    );
  return event;
}

function isRequest(event: unknown): event is OwnRequest {
  if (!isMembers(event) || event['schemaVersion'] !== schemaVersion) return false;
  const verb = event['verb'];
  if (typeof verb !== 'string' || !isVerb(verb)) return false;
  return (
    secretMembers[verb].every((member) => isMembers(event[member])) &&
    valueLists[verb].every((list) => isListOfMembers(event[list])) &&
    isMembers(event['options']) &&
    Array.isArray(event['public']) &&
    (event['admin'] === undefined || isMembers(event['admin']))
  );
}

function isVerb(name: string): name is Verb {
  return Object.hasOwn(secretMembers, name);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOfMembers(value: unknown): value is readonly Members[] {
  return Array.isArray(value) && value.every(isMembers);
}

function secretsOf(request: OwnRequest): readonly string[] {
  const { admin, verb } = request;
  const secrets =
    verb === 'verify' || verb === 'usage' || verb === 'end'
      ? [request.secret]
      : verb === 'create'
        ? [request.from, ...request.others, ...request.pinned, { password: request.password }]
        : [request.from, request.to];
  return [...secrets, admin ?? {}].flatMap((secret) => sensitiveStrings(secret, request.public));
}

function told(
  error: unknown,
  redact: (text: string) => string,
): { readonly name: OwnErrorName; readonly message: string } {
  // Not by instanceof: an error may come from another copy of this module.
  const { name, message } = isMembers(error) ? error : { name: undefined, message: String(error) };
  const text = typeof message === 'string' ? message : 'failed without a message';
  if (typeof name === 'string' && isOwnErrorName(name)) return { name, message: redact(text) };
  return {
    name: 'TargetRefused',
    message: redact(typeof name === 'string' ? `${name}: ${text}` : text),
  };
}
