import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { EventBridgePort, SecretsManagerPort, SqsPort } from '../../client/ports';
import type { SessionKeys } from '../lambda/ports';

/** What the client works with in place of the clients that it would make for itself. */
export interface ClientPorts {
  readonly secretsManager: SecretsManagerPort;
  readonly eventBridge: EventBridgePort;
  readonly sqs: SqsPort;
  destroy(): void;
}

/**
 * SDK clients for one application: an embedded cloud's endpoint and region, and keys of its own. `busRegion`: the region that
 * it puts its acknowledgements in, where that is another.
 */
export function clientPorts(
  config: { readonly endpoint: string; readonly region: string; readonly credentials: SessionKeys },
  busRegion = config.region,
): ClientPorts {
  const secretsManager = new SecretsManagerClient(config);
  const eventBridge = new EventBridgeClient({ ...config, region: busRegion });
  const sqs = new SQSClient(config);
  return {
    secretsManager: {
      getSecretValue: (input, options) => secretsManager.send(new GetSecretValueCommand(input), options),
    },
    eventBridge: { putEvents: (input, options) => eventBridge.send(new PutEventsCommand(input), options) },
    sqs: {
      receiveMessage: (input, options) => sqs.send(new ReceiveMessageCommand(input), options),
      deleteMessage: (input) => sqs.send(new DeleteMessageCommand(input)),
      changeMessageVisibility: (input) => sqs.send(new ChangeMessageVisibilityCommand(input)),
    },
    destroy: () => [secretsManager, eventBridge, sqs].forEach((client) => client.destroy()),
  };
}
