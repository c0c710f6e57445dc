import * as z from 'zod/mini';
import type { AdapterDefinition } from '../adapter';

/** A value that CDK knows at deployment only; the function gets what it stands for. */
const unresolved = /\$\{Token\[/;

/** Names of objects: RFC 1123 subdomains, as Kubernetes takes them. */
const objectName = z.string().check(
  z.maxLength(253),
  z.refine((text) => unresolved.test(text) || /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(text)),
);

const settings = z.strictObject({
  /** Address of the API server. */
  endpoint: z.string().check(z.refine((text) => unresolved.test(text) || isServer(text))),
  /** Certificate of the cluster's authority, the only one that is trusted: PEM in Base64, as EKS hands it out. */
  certificateAuthority: z.string().check(z.minLength(1)),
  /** Name of the cluster, which is part of the token. */
  cluster: z.string().check(z.minLength(1)),
  namespace: objectName,
  kind: z.enum(['Deployment', 'StatefulSet', 'DaemonSet']),
  name: objectName,
  /** The ExternalSecret that copies the secret into the cluster; it is fetched anew before pods are replaced. */
  externalSecret: z.optional(
    z.strictObject({
      name: objectName,
      /** The version of its API that the cluster serves. */
      apiVersion: z._default(
        z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]*\/v[a-z0-9]+$/)),
        'external-secrets.io/v1',
      ),
    }),
  ),
});

/** What the adapter for workloads in Kubernetes is told. */
export type KubernetesSettings = z.output<typeof settings>;

/** Replaces every pod of a workload in an Amazon EKS cluster. */
export const kubernetesDefinition = {
  settings,
  // The token is made of a request that needs no permission; what its holder may do is the cluster's to say.
  grants: () => [],
  lookEverySeconds: 5,
} as const satisfies AdapterDefinition<KubernetesSettings>;

function isServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return protocol === 'https:' && pathname === '/' && username + password + search + hash === '';
}
