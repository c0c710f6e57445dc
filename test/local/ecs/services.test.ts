import * as z from 'zod';
import { createContainerService } from '../../../local/ecs/ecs-service';
import type { StartingTask } from '../../../local/ecs/model';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Access, type Call, type Surroundings } from '../../../local/kernel/service';
import { pass } from '../../client/virtual-time';

const operator: Call = {
  principal: { kind: 'operator', arn: 'arn:aws:iam::111122223333:root', account: '111122223333' },
  requestId: 'r',
  userAgent: 'u',
  conditions: {},
};
const deploymentShape = z.object({
  id: z.string(),
  status: z.string(),
  rolloutState: z.string(),
  rolloutStateReason: z.string(),
  runningCount: z.number(),
  failedTasks: z.number(),
});
const servicesShape = z.object({
  services: z.array(
    z.object({ status: z.string(), runningCount: z.number(), deployments: z.array(deploymentShape) }),
  ),
});

/** One service in a cluster, whose tasks come up as `comesUp` says. */
async function createWorld(desiredCount = 2, breaker = { enable: true, rollback: true }) {
  const clock = new VirtualClock();
  const asked: Access[] = [];
  const started: StartingTask[] = [];
  const state = { comesUp: true };
  const surroundings: Surroundings = {
    account: '111122223333',
    region: 'us-east-1',
    partition: 'aws',
    clock,
    authorize: (_call, access) => asked.push(access),
    callService: () => Promise.reject(new Error('this world has one service')),
  };
  const ecs = createContainerService(surroundings, {
    startTask: (task) => {
      started.push(task);
      return state.comesUp;
    },
  });
  const run = async (operation: string, input: object): Promise<object> => {
    const found = ecs.operations[operation];
    if (found === undefined) throw new Error(`no operation ${operation}`);
    return found({ ...input }, operator);
  };
  const describeOne = async () => {
    const input = { cluster: 'shop', services: ['orders'] };
    const [service] = servicesShape.parse(await run('DescribeServices', input)).services;
    if (service === undefined) throw new Error('no service');
    return service;
  };
  await run('CreateCluster', { clusterName: 'shop' });
  const containerDefinitions = [{ name: 'app', image: 'orders:1' }];
  await run('RegisterTaskDefinition', { family: 'orders', containerDefinitions });
  await run('CreateService', {
    cluster: 'shop',
    serviceName: 'orders',
    taskDefinition: 'orders',
    desiredCount,
    deploymentConfiguration: { deploymentCircuitBreaker: breaker },
  });
  const update = (input: object) => run('UpdateService', { cluster: 'shop', service: 'orders', ...input });
  return { clock, asked, started, state, run, update, describeOne, stop: () => ecs.stop() };
}

let world: Awaited<ReturnType<typeof createWorld>>;
afterEach(() => world.stop());

async function failure(promise: Promise<object>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof ServiceError ? `${error.code}: ${error.message}` : String(error)),
  );
}

test('a forced deployment replaces every task, and never has fewer than the minimum', async () => {
  world = await createWorld();
  await pass(world.clock, 60_000);
  const [before] = (await world.describeOne()).deployments;
  await world.update({ forceNewDeployment: true });
  let least = Infinity;
  for (let looks = 0; looks < 30; looks++) {
    least = Math.min(least, (await world.describeOne()).runningCount);
    await pass(world.clock, 5_000);
  }
  const after = await world.describeOne();
  expect(least).toBe(2);
  expect(after.deployments).toMatchObject([
    { status: 'PRIMARY', rolloutState: 'COMPLETED', runningCount: 2 },
  ]);
  expect(after.deployments[0]?.id).not.toBe(before?.id);
  expect(world.started).toHaveLength(4);
});

test('nothing happens at once: a new deployment is in progress, beside the one before', async () => {
  world = await createWorld();
  await pass(world.clock, 60_000);
  await world.update({ forceNewDeployment: true });
  expect((await world.describeOne()).deployments).toMatchObject([
    { status: 'PRIMARY', rolloutState: 'IN_PROGRESS', runningCount: 0 },
    { status: 'ACTIVE', rolloutState: 'COMPLETED', runningCount: 2 },
  ]);
});

