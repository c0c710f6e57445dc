import * as z from 'zod';
import { ServiceError, type Call, type Operation, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { noTaskDefinition } from './cluster-operations';
import { describeService } from './describe';
import type { DeploymentConfiguration, EcsService } from './model';
import type { Scheduler } from './scheduler';
import type { EcsStore } from './store';

const configurationShape = z.strictObject({
  maximumPercent: z.optional(z.int().min(0)),
  minimumHealthyPercent: z.optional(z.int().min(0)),
  deploymentCircuitBreaker: z.optional(z.strictObject({ enable: z.boolean(), rollback: z.boolean() })),
  strategy: z.optional(z.literal('ROLLING')),
});
const createShape = z.object({
  cluster: z.optional(z.string()),
  serviceName: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/),
  taskDefinition: z.string(),
  desiredCount: z.int().min(0),
  launchType: z.optional(z.literal('FARGATE')),
  schedulingStrategy: z.optional(z.literal('REPLICA')),
  deploymentConfiguration: z.optional(configurationShape),
});
const updateShape = z.object({
  cluster: z.optional(z.string()),
  service: z.string(),
  desiredCount: z.optional(z.int().min(0)),
  taskDefinition: z.optional(z.string()),
  forceNewDeployment: z.optional(z.boolean()),
  deploymentConfiguration: z.optional(configurationShape),
});
const describeShape = z.object({
  cluster: z.optional(z.string()),
  services: z.array(z.string()),
  include: z.optional(z.array(z.literal('TAGS'))),
});
const deleteShape = z.object({
  cluster: z.optional(z.string()),
  service: z.string(),
  force: z.optional(z.boolean()),
});

/** AWS's defaults for a service of the scheduling strategy REPLICA. */
const defaults: DeploymentConfiguration = {
  maximumPercent: 200,
  minimumHealthyPercent: 100,
  circuitBreaker: { enable: false, rollback: false },
};

/** Services: made, changed, looked at, deleted. */
export function serviceOperations(surroundings: Surroundings, store: EcsStore, scheduler: Scheduler) {
  const allow = (call: Call, action: string, arn: string) =>
    surroundings.authorize(call, {
      action: `ecs:${action}`,
      resource: arn,
      conditions: Object.fromEntries(
        [...(store.services.get(arn)?.tags ?? [])].map(([key, value]) => [`aws:ResourceTag/${key}`, value]),
      ),
    });
  /** The service that a request names. Leave is asked first, so that a stranger cannot tell what exists. */
  const named = (call: Call, action: string, cluster: string | undefined, reference: string): EcsService => {
    const clusterArn = store.clusterArn(cluster);
    const arn = store.serviceArn(clusterArn, reference);
    allow(call, action, arn);
    store.assertCluster(clusterArn);
    return store.activeService(arn);
  };

  const createService: Operation = async (input, call) => {
    const request = parseInput('CreateService', createShape, input);
    const clusterArn = store.clusterArn(request.cluster);
    const arn = store.serviceArn(clusterArn, request.serviceName);
    allow(call, 'CreateService', arn);
    store.assertCluster(clusterArn);
    const definition = store.findDefinition(request.taskDefinition);
    if (definition === undefined) throw noTaskDefinition();
    if (store.services.get(arn)?.status === 'ACTIVE')
      throw new ServiceError('InvalidParameterException', 'Creation of service was not idempotent.');
    const service: EcsService = {
      arn,
      name: request.serviceName,
      clusterArn,
      createdAt: surroundings.clock.now(),
      status: 'ACTIVE',
      desiredCount: request.desiredCount,
      configuration: configured(defaults, request.deploymentConfiguration),
      deployments: [],
      tasks: [],
      lastCompleted: undefined,
      tags: new Map(),
    };
    store.services.set(arn, service);
    scheduler.deploy(service, definition);
    return { service: describeService(service, true) };
  };

  const updateService: Operation = async (input, call) => {
    const request = parseInput('UpdateService', updateShape, input);
    const service = named(call, 'UpdateService', request.cluster, request.service);
    const present = service.deployments[0]?.taskDefinition;
    const definition =
      request.taskDefinition === undefined ? present : store.findDefinition(request.taskDefinition);
    if (definition === undefined) throw noTaskDefinition();
    service.configuration = configured(service.configuration, request.deploymentConfiguration);
    service.desiredCount = request.desiredCount ?? service.desiredCount;
    if (request.forceNewDeployment === true || definition !== present) scheduler.deploy(service, definition);
    else scheduler.later(0, service);
    return { service: describeService(service) };
  };

  const describeServices: Operation = async (input, call) => {
    const request = parseInput('DescribeServices', describeShape, input);
    const clusterArn = store.clusterArn(request.cluster);
    const arns = request.services.map((reference) => store.serviceArn(clusterArn, reference));
    for (const arn of arns) allow(call, 'DescribeServices', arn);
    store.assertCluster(clusterArn);
    if (arns.length === 0) throw new ServiceError('InvalidParameterException', 'Services cannot be empty.');
    if (arns.length > 10)
      throw new ServiceError('InvalidParameterException', 'Services may have at most 10 entries.');
    const withTags = request.include?.includes('TAGS') ?? false;
    const found = arns.flatMap((arn) => store.services.get(arn) ?? []);
    return {
      services: found.map((service) => describeService(service, withTags)),
      failures: arns.filter((arn) => !store.services.has(arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    };
  };

  const deleteService: Operation = async (input, call) => {
    const request = parseInput('DeleteService', deleteShape, input);
    const service = named(call, 'DeleteService', request.cluster, request.service);
    if (service.desiredCount > 0 && request.force !== true)
      throw new ServiceError(
        'InvalidParameterException',
        'The service cannot be stopped while it is scaled above 0.',
      );
    service.status = 'INACTIVE';
    service.desiredCount = 0;
    scheduler.later(0, service);
    return { service: describeService(service) };
  };

  return {
    CreateService: createService,
    UpdateService: updateService,
    DescribeServices: describeServices,
    DeleteService: deleteService,
  };
}

function configured(
  before: DeploymentConfiguration,
  request: z.infer<typeof configurationShape> | undefined,
): DeploymentConfiguration {
  return {
    maximumPercent: request?.maximumPercent ?? before.maximumPercent,
    minimumHealthyPercent: request?.minimumHealthyPercent ?? before.minimumHealthyPercent,
    circuitBreaker: request?.deploymentCircuitBreaker ?? before.circuitBreaker,
  };
}
