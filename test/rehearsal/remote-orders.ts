import { listenOnQueue, RefreshResponder, RotatingSecret, type SecretMembers } from '../../client';
import type { Cloud } from '../../local/cloud';
import { clientPorts } from '../../local/rehearsal/client-ports';

/** Where the application `orders` runs, and what it works with. */
export interface RemoteOrders {
  /** The cloud of its own account and region. */
  readonly cloud: Cloud;
  readonly secretId: string;
  readonly queueUrl: string;
  readonly roleArn: string;
  readonly rotorBusArn: string;
  /** Region that it puts its acknowledgements in. */
  readonly busRegion: string;
  readonly prove?: (value: SecretMembers) => Promise<void>;
}

/** Starts the application: the client with the account's own endpoint and its own role. Answers what stops it. */
export function startRemoteOrders(orders: RemoteOrders): () => Promise<void> {
  const { cloud, secretId, queueUrl, roleArn, rotorBusArn, busRegion, prove } = orders;
  const credentials = cloud.assume(roleArn, 'ecs-tasks.amazonaws.com', 'orders');
  const ports = clientPorts({ endpoint: cloud.endpoint, region: cloud.region, credentials }, busRegion);
  const secret = RotatingSecret.json({
    secretId,
    maxAgeSeconds: 1,
    secretsManager: ports.secretsManager,
    ...(prove === undefined ? {} : { prove }),
  });
  const listener = listenOnQueue({
    queueUrl,
    waitSeconds: 1,
    responder: new RefreshResponder({
      consumer: 'orders',
      secret,
      instances: 'one',
      busName: rotorBusArn,
      eventBridge: ports.eventBridge,
    }),
    sqs: ports.sqs,
  });
  return async () => {
    await listener.stop();
    ports.destroy();
  };
}
