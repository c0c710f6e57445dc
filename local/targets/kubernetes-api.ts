import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { selfSigned } from './certificate';
import { ExternalSecretsOperator } from './kubernetes-external-secrets';
import {
  isObject,
  type Json,
  type KubernetesObject,
  type NewObject,
  ObjectChanged,
  ObjectStore,
  PatchInvalid,
} from './kubernetes-objects';
import { holderOf, type KnownSession } from './kubernetes-token';
import { type Pod, WorkloadControllers } from './kubernetes-workloads';

/** What goes wrong with one request to come. */
export interface ClusterFault {
  /** Beginning of the request that it is for, such as `PATCH /apis/apps/v1`. */
  readonly request: string;
  /** Answered instead of what was asked for; `lost`: what was asked for is done, and the connection breaks off. */
  readonly answer: number | 'lost';
}

/** One rule of a Role, for one resource. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly verbs: readonly string[];
}

/** A cluster on this machine: an API server with controllers that move when they are told. */
export interface KubernetesCluster {
  readonly endpoint: string;
  /** PEM in Base64, as EKS describes a cluster. */
  readonly certificateAuthority: string;
  readonly store: ObjectStore;
  /** Requests in order, with the status of their answers. */
  readonly log: readonly string[];
  /** What the provider of secrets hands out to the operator; undefined: nothing. */
  provided: string | undefined;
  /** What the cluster's copy of the secret holds; pods read it when they start. */
  copied: string;
  /** Whether pods that were started become ready. */
  comesUp: (pod: Pod) => boolean;
  /** What admission says to new pods in place of letting them in; undefined: they come in. */
  keepsOut: string | undefined;
  /** How long pods take to shut down, in seconds. */
  shutsDownIn: number;
  /** Whether Deployments count pods that shut down: Kubernetes from 1.35 on. */
  countsTerminating: boolean;
  pods(workload: string): readonly Pod[];
  /** Pods that were deleted and still shut down. */
  terminating(workload: string): readonly Pod[];
  create(object: NewObject): KubernetesObject;
  /** Changes an object as somebody else's kubectl would. */
  change(kind: string, name: string, patch: Readonly<Record<string, Json>>): void;
  /** The cluster's time, in milliseconds since the epoch. */
  now(): number;
  /** Lets so many seconds pass in each of so many moves of the controllers. */
  move(moves: number, seconds?: number): void;
  plan(...faults: readonly ClusterFault[]): void;
  stop(): Promise<void>;
}

/** Whom a cluster knows, and what they may do in it. */
export interface ClusterOptions {
  readonly name: string;
  readonly namespace: string;
  /** What STS knows of an access key. */
  readonly sessionOf: (accessKeyId: string) => KnownSession | undefined;
  /** The access entries: what a role may do; undefined for a role that is nobody here. */
  readonly rulesOf: (roleArn: string) => readonly Rule[] | undefined;
}

const kinds: Readonly<Record<string, { readonly kind: string; readonly apiVersion: string }>> = {
  deployments: { kind: 'Deployment', apiVersion: 'apps/v1' },
  statefulsets: { kind: 'StatefulSet', apiVersion: 'apps/v1' },
  daemonsets: { kind: 'DaemonSet', apiVersion: 'apps/v1' },
  externalsecrets: { kind: 'ExternalSecret', apiVersion: 'external-secrets.io/v1' },
};

/**
 * Starts a cluster's API server on the loopback interface, over TLS, as the Kubernetes API documents get and patch of
 * single objects: tokens of IAM, roles, Status objects, content types of patches, resourceVersion and generation. Anything
 * else is 404 or 405.
 */
