import { KubernetesAdapter } from '../../adapters/kubernetes/adapter';
import { kubernetesDefinition, type KubernetesSettings } from '../../adapters/kubernetes/definition';
import { type Clock, systemClock } from '../../client/clock';
import { type KubernetesCluster, type Rule, startKubernetes } from '../../local/targets/kubernetes-api';
import type { JsonObject } from '../../local/targets/kubernetes-objects';
import type { KnownSession } from '../../local/targets/kubernetes-token';
import type { Counterpart } from './contract';
import { place } from './granted-world';

/** The adapter's role as STS knows it; its token has characters that have to be escaped, and a real one's length. */
const session: KnownSession & { readonly accessKeyId: string } = {
  accessKeyId: 'ASIAEXAMPLEEXAMPLE01',
  secretAccessKey: 'not/a+real=secret',
  sessionToken: `IQoJ//b3+JpZ2lu==${'x'.repeat(900)}`,
  roleArn: `arn:aws:iam::${place.account}:role/adapter`,
};

/** The Role of docs/adapters.md. */
export const leastRules: readonly Rule[] = [
  { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['api'], verbs: ['get', 'patch'] },
  {
    apiGroups: ['external-secrets.io'],
    resources: ['externalsecrets'],
    resourceNames: ['api-db'],
    verbs: ['get', 'patch'],
  },
];

/** What a test wants otherwise. */
export interface KubernetesOptions {
  readonly kind?: KubernetesSettings['kind'];
  readonly spec?: JsonObject;
  /** Specification of an ExternalSecret; absent: there is none. */
  readonly externalSecret?: JsonObject;
  readonly rules?: readonly Rule[];
  /** Members of the settings, in place of those that fit. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly knownRole?: boolean;
  readonly credentials?: typeof session;
}

/** A workload of three pods in a cluster on this machine, which runs; with what a test needs beside it. */
export interface KubernetesCounterpart extends Counterpart {
  readonly cluster: KubernetesCluster;
  open(clock?: Clock): KubernetesAdapter;
  /** A clock whose waits let the cluster work meanwhile. */
  readonly clock: Clock;
}

/** Starts it. Every pod becomes ready until `breakDown`. */
export async function openKubernetesCounterpart({
  kind = 'Deployment',
  spec = {},
  externalSecret,
  rules = leastRules.map((rule) =>
    rule.apiGroups.includes('apps') ? { ...rule, resources: [`${kind.toLowerCase()}s`] } : rule,
  ),
  settings = {},
  knownRole = true,
  credentials = session,
}: KubernetesOptions = {}): Promise<KubernetesCounterpart> {
  const cluster = await startKubernetes({
    name: 'shop',
    namespace: 'shop',
    sessionOf: (accessKeyId) => (accessKeyId === session.accessKeyId ? session : undefined),
    rulesOf: (roleArn) => (knownRole && roleArn === session.roleArn ? rules : undefined),
  });
  cluster.provided = 'value of before';
  if (externalSecret !== undefined)
    cluster.create({
      apiVersion: 'external-secrets.io/v1',
      kind: 'ExternalSecret',
      name: 'api-db',
      spec: externalSecret,
    });
  const template = { metadata: { labels: { app: 'api' } }, spec: { containers: [{ name: 'api' }] } };
  cluster.create({ apiVersion: 'apps/v1', kind, name: 'api', spec: { replicas: 3, template, ...spec } });
  cluster.move(10);
  const { endpoint, certificateAuthority } = cluster;
  const parsed = kubernetesDefinition.settings.parse({
    endpoint,
    certificateAuthority,
    cluster: 'shop',
    namespace: 'shop',
    kind,
    name: 'api',
    ...(externalSecret === undefined ? {} : { externalSecret: { name: 'api-db' } }),
    ...settings,
  });
  const region = () => Promise.resolve(place.region);
  const before = cluster.store.find(kind, 'api')?.metadata.generation ?? 0;
  return {
    cluster,
    clock: {
      now: () => cluster.now(),
      after: (delayMs, run) => {
        const timer = setImmediate(() => {
          cluster.move(1, delayMs / 1000);
          run();
        });
        return { cancel: () => clearImmediate(timer) };
      },
    },
    secrets: [session.secretAccessKey, session.sessionToken],
    open: (clock = systemClock) =>
      new KubernetesAdapter(parsed, { region, credentials: () => Promise.resolve(credentials), clock }),
    acts: () => (cluster.store.find(kind, 'api')?.metadata.generation ?? 0) - before,
    pass: async () => cluster.move(8, 30),
    breakDown: () => {
      cluster.comesUp = () => false;
    },
    loseAnswer: () => cluster.plan({ request: 'PATCH', answer: 'lost' }),
    stop: () => cluster.stop(),
  };
}
