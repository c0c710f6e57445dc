import type { Construct } from 'constructs';
import type { SettingsInput } from '../adapters/definitions';
import { type AdaptedConsumerProps, AdapterConsumer } from './adapter-consumer';

/** An ECS service that takes part in rotations without knowing of them. */
export interface EcsServiceConsumerProps extends AdaptedConsumerProps, Omit<SettingsInput<'ecs'>, 'service'> {
  /** Any service of CDK's. Its ARN has to hold its cluster, as those of services since 2021 do. */
  readonly service: { readonly serviceArn: string };
}

/** Enrols an Amazon ECS service: its tasks are replaced when the secret has a new version. */
export class EcsServiceConsumer extends AdapterConsumer<'ecs'> {
  constructor(
    scope: Construct,
    id: string,
    { service, failedTasks, settleSeconds, ...props }: EcsServiceConsumerProps,
  ) {
    super(scope, id, {
      ...props,
      adapter: 'ecs',
      settings: {
        service: service.serviceArn,
        ...(failedTasks === undefined ? {} : { failedTasks }),
        ...(settleSeconds === undefined ? {} : { settleSeconds }),
      },
    });
  }
}
