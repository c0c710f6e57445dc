import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from './clock';
import type { EventBridgePort, SecretsManagerPort } from './ports';

/** An acknowledgement as the orchestrator got it. */
export interface Acknowledged {
  readonly consumer: string;
  readonly versionId: string;
  readonly taskToken: string;
  readonly outcome: 'loaded' | 'refused' | 'working';
  readonly reason?: string;
}

/** Whatever takes a request: `(event) => responder.handleRefreshRequest(event)`, or a Lambda handler. */
export type TakesRequests = (event: unknown) => Promise<unknown>;

/**
 * A secret in memory for an application's own tests; pass it to `RotatingSecret` as `secretsManager`.
 *
 * Labels and answers are those of Secrets Manager: what a label does not name is a ResourceNotFoundException.
 */
export class FakeSecret implements SecretsManagerPort {
  readonly arn: string;
  /** Set to make every read fail with an error of this name, such as InternalServiceError. */
  failure: string | undefined;
  /** Out of reach of inspection, as a secret's values are. */
  readonly #values = new Map<string, string>();
  private readonly labels = new Map<string, string>();

  constructor(readonly name = 'test/secret') {
    this.arn = `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`;
  }

  /** Stores a new version, under AWSCURRENT unless another label is named; answers its id. An object becomes JSON. */
  put(value: unknown, label: 'AWSCURRENT' | 'AWSPENDING' = 'AWSCURRENT'): string {
    const versionId = randomUUID();
    this.#values.set(versionId, typeof value === 'string' ? value : JSON.stringify(value));
    this.move(label, versionId);
    return versionId;
  }

  /** Puts a label on a version, or takes it off altogether. */
  move(label: 'AWSCURRENT' | 'AWSPENDING', versionId: string | undefined): void {
    if (versionId === undefined) this.labels.delete(label);
    else this.labels.set(label, versionId);
  }

  /** The version that a label names. */
  versionId(label: 'AWSCURRENT' | 'AWSPENDING' = 'AWSCURRENT'): string | undefined {
    return this.labels.get(label);
  }

  async getSecretValue({
    VersionStage: label,
  }: {
    readonly SecretId: string;
    readonly VersionStage: string;
  }): ReturnType<SecretsManagerPort['getSecretValue']> {
    await Promise.resolve();
    if (this.failure !== undefined) throw named(this.failure, 'Secrets Manager does not answer');
    const versionId = this.labels.get(label);
    const text = versionId === undefined ? undefined : this.#values.get(versionId);
    if (versionId === undefined || text === undefined)
      throw named('ResourceNotFoundException', `nothing has the label ${label}`);
    return { ARN: this.arn, Name: this.name, VersionId: versionId, SecretString: text };
  }
}

/**
 * Rotor, as far as an application meets it, for that application's own tests; pass it to `RefreshResponder` as
 * `eventBridge`. It asks, and keeps what is answered.
 */
export class FakeOrchestrator implements EventBridgePort {
  /** Everything that was acknowledged, in order. */
  readonly acknowledgements: Acknowledged[] = [];
  /** Set to make PutEvents fail with an error of this name. */
  failure: string | undefined;
  private readonly tokens = new Set<string>();

  constructor(
    private readonly secret: FakeSecret,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * A `Secret Refresh Requested` event as EventBridge delivers it, about what AWSCURRENT names. Hand it in twice for a
   * second delivery; make another one for a reminder.
   */
  request(
    consumer: string,
    options: { readonly deadlineSeconds?: number; readonly isAwaited?: boolean } = {},
  ): object {
    const { deadlineSeconds = 900, isAwaited = true } = options;
    const taskToken = isAwaited ? randomUUID() : null;
    if (taskToken !== null) this.tokens.add(taskToken);
    const now = this.clock.now();
    const time = new Date(now).toISOString();
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': 'Secret Refresh Requested',
      source: 'rotor',
      account: '111122223333',
      time,
      region: 'eu-central-1',
      resources: [],
      detail: {
        schemaVersion: '1',
        rotationId: this.secret.versionId() ?? '',
        secret: { arn: this.secret.arn, name: this.secret.name },
        versionId: this.secret.versionId() ?? '',
        previousVersionId: 'before',
        time,
        consumer,
        phase: 'load',
        wave: 1,
        deadline: isAwaited ? new Date(now + deadlineSeconds * 1_000).toISOString() : null,
        taskToken,
      },
    };
  }

  /** Asks a consumer, waits until it has taken the request, and answers what it has acknowledged meanwhile. */
  async ask(consumer: string, handle: TakesRequests): Promise<readonly Acknowledged[]> {
    const since = this.acknowledgements.length;
    await handle(this.request(consumer));
    return this.acknowledgements.slice(since).filter((answer) => answer.consumer === consumer);
  }

  /** Takes what the client puts. What Rotor would drop without a word is an error here: a test has to hear of it. */
  async putEvents({
    Entries: entries,
  }: Parameters<EventBridgePort['putEvents']>[0]): ReturnType<EventBridgePort['putEvents']> {
    await Promise.resolve();
    if (this.failure !== undefined) throw named(this.failure, 'EventBridge does not answer');
    for (const { Source: source, DetailType: type, Detail: detail } of entries) {
      const answer = JSON.parse(detail) as Acknowledged;
      if (source !== 'rotor.consumer' || type !== 'Secret Refresh Acknowledged')
        throw named('UnexpectedEvent', `${type} from ${source} is no acknowledgement`);
      if (!this.tokens.has(answer.taskToken))
        throw named('UnexpectedEvent', 'the acknowledgement answers no request of this orchestrator');
      this.acknowledgements.push(answer);
    }
    return { FailedEntryCount: 0, Entries: entries.map(() => ({})) };
  }
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
