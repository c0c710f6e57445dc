import { type DescribeServicesCommandOutput, ECSClient } from '@aws-sdk/client-ecs';
import * as z from 'zod';
import type { Adapter, RolledOut } from '../../adapters/adapter';
import { openEcs } from '../../adapters/ecs/adapter';
import { ecsDefinition, type EcsSettings } from '../../adapters/ecs/definition';
import { createContainerService } from '../../local/ecs/ecs-service';
import { VirtualClock } from '../../local/kernel/clock';
import { pass } from '../client/virtual-time';
import type { Counterpart } from './contract';
import { type GrantedWorld, LostAnswers, place, startGrantedWorld } from './granted-world';

/** What of an answer is out of date. */
export type Lag = 'everything' | 'deployments';

const servicesShape = z.object({
  services: z.array(
    z.object({ deployments: z.array(z.object({ id: z.string(), rolloutState: z.string() })) }),
  ),
});

/** How the service is deployed, where a test wants it otherwise. */
export interface EcsOptions {
  readonly desiredCount?: number;
  readonly breaker?: { readonly enable: boolean; readonly rollback: boolean };
}

/** A service of three tasks in the embedded cloud, which runs and is steady; with what a test needs beside it. */
export interface EcsCounterpart extends Counterpart {
  readonly world: GrantedWorld;
  readonly clock: VirtualClock;
  readonly serviceArn: string;
  /** An adapter as `open` makes it, with other settings. */
  openWith(settings: Partial<EcsSettings>): Adapter;
  /** The next answer of DescribeServices is that of the one before: all of it, or all but the tags. */
  lag(what: Lag): void;
  /** From now on the service is shown with a load balancer, which the embedded Amazon ECS does not take. */
  balance(): void;
  /** From now on tasks come up again. */
  repair(): void;
  /** The deployments as the operator sees them, PRIMARY first. */
  deployments(): Promise<readonly { readonly id: string; readonly rolloutState: string }[]>;
  /** Lets ten seconds pass, which is as long as the adapter waits between two looks. */
  passShortly(): Promise<void>;
  /** Begins a roll-out of another service, with the grants for that one. */
  beginElsewhere(serviceArn: string, version: RolledOut): Promise<void>;
}

/** Starts it. Every task comes up until `breakDown`. */
export async function openEcsCounterpart({
  desiredCount = 3,
  breaker = { enable: true, rollback: true },
}: EcsOptions = {}): Promise<EcsCounterpart> {
  const clock = new VirtualClock();
  let comesUp = true;
  const stops: (() => void)[] = [];
  const world = await startGrantedWorld(clock, (surroundings) => {
    const containers = createContainerService(surroundings, { startTask: () => comesUp });
    stops.push(() => containers.stop());
    return [containers];
  });
  const cluster = 'shop';
  const service = 'orders';
  await world.call('ecs', 'CreateCluster', { clusterName: cluster });
  await world.call('ecs', 'RegisterTaskDefinition', {
    family: service,
    containerDefinitions: [
      { name: 'app', image: 'orders:1', secrets: [{ name: 'DB', valueFrom: 'arn:shop/db' }] },
    ],
  });
  await world.call('ecs', 'CreateService', {
    cluster,
    serviceName: service,
    taskDefinition: service,
    desiredCount,
    deploymentConfiguration: { deploymentCircuitBreaker: breaker },
  });
  await pass(clock, 60_000);
  const serviceArn = `arn:aws:ecs:${place.region}:${place.account}:service/${cluster}/${service}`;
  const settings = ecsDefinition.settings.parse({ service: serviceArn });
  const answers = new LostAnswers(new Set(['UpdateServiceCommand']));
  const options = world.grant(ecsDefinition.grants(settings));
  const clients: ECSClient[] = [];
  const describing = new Describing();
  const openWith = (other: Partial<EcsSettings>) => {
    const client = new ECSClient({ ...options, maxAttempts: 1 });
    client.middlewareStack.add(answers.middleware, { step: 'initialize' });
    describing.attach(client);
    clients.push(client);
    return openEcs({ ...settings, ...other }, client, clock);
  };
  return {
    world,
    clock,
    serviceArn,
    secrets: [],
    open: () => openWith({}),
    openWith,
    lag: (what) => describing.lag(what),
    balance: () => describing.balance(),
    repair: () => {
      comesUp = true;
    },
    deployments: async () => {
      const found = await world.call('ecs', 'DescribeServices', { cluster, services: [service] });
      return servicesShape.parse(found).services.flatMap(({ deployments }) => deployments);
    },
    acts: () =>
      world.journal.entries.filter(
        ({ operation, roleArn, errorCode }) =>
          operation === 'UpdateService' && roleArn !== undefined && errorCode === undefined,
      ).length,
    pass: () => pass(clock, 60_000),
    passShortly: () => pass(clock, 10_000),
    breakDown: () => {
      comesUp = false;
    },
    loseAnswer: () => answers.loseNext(),
    beginElsewhere: async (arn, version) => {
      const elsewhere = ecsDefinition.settings.parse({ service: arn });
      const client = new ECSClient({ ...world.grant(ecsDefinition.grants(elsewhere)), maxAttempts: 1 });
      clients.push(client);
      await openEcs(elsewhere, client, clock).begin(version, new AbortController().signal);
    },
    stop: async () => {
      for (const client of clients) client.destroy();
      for (const stop of stops) stop();
      await world.stop();
    },
  };
}

/** Answers of DescribeServices as Amazon ECS may give them: older than what was written meanwhile, or with a load balancer. */
class Describing {
  private last: DescribeServicesCommandOutput | undefined;
  private wanted: Lag | undefined;
  private isBalanced = false;

  lag(what: Lag): void {
    this.wanted = what;
  }

  balance(): void {
    this.isBalanced = true;
  }

  attach(client: ECSClient): void {
    client.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        if (context.commandName !== 'DescribeServicesCommand') return answer;
        const fresh = answer.output as DescribeServicesCommandOutput;
        const output = this.wanted === undefined ? fresh : olderOf(this.last, fresh, this.wanted);
        this.wanted = undefined;
        this.last = output;
        if (!this.isBalanced) return { ...answer, output };
        const loadBalancers = [{ containerName: 'app', containerPort: 80 }];
        const services = output.services?.map((service) => ({ ...service, loadBalancers }));
        return { ...answer, output: { ...output, services } };
      },
      { step: 'initialize' },
    );
  }
}

function olderOf(
  last: DescribeServicesCommandOutput | undefined,
  fresh: DescribeServicesCommandOutput,
  what: Lag,
): DescribeServicesCommandOutput {
  const [service] = last?.services ?? [];
  if (last === undefined || service === undefined) throw new Error('nothing was asked before');
  const tags = (what === 'everything' ? service : fresh.services?.[0])?.tags ?? [];
  return { ...last, services: [{ ...service, tags }] };
}