test('the circuit breaker fails a deployment after three tasks, and rolls back under a new id', async () => {
  world = await createWorld(1);
  await pass(world.clock, 60_000);
  const [good] = (await world.describeOne()).deployments;
  world.state.comesUp = false;
  await world.update({ forceNewDeployment: true });
  for (let looks = 0; looks < 300; looks++) {
    const { deployments } = await world.describeOne();
    if (deployments.some(({ rolloutState }) => rolloutState === 'FAILED')) break;
    await pass(world.clock, 1_000);
  }
  const { deployments, runningCount } = await world.describeOne();
  expect(runningCount).toBe(1);
  expect(deployments).toMatchObject([
    {
      status: 'PRIMARY',
      rolloutState: 'IN_PROGRESS',
      rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${good?.id ?? ''}.`,
    },
    {
      rolloutState: 'FAILED',
      rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
      failedTasks: 3,
    },
  ]);
  expect(deployments[0]?.id).not.toBe(good?.id);
  await pass(world.clock, 120_000);
  expect((await world.describeOne()).deployments).toMatchObject([{ rolloutState: 'COMPLETED' }]);
});

test('without rollback the failed deployment stays PRIMARY, and starts no more tasks', async () => {
  world = await createWorld(1, { enable: true, rollback: false });
  await pass(world.clock, 60_000);
  world.state.comesUp = false;
  await world.update({ forceNewDeployment: true });
  await pass(world.clock, 600_000);
  const tried = world.started.length;
  await pass(world.clock, 3_600_000);
  expect(world.started).toHaveLength(tried);
  expect((await world.describeOne()).deployments[0]).toMatchObject({
    status: 'PRIMARY',
    rolloutState: 'FAILED',
  });
});

test('another desired count is no new deployment', async () => {
  world = await createWorld(1);
  await pass(world.clock, 60_000);
  await world.update({ desiredCount: 3 });
  await pass(world.clock, 60_000);
  const service = await world.describeOne();
  expect(service).toMatchObject({ runningCount: 3 });
  expect(service.deployments).toHaveLength(1);
});

test('errors are those of AWS', async () => {
  world = await createWorld();
  const { run } = world;
  expect(await failure(run('UpdateService', { cluster: 'shpo', service: 'orders' }))).toBe(
    'ClusterNotFoundException: Cluster not found.',
  );
  expect(await failure(run('UpdateService', { cluster: 'shop', service: 'ordres' }))).toBe(
    'ServiceNotFoundException: Service not found.',
  );
  expect(await run('DescribeServices', { cluster: 'shop', services: ['ordres'] })).toEqual({
    services: [],
    failures: [{ arn: 'arn:aws:ecs:us-east-1:111122223333:service/shop/ordres', reason: 'MISSING' }],
  });
  expect(await failure(run('DeleteService', { cluster: 'shop', service: 'orders' }))).toContain(
    'InvalidParameterException: The service cannot be stopped while it is scaled above 0.',
  );
  await run('DeleteService', { cluster: 'shop', service: 'orders', force: true });
  expect(await failure(world.update({ forceNewDeployment: true }))).toBe(
    'ServiceNotActiveException: Service was not ACTIVE.',
  );
});

test('what is not implemented is refused by name', async () => {
  world = await createWorld();
  expect(await failure(world.update({ capacityProviderStrategy: [] }))).toBe(
    'UnsupportedParameter: The embedded cloud does not implement UpdateService with capacityProviderStrategy.',
  );
});

test('leave is asked for each action on the service, with its tags', async () => {
  world = await createWorld();
  const resourceArn = 'arn:aws:ecs:us-east-1:111122223333:service/shop/orders';
  await world.run('TagResource', { resourceArn, tags: [{ key: 'team', value: 'shop' }] });
  await world.update({ forceNewDeployment: true });
  expect(world.asked.slice(-2)).toEqual([
    {
      action: 'ecs:TagResource',
      resource: resourceArn,
      conditions: { 'aws:TagKeys': ['team'], 'aws:RequestTag/team': 'shop' },
    },
    { action: 'ecs:UpdateService', resource: resourceArn, conditions: { 'aws:ResourceTag/team': 'shop' } },
  ]);
  expect(await world.run('ListTagsForResource', { resourceArn })).toEqual({
    tags: [{ key: 'team', value: 'shop' }],
  });
});
