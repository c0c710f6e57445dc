import type { Deployment, Service } from '@aws-sdk/client-ecs';
import { SettingsInvalid } from '../errors';
import { DeploymentUnsupported, ServiceInactive, ServiceMissing } from './errors';

/** A service by what its ARN says. */
export interface ServiceAddress {
  readonly arn: string;
  readonly cluster: string;
  readonly name: string;
}

/**
 * Reads the ARN of a service. SettingsInvalid for one without a cluster in it: services of before 2021 may have such, and
 * Amazon ECS cannot tag them (AWS: Amazon ECS, "Amazon Resource Names and IDs").
 */
export function addressOf(arn: string): ServiceAddress {
  const [, cluster, name] = /^arn:[^:]+:ecs:[^:]+:\d{12}:service\/([^/]+)\/([^/]+)$/.exec(arn) ?? [];
  if (cluster === undefined || name === undefined)
    throw new SettingsInvalid('field service: must be the ARN of a service with its cluster in it');
  return { arn, cluster, name };
}

/** A service as far as a roll-out of it is concerned. */
export interface DescribedService {
  readonly tags: Readonly<Record<string, string>>;
  /** How many tasks it shall have, and how many there are, of all deployments. */
  readonly desiredCount: number;
  readonly runningCount: number;
  readonly pendingCount: number;
  /** Whether a load balancer sends requests to its tasks, which it goes on doing for a while when they shall stop. */
  readonly isBalanced: boolean;
  readonly primary: Deployment;
  readonly others: readonly Deployment[];
}

/** Takes what roll-outs need from DescribeServices; throws by name for services that cannot be rolled out. */
export function readService(service: Service | undefined, { name }: ServiceAddress): DescribedService {
  if (service === undefined) throw new ServiceMissing(`the cluster has no service ${name}`);
  if (service.status !== 'ACTIVE')
    throw new ServiceInactive(`service ${name} is ${service.status ?? 'in no state'}`);
  const controller = service.deploymentController?.type ?? 'ECS';
  if (controller !== 'ECS')
    throw new DeploymentUnsupported(`service ${name} is deployed by ${controller}, not by Amazon ECS itself`);
  const strategy = service.deploymentConfiguration?.strategy ?? 'ROLLING';
  if (strategy !== 'ROLLING')
    throw new DeploymentUnsupported(`service ${name} has the deployment strategy ${strategy}, not ROLLING`);
  const { deployments = [], tags = [] } = service;
  const primary = deployments.find(({ status }) => status === 'PRIMARY');
  if (primary === undefined) throw new ServiceInactive(`service ${name} has no deployment`);
  return {
    tags: Object.fromEntries(tags.map(({ key = '', value = '' }) => [key, value])),
    desiredCount: service.desiredCount ?? 0,
    runningCount: service.runningCount ?? 0,
    pendingCount: service.pendingCount ?? 0,
    isBalanced: (service.loadBalancers ?? []).length > 0,
    primary,
    others: deployments.filter((deployment) => deployment !== primary),
  };
}
