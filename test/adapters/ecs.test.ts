import type { Progress } from '../../adapters/adapter';
import { SettingsInvalid } from '../../adapters/errors';
import { openEcs } from '../../adapters/ecs/adapter';
import { adapterContract, rolledOut } from './contract';
import { type EcsCounterpart, type EcsOptions, openEcsCounterpart } from './ecs-counterpart';

adapterContract('ecs', () => openEcsCounterpart());

const version = rolledOut('11111111-1111-4111-8111-111111111111');
const other = { ...version, secret: { ...version.secret, arn: `${version.secret.arn}2` } };
const signal = () => new AbortController().signal;

describe('the adapter for ECS services', () => {
  let counterpart: EcsCounterpart | undefined;
  const open = async (options?: EcsOptions) => (counterpart = await openEcsCounterpart(options));
  afterEach(() => counterpart?.stop());

  async function end(service: EcsCounterpart, of = version): Promise<Progress> {
    for (let passes = 0; passes < 200; passes++) {
      const progress = await service.open().look(of, signal());
      if (progress.state !== 'working') return progress;
      await service.passShortly();
    }
    throw new Error('the roll-out has no end');
  }

  test('what the circuit breaker has stopped is refused with its reason, while it rolls back', async () => {
    const service = await open();
    await service.breakDown();
    await service.open().begin(version, signal());
    expect(await end(service)).toEqual({
      state: 'refused',
      reason: 'DeploymentFailed: ECS deployment circuit breaker: tasks failed to start.',
    });
  });

  test('a service that has been rolled back is not taken for one that runs on the new version', async () => {
    const service = await open();
    await service.breakDown();
    await service.open().begin(version, signal());
    // Nobody looks until the failed deployment is forgotten, and the one in its place is complete.
    for (let passes = 0; passes < 10; passes++) await service.pass();
    const progress = await service.open().look(version, signal());
    expect(progress).toMatchObject({ state: 'refused' });
    expect(JSON.stringify(progress)).toContain('DeploymentReplaced: deployment ecs-svc/');
  });

  test('the same holds when the id of the deployment was lost to a crash', async () => {
    const service = await open();
    await service.breakDown();
    service.loseAnswer();
    await expect(service.open().begin(version, signal())).rejects.toThrow();
    await service.pass();
    await service.pass();
    await service.open().begin(version, signal());
    expect(await end(service)).toMatchObject({ state: 'refused' });
  });

  test('without a circuit breaker tasks that fail again and again are a refusal', async () => {
    const service = await open({ desiredCount: 1, breaker: { enable: false, rollback: false } });
    await service.breakDown();
    await service.open().begin(version, signal());
    const progress = await end(service);
    expect(JSON.stringify(progress)).toContain('TasksFail: 5 tasks of deployment ecs-svc/');
  });

  test('a service that shall have no tasks is done, and gets the version when it is scaled up', async () => {
    const service = await open({ desiredCount: 0 });
    await service.open().begin(version, signal());
    expect(await end(service)).toEqual({ state: 'done' });
  });

  test('a service of several secrets remembers the roll-out of each', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    await end(service);
    await service.open().begin(other, signal());
    await service.open().begin(version, signal());
    expect(await service.acts()).toBe(2);
  });

  test('two secrets that are rotated at the same time do not refuse each other', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    await service.passShortly();
    await service.open().begin(other, signal());
    expect(await service.acts()).toBe(2);
    expect(await end(service)).toEqual({ state: 'done' });
    expect(await end(service, other)).toEqual({ state: 'done' });
  });

  test('the later one of two secrets is followed before its id is written, and is refused for both', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    await service.passShortly();
    service.loseAnswer();
    await expect(service.open().begin(other, signal())).rejects.toThrow();
    await service.passShortly();
    // None of its tasks ran, so the first deployment is not shown any more.
    expect(await service.deployments()).toHaveLength(2);
    expect(await service.open().look(version, signal())).toEqual({ state: 'working' });
    await service.breakDown();
    await service.open().begin(other, signal());
    expect(await service.acts()).toBe(2);
    expect(await end(service)).toMatchObject({ state: 'refused' });
    expect(await end(service, other)).toMatchObject({ state: 'refused' });
  });

  test('a deployment of the team that takes the place of the roll-out is a refusal', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    await service.world.call('ecs', 'UpdateService', {
      cluster: 'shop',
      service: 'orders',
      forceNewDeployment: true,
    });
    expect(JSON.stringify(await end(service))).toContain('DeploymentReplaced: deployment ecs-svc/');
  });

  test('after a refusal it is deployed once more when it is asked again, and once only', async () => {
    const service = await open();
    await service.breakDown();
    await service.open().begin(version, signal());
    expect(await end(service)).toMatchObject({ state: 'refused' });
    service.repair();
    await service.open().begin(version, signal());
    await service.open().begin(version, signal());
    expect(await end(service)).toEqual({ state: 'done' });
    expect(await service.acts()).toBe(2);
  });

  test('the deployment after a refusal is found again when its id was lost, beside the one that failed', async () => {
    const service = await open();
    await service.breakDown();
    await service.open().begin(version, signal());
    expect(await end(service)).toMatchObject({ state: 'refused' });
    service.repair();
    service.loseAnswer();
    await expect(service.open().begin(version, signal())).rejects.toThrow();
    expect((await service.deployments()).map(({ rolloutState }) => rolloutState)).toContain('FAILED');
    await service.open().begin(version, signal());
    expect(await service.acts()).toBe(2);
    expect(await end(service)).toEqual({ state: 'done' });
  });

  test('an answer from before the deployment is no refusal, and no reason to deploy again', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    service.lag('deployments');
    expect(await service.open().look(version, signal())).toEqual({ state: 'working' });
    service.lag('deployments');
    await service.open().begin(version, signal());
    expect(await service.acts()).toBe(1);
    expect(await end(service)).toEqual({ state: 'done' });
  });

  test('the roll-out of another secret from another day is not taken for this one', async () => {
    const service = await open();
    await service.open().begin(other, signal());
    expect(await end(service, other)).toEqual({ state: 'done' });
    await service.pass();
    await service.open().begin(version, signal());
    service.lag('deployments');
    expect(await service.open().look(version, signal())).toEqual({ state: 'working' });
  });

  test('an answer that stays from before is a refusal after two minutes', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    for (let passes = 0; passes < 12; passes++) await service.passShortly();
    service.lag('deployments');
    expect(await service.open().look(version, signal())).toMatchObject({ state: 'refused' });
  });

  test('after a new deployment the refusal of the one before is not read again', async () => {
    const service = await open();
    await service.breakDown();
    await service.open().begin(version, signal());
    expect(await end(service)).toMatchObject({ state: 'refused' });
    service.repair();
    const adapter = service.open();
    await adapter.begin(version, signal());
    service.lag('everything');
    expect(await adapter.look(version, signal())).toEqual({ state: 'working' });
  });

  test.each([
    ['alone', 60],
    ['behind a load balancer', 360],
  ])('tasks from before that stand %s have %i seconds to stop', async (where, seconds) => {
    const service = await open();
    if (where !== 'alone') service.balance();
    await service.open().begin(version, signal());
    let completeSeconds = 0;
    for (;;) {
      const { state } = await service.open().look(version, signal());
      if (state === 'done') break;
      const deployments = await service.deployments();
      if (deployments.length === 1 && deployments[0]?.rolloutState === 'COMPLETED') completeSeconds += 10;
      await service.passShortly();
    }
    expect(completeSeconds).toBe(seconds);
  });

  test('how long that is, is a setting', async () => {
    const service = await open();
    await service.open().begin(version, signal());
    for (let passes = 0; passes < 5; passes++) await service.pass();
    const look = (settleSeconds: number) => service.openWith({ settleSeconds }).look(version, signal());
    expect(await look(600)).toEqual({ state: 'working' });
    expect(await look(30)).toEqual({ state: 'done' });
  });

  test('a service that is gone, deleted or in no cluster is named in a permanent error', async () => {
    const service = await open();
    const begin = (arn: string) => service.beginElsewhere(arn, version);
    await expect(begin(service.serviceArn.replace('orders', 'ordres'))).rejects.toMatchObject({
      name: 'ServiceMissing',
      permanent: true,
    });
    await expect(begin(service.serviceArn.replace('shop', 'shpo'))).rejects.toMatchObject({
      name: 'ClusterNotFoundException',
    });
    await service.world.call('ecs', 'DeleteService', { cluster: 'shop', service: 'orders', force: true });
    await expect(begin(service.serviceArn)).rejects.toMatchObject({ name: 'ServiceInactive' });
  });

  test('an ARN without a cluster is refused before anything is called', () => {
    const settings = { service: 'arn:aws:ecs:us-east-1:111122223333:service/orders', failedTasks: 5 };
    expect(() => openEcs(settings)).toThrow(SettingsInvalid);
  });
});