export async function startKubernetes(options: ClusterOptions): Promise<KubernetesCluster> {
  const { certificate, key } = selfSigned(['kubernetes'], ['127.0.0.1']);
  const store = new ObjectStore(options.namespace);
  const log: string[] = [];
  const faults: ClusterFault[] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    void (async () => {
      const body = await textOf(request);
      const line = `${request.method ?? ''} ${request.url ?? ''}`;
      const planned = faults.findIndex((fault) => line.startsWith(fault.request));
      const [fault] = planned === -1 ? [] : faults.splice(planned, 1);
      const answer =
        typeof fault?.answer === 'number'
          ? refused(fault.answer, 'InternalError', 'planned')
          : route(options, store, request, body);
      log.push(`${line} ${String(answer.status)}`);
      if (fault?.answer === 'lost') request.socket.destroy();
      else send(response, answer);
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the API server got no port');
  let seconds = Math.floor(Date.now() / 1000);
  const cluster: KubernetesCluster = {
    endpoint: `https://127.0.0.1:${String(address.port)}`,
    certificateAuthority: Buffer.from(certificate).toString('base64'),
    store,
    log,
    provided: undefined,
    copied: '',
    comesUp: () => true,
    keepsOut: undefined,
    shutsDownIn: 20,
    countsTerminating: true,
    now: () => seconds * 1000,
    pods: (workload) => controllers.podsOf(workload),
    terminating: (workload) => controllers.terminatingOf(workload),
    create: (object) => store.create(object),
    change: (kind, name, patch) => {
      const object = store.find(kind, name);
      if (object !== undefined) store.patch(object, patch);
    },
    move: (moves, each = 5) => {
      for (let made = 0; made < moves; made++) {
        seconds += each;
        operator.move(seconds);
        controllers.move(seconds);
      }
    },
    plan: (...planned) => void faults.push(...planned),
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  const controllers = new WorkloadControllers({
    store,
    secret: () => cluster.copied,
    comesUp: (pod) => cluster.comesUp(pod),
    keepsOut: () => cluster.keepsOut,
    shutsDownIn: () => cluster.shutsDownIn,
    countsTerminating: () => cluster.countsTerminating,
  });
  const operator = new ExternalSecretsOperator({
    store,
    fetch: () => cluster.provided,
    copy: (value) => (cluster.copied = value),
  });
  return cluster;
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

function route(options: ClusterOptions, store: ObjectStore, request: IncomingMessage, body: string): Answer {
  const { pathname } = new URL(request.url ?? '/', 'https://cluster');
  const [, apis, group = '', version = '', namespaces, namespace, resource = '', name = '', more] =
    pathname.split('/');
  const { authorization } = request.headers;
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1];
  const holder =
    token === undefined ? undefined : holderOf(token, options.name, options.sessionOf, Date.now());
  const rules = holder === undefined ? undefined : options.rulesOf(holder.roleArn);
  if (token !== undefined && rules === undefined) return refused(401, 'Unauthorized', 'Unauthorized');
  const verb = request.method === 'PATCH' ? 'patch' : request.method === 'GET' ? 'get' : 'other';
  const may = (rules ?? []).some(
    (rule) =>
      namespace === options.namespace &&
      rule.apiGroups.includes(group) &&
      rule.resources.includes(resource) &&
      rule.resourceNames.includes(name) &&
      rule.verbs.includes(verb),
  );
  const what = `${resource}.${group} "${name}"`;
  if (!may) {
    const user = holder?.roleArn ?? 'system:anonymous';
    return refused(403, 'Forbidden', `${what} is forbidden: User "${user}" cannot ${verb} resource`);
  }
  if (verb === 'other') return refused(405, 'MethodNotAllowed', 'the server does not allow this method');
  const known = kinds[resource];
  const isPath = apis === 'apis' && namespaces === 'namespaces' && more === undefined;
  // Not even the kind is known where its API is served in another version.
  if (!isPath || known?.apiVersion !== `${group}/${version}`)
    return refused(404, 'NotFound', 'the server could not find the requested resource');
  const object = store.find(known.kind, name);
  if (object === undefined) return refused(404, 'NotFound', `${what} not found`);
  if (verb === 'get') return { status: 200, body: object };
  return patched(store, object, known.apiVersion === 'apps/v1', request.headers['content-type'], body, what);
}

function patched(
  store: ObjectStore,
  object: KubernetesObject,
  isBuiltIn: boolean,
  type: string | undefined,
  body: string,
  what: string,
): Answer {
  const types = [
    'application/merge-patch+json',
    ...(isBuiltIn ? ['application/strategic-merge-patch+json'] : []),
  ];
  if (type === undefined || !types.includes(type))
    return refused(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format: ${types.join()}`,
    );
  let patch: Json;
  try {
    patch = JSON.parse(body) as Json;
  } catch {
    return refused(400, 'BadRequest', 'the patch is no JSON');
  }
  if (!isObject(patch)) return refused(400, 'BadRequest', 'the patch is no object');
  // The strategic kind merges lists by a key of their own, which is not played.
  if (type.includes('strategic') && hasList(patch)) return refused(501, 'NotImplemented', 'lists in a patch');
  try {
    return { status: 200, body: store.patch(object, patch) };
  } catch (error) {
    if (error instanceof ObjectChanged)
      return refused(
        409,
        'Conflict',
        `Operation cannot be fulfilled on ${what}: the object has been modified`,
      );
    if (error instanceof PatchInvalid) return refused(422, 'Invalid', `${what} is invalid: ${error.message}`);
    throw error;
  }
}

function hasList(value: Json | undefined): boolean {
  return Array.isArray(value) || (isObject(value) && Object.values(value).some(hasList));
}

/** A Status, as the API conventions have it for whatever did not work. */
function refused(code: number, reason: string, message: string): Answer {
  return {
    status: code,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
  };
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
