import { X509Certificate } from 'node:crypto';
import type { Clock } from '../../client/clock';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { SettingsInvalid } from '../errors';
import { Cluster, type ObjectPath } from './cluster';
import type { KubernetesSettings } from './definition';
import { refreshExternalSecret } from './external-secret';
import type { Marks } from './marks';
import { ShutDowns } from './shut-downs';
import { EksTokens, type TokenSource } from './token';
import { checkReplaces, isRolledOut, progressOf, restartPatch, workloadShape } from './workload';

/** What the adapter takes from outside. */
export interface KubernetesPorts {
  readonly region: TokenSource['region'];
  readonly credentials: TokenSource['credentials'];
  readonly clock: Clock;
}

const plurals = {
  Deployment: 'deployments',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const satisfies Readonly<Record<KubernetesSettings['kind'], string>>;

/**
 * Replaces the pods of a workload, after its ExternalSecret where there is one.
 *
 * What was begun stands in annotations: on the ExternalSecret, and in the workload's template. So a call that was cut off
 * at any point is taken up by the next one, and a reminder finds everything done. Errors are those of errors.ts here and of
 * https/exchange.ts.
 */
export class KubernetesAdapter implements Adapter {
  private readonly cluster: Cluster;
  private readonly workload: ObjectPath;
  private readonly externalSecret: ObjectPath | undefined;
  private readonly shutDowns: ShutDowns;

  constructor(
    private readonly settings: KubernetesSettings,
    private readonly ports: KubernetesPorts,
  ) {
    const { namespace, kind, name, externalSecret } = settings;
    const { region, credentials, clock } = ports;
    this.shutDowns = new ShutDowns(clock);
    const tokens = new EksTokens({ cluster: settings.cluster, region, credentials, clock });
    this.cluster = new Cluster(settings.endpoint, authorityOf(settings), tokens);
    const within = (api: string, plural: string, object: string): ObjectPath => ({
      path: `/apis/${api}/namespaces/${namespace}/${plural}/${object}`,
      what: `${plural}/${object}`,
    });
    this.workload = within('apps/v1', plurals[kind], name);
    this.externalSecret =
      externalSecret && within(externalSecret.apiVersion, 'externalsecrets', externalSecret.name);
  }

  async begin(version: RolledOut, signal: AbortSignal): Promise<void> {
    const { cluster, workload, externalSecret } = this;
    const found = await cluster.read(workload, workloadShape, signal);
    checkReplaces(found, workload.what);
    const marks = marksOf(version);
    if (isRolledOut(found, marks)) return;
    if (externalSecret !== undefined)
      await refreshExternalSecret(cluster, externalSecret, marks, this.ports.clock, signal);
    await cluster.patch(workload, 'strategic-merge-patch', restartPatch(marks), workloadShape, signal);
  }

  async look(version: RolledOut, signal: AbortSignal): Promise<Progress> {
    const found = await this.cluster.read(this.workload, workloadShape, signal);
    const marks = marksOf(version);
    const progress = progressOf(this.settings.kind, found, marks, this.workload.what);
    if (progress.state !== 'done') this.shutDowns.forget();
    else if (!this.shutDowns.haveEnded(found, marks)) return { state: 'working' };
    return progress;
  }
}

function marksOf({ secret, versionId, rotationId }: RolledOut): Marks {
  return { secretArn: secret.arn, versionId, rotationId };
}

function authorityOf({ certificateAuthority }: KubernetesSettings): string {
  const pem = Buffer.from(certificateAuthority, 'base64').toString();
  try {
    new X509Certificate(pem);
  } catch {
    throw new SettingsInvalid('field certificateAuthority is not a certificate as PEM in Base64');
  }
  return pem;
}
