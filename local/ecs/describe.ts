import type { Deployment, EcsService } from './model';

/** A service as CreateService, UpdateService and DescribeServices show it; tags only where they are asked for. */
export function describeService(service: EcsService, withTags = false): object {
  const { configuration, deployments, tasks } = service;
  const [primary] = deployments;
  const { circuitBreaker, maximumPercent, minimumHealthyPercent } = configuration;
  return {
    serviceArn: service.arn,
    serviceName: service.name,
    clusterArn: service.clusterArn,
    status: service.status,
    desiredCount: service.desiredCount,
    runningCount: tasks.filter(({ state }) => state === 'RUNNING').length,
    pendingCount: tasks.filter(({ state }) => state === 'PENDING').length,
    launchType: 'FARGATE',
    taskDefinition: primary?.taskDefinition.arn,
    deploymentConfiguration: {
      deploymentCircuitBreaker: circuitBreaker,
      maximumPercent,
      minimumHealthyPercent,
      strategy: 'ROLLING',
    },
    deploymentController: { type: 'ECS' },
    deployments: deployments.map((deployment) => describeDeployment(service, deployment)),
    events: [],
    createdAt: new Date(service.createdAt),
    schedulingStrategy: 'REPLICA',
    ...(withTags ? { tags: [...service.tags].map(([key, value]) => ({ key, value })) } : {}),
  };
}

function describeDeployment(service: EcsService, deployment: Deployment): object {
  const isPrimary = deployment === service.deployments[0];
  const tasks = service.tasks.filter((task) => task.deployment === deployment);
  return {
    id: deployment.id,
    status: isPrimary ? 'PRIMARY' : 'ACTIVE',
    taskDefinition: deployment.taskDefinition.arn,
    desiredCount: isPrimary ? service.desiredCount : 0,
    pendingCount: tasks.filter(({ state }) => state === 'PENDING').length,
    runningCount: tasks.filter(({ state }) => state === 'RUNNING').length,
    failedTasks: deployment.failedTasks,
    createdAt: new Date(deployment.createdAt),
    updatedAt: new Date(deployment.updatedAt),
    launchType: 'FARGATE',
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}
