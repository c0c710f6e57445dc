import { ServiceError, type Surroundings } from '../kernel/service';
import type { EcsService, TaskDefinition } from './model';

/** Clusters, task definitions and services of the account, and how callers name them. */
export class EcsStore {
  readonly clusters = new Set<string>();
  readonly definitions: TaskDefinition[] = [];
  /** By ARN; deleted ones stay, as INACTIVE. */
  readonly services = new Map<string, EcsService>();

  constructor(private readonly surroundings: Surroundings) {}

  /** The ARN of a cluster from its name or ARN; `default` where none is named. */
  clusterArn(reference = 'default'): string {
    return reference.startsWith('arn:') ? reference : this.arn(`cluster/${reference}`);
  }

  /** The ARN of a service from its name or ARN, in a cluster. */
  serviceArn(clusterArn: string, reference: string): string {
    if (reference.startsWith('arn:')) return reference;
    return this.arn(`service/${clusterArn.split('/').at(-1) ?? ''}/${reference}`);
  }

  /** ClusterNotFoundException unless the cluster is there. */
  assertCluster(clusterArn: string): void {
    if (!this.clusters.has(clusterArn))
      throw new ServiceError('ClusterNotFoundException', 'Cluster not found.');
  }

  /** A service that can be changed; ServiceNotFoundException or ServiceNotActiveException. */
  activeService(arn: string): EcsService {
    const service = this.services.get(arn);
    if (service === undefined) throw new ServiceError('ServiceNotFoundException', 'Service not found.');
    if (service.status !== 'ACTIVE')
      throw new ServiceError('ServiceNotActiveException', 'Service was not ACTIVE.');
    return service;
  }

  /** Every revision of a family, the oldest first. */
  revisionsOf(family: string): readonly TaskDefinition[] {
    return this.definitions.filter((definition) => definition.family === family);
  }

  /** A task definition by `family`, which is its newest revision, by `family:revision`, or by ARN. */
  findDefinition(reference: string): TaskDefinition | undefined {
    const name = reference.split('/').at(-1) ?? reference;
    const [family = '', revision] = name.split(':');
    return revision === undefined
      ? this.revisionsOf(family).at(-1)
      : this.revisionsOf(family).find((definition) => String(definition.revision) === revision);
  }

  private arn(resource: string): string {
    const { partition, region, account } = this.surroundings;
    return `arn:${partition}:ecs:${region}:${account}:${resource}`;
  }
}
