import * as z from 'zod';
import { ServiceError, type Operation, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { TaskDefinition } from './model';
import type { EcsStore } from './store';

const createClusterShape = z.object({ clusterName: z.optional(z.string().regex(/^[A-Za-z0-9_-]{1,255}$/)) });

const registerShape = z.object({
  family: z.string().regex(/^[A-Za-z0-9_-]{1,255}$/),
  containerDefinitions: z
    .array(
      z.strictObject({
        name: z.string(),
        image: z.string(),
        memory: z.optional(z.int()),
        essential: z.optional(z.boolean()),
        secrets: z.optional(z.array(z.strictObject({ name: z.string(), valueFrom: z.string() }))),
      }),
    )
    .min(1),
});

/** What services stand on: clusters, and task definitions. */
export function clusterOperations(surroundings: Surroundings, store: EcsStore) {
  const { account, authorize, partition, region } = surroundings;

  const createCluster: Operation = async (input, call) => {
    const { clusterName = 'default' } = parseInput('CreateCluster', createClusterShape, input);
    const arn = store.clusterArn(clusterName);
    authorize(call, { action: 'ecs:CreateCluster', resource: arn });
    // A repeat finds what is there, as on AWS.
    store.clusters.add(arn);
    return { cluster: { clusterArn: arn, clusterName, status: 'ACTIVE' } };
  };

  const registerTaskDefinition: Operation = async (input, call) => {
    const { family, containerDefinitions } = parseInput('RegisterTaskDefinition', registerShape, input);
    authorize(call, { action: 'ecs:RegisterTaskDefinition', resource: '*' });
    const revision = store.revisionsOf(family).length + 1;
    const definition: TaskDefinition = {
      arn: `arn:${partition}:ecs:${region}:${account}:task-definition/${family}:${revision}`,
      family,
      revision,
      containers: containerDefinitions.map(({ name, image, secrets = [] }) => ({ name, image, secrets })),
    };
    store.definitions.push(definition);
    return {
      taskDefinition: {
        taskDefinitionArn: definition.arn,
        family,
        revision,
        status: 'ACTIVE',
        containerDefinitions,
      },
    };
  };

  return { CreateCluster: createCluster, RegisterTaskDefinition: registerTaskDefinition };
}

/** AWS's answer to a task definition that is not there. */
export function noTaskDefinition(): ServiceError {
  return new ServiceError('ClientException', 'TaskDefinition not found.');
}
