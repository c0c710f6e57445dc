/** What every call to AWS takes beside its input. */
export interface CallOptions {
  readonly abortSignal?: AbortSignal;
}

/** What the client needs of Secrets Manager; the SDK's `SecretsManager` satisfies it. */
export interface SecretsManagerPort {
  getSecretValue(
    input: { readonly SecretId: string; readonly VersionStage: string },
    options?: CallOptions,
  ): Promise<{
    readonly ARN?: string | undefined;
    readonly Name?: string | undefined;
    readonly VersionId?: string | undefined;
    readonly SecretString?: string | undefined;
  }>;
}

/** One event as PutEvents takes it. */
export interface EventEntry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
}

/** What the client needs of EventBridge; the SDK's `EventBridge` satisfies it. */
export interface EventBridgePort {
  putEvents(
    input: { readonly Entries: EventEntry[] },
    options?: CallOptions,
  ): Promise<{
    readonly FailedEntryCount?: number | undefined;
    readonly Entries?: readonly { readonly ErrorCode?: string | undefined }[] | undefined;
  }>;
}

/** One message as ReceiveMessage hands it out. */
export interface QueueMessage {
  readonly MessageId?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
  readonly Body?: string | undefined;
}

/** What the queue listener needs of SQS; the SDK's `SQS` satisfies it. */
export interface SqsPort {
  receiveMessage(
    input: {
      readonly QueueUrl: string;
      readonly MaxNumberOfMessages: number;
      readonly WaitTimeSeconds: number;
      readonly VisibilityTimeout: number;
    },
    options?: CallOptions,
  ): Promise<{ readonly Messages?: readonly QueueMessage[] | undefined }>;
  deleteMessage(input: { readonly QueueUrl: string; readonly ReceiptHandle: string }): Promise<unknown>;
  changeMessageVisibility(input: {
    readonly QueueUrl: string;
    readonly ReceiptHandle: string;
    readonly VisibilityTimeout: number;
  }): Promise<unknown>;
}

/**
 * Secrets Manager through the SDK, which is loaded with the first call; in the region of the secret, where its ARN says
 * which. Credentials are the SDK's own.
 */
export function defaultSecretsManager(secretId?: string): SecretsManagerPort {
  const loaded = once(async () => {
    const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
    return { client: new SecretsManagerClient(regionOf(secretId)), GetSecretValueCommand };
  });
  return {
    getSecretValue: async (input, options) => {
      const { client, GetSecretValueCommand } = await loaded();
      return client.send(new GetSecretValueCommand(input), options);
    },
  };
}

/** EventBridge through the SDK, which is loaded with the first call; in the region of the bus, where its ARN says which. */
export function defaultEventBridge(busName?: string): EventBridgePort {
  const loaded = once(async () => {
    const { EventBridgeClient, PutEventsCommand } = await import('@aws-sdk/client-eventbridge');
    return { client: new EventBridgeClient(regionOf(busName)), PutEventsCommand };
  });
  return {
    putEvents: async (input, options) => {
      const { client, PutEventsCommand } = await loaded();
      return client.send(new PutEventsCommand(input), options);
    },
  };
}

/** SQS through the SDK, which is loaded with the first call, so that consumers without a queue need not install it. */
export function defaultSqs(): SqsPort {
  const loaded = once(async () => {
    const sqs = await import('@aws-sdk/client-sqs');
    return { sqs, client: new sqs.SQSClient() };
  });
  return {
    receiveMessage: async (input, options) => {
      const { sqs, client } = await loaded();
      return client.send(new sqs.ReceiveMessageCommand(input), options);
    },
    deleteMessage: async (input) => {
      const { sqs, client } = await loaded();
      return client.send(new sqs.DeleteMessageCommand(input));
    },
    changeMessageVisibility: async (input) => {
      const { sqs, client } = await loaded();
      return client.send(new sqs.ChangeMessageVisibilityCommand(input));
    },
  };
}

/** The region of an ARN: the SDK does not look there, and asks its own region, which knows nothing of that resource. */
function regionOf(id: string | undefined): { readonly region?: string } {
  const region = /^arn:[^:]+:[^:]+:([^:]+):/.exec(id ?? '')?.[1];
  return region === undefined ? {} : { region };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
