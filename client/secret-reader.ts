import { type Clock, withTimeLimit } from './clock';
import { errorLabel, SecretUnavailable, SecretUnreadable } from './errors';
import type { SecretsManagerPort } from './ports';
import { SecretVersion } from './secret-version';

/** One look at a label: what it named at some moment between `beganAt` and `endedAt`. */
export interface Reading<Value> {
  /** Looks are numbered in the order in which they began. */
  readonly number: number;
  readonly version: SecretVersion<Value>;
  readonly arn: string;
  readonly name: string;
  readonly beganAt: number;
  readonly endedAt: number;
}

/** Reads a secret by label, each look bounded in time, for a hanging network must not look like a slow database. */
export class SecretReader<Value> {
  private looks = 0;
  private joined: { readonly beganAt: number; readonly reading: Promise<Reading<Value>> } | undefined;

  constructor(
    private readonly secretsManager: SecretsManagerPort,
    private readonly secretId: string,
    private readonly parse: (secretString: string) => Value,
    private readonly clock: Clock,
    private readonly limitMs: number,
  ) {}

  /** A look at AWSCURRENT of its own: nothing that was read before this call. SecretUnavailable, SecretUnreadable. */
  current(): Promise<Reading<Value>> {
    return this.look('AWSCURRENT');
  }

  /**
   * A look at AWSCURRENT that may be shared with others and may have begun earlier, by no more than a look may take: one
   * that was frozen together with its Lambda environment, between two invocations, has a dead connection.
   */
  sharedCurrent(): Promise<Reading<Value>> {
    const beganAt = this.clock.now();
    const age = this.joined === undefined ? Infinity : beganAt - this.joined.beganAt;
    if (this.joined !== undefined && age >= 0 && age < this.limitMs) return this.joined.reading;
    const joined = {
      beganAt,
      reading: this.look('AWSCURRENT').finally(() => {
        if (this.joined === joined) this.joined = undefined;
      }),
    };
    this.joined = joined;
    return joined.reading;
  }

  /** What AWSPENDING names; undefined where it names nothing, has no value yet, or may not be read. */
  async pending(): Promise<Reading<Value> | undefined> {
    try {
      return await this.look('AWSPENDING');
    } catch (error) {
      const cause = error instanceof SecretUnavailable ? error.cause : undefined;
      const absent = ['ResourceNotFoundException', 'InvalidRequestException', 'AccessDeniedException'];
      if (cause instanceof Error && absent.includes(cause.name)) return undefined;
      throw error;
    }
  }

  private async look(stage: 'AWSCURRENT' | 'AWSPENDING'): Promise<Reading<Value>> {
    const number = ++this.looks;
    const beganAt = this.clock.now();
    const answer = await this.fetch(stage);
    const { ARN: arn, Name: name, VersionId: versionId, SecretString: text } = answer;
    if (arn === undefined || name === undefined || versionId === undefined || text === undefined)
      throw new SecretUnreadable(`secret ${this.secretId} has no SecretString`);
    const version = new SecretVersion(versionId, text, (secretString) =>
      this.parsed(versionId, secretString),
    );
    return { number, version, arn, name, beganAt, endedAt: this.clock.now() };
  }

  private async fetch(stage: string): ReturnType<SecretsManagerPort['getSecretValue']> {
    try {
      return await withTimeLimit(
        this.clock,
        this.limitMs,
        () => new Error(`no answer within ${this.limitMs} ms`),
        (abortSignal) =>
          this.secretsManager.getSecretValue(
            { SecretId: this.secretId, VersionStage: stage },
            { abortSignal },
          ),
      );
    } catch (cause) {
      throw new SecretUnavailable(`cannot read ${stage} of secret ${this.secretId}: ${errorLabel(cause)}`, {
        cause,
      });
    }
  }

  private parsed(versionId: string, secretString: string): Value {
    try {
      return this.parse(secretString);
    } catch (error) {
      // The application's parser may quote what it read; only the client's own message is known not to.
      const why = error instanceof SecretUnreadable ? error.message : errorLabel(error);
      throw new SecretUnreadable(`version ${versionId} of secret ${this.secretId}: ${why}`);
    }
  }
}
