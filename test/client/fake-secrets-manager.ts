import type { Clock } from '../../client/clock';
import { sleep } from '../../client/clock';
import type { SecretsManagerPort } from '../../client/ports';

type Answer = Awaited<ReturnType<SecretsManagerPort['getSecretValue']>>;

/** One secret with versions and labels, which answers as Secrets Manager does. */
export class FakeSecretsManager implements SecretsManagerPort {
  readonly arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/db-AbCdEf';
  readonly name = 'shop/db';
  readonly reads: string[] = [];
  /** Set to make every call fail with an error of this name. */
  failure: string | undefined;
  /** How long an answer is on its way; what it says is what was true when the call was made. */
  latencyMs = 0;
  /** Out of reach of inspection, so that a test finds only what the client itself would show. */
  readonly #versions = new Map<string, string>();
  private readonly labels = new Map<string, string>();

  constructor(private readonly clock: Clock) {}

  put(versionId: string, value: unknown, label?: string): void {
    this.#versions.set(versionId, typeof value === 'string' ? value : JSON.stringify(value));
    if (label !== undefined) this.labels.set(label, versionId);
  }

  move(label: string, versionId: string | undefined): void {
    if (versionId === undefined) this.labels.delete(label);
    else this.labels.set(label, versionId);
  }

  async getSecretValue(
    input: { readonly SecretId: string; readonly VersionStage: string },
    options: { readonly abortSignal?: AbortSignal } = {},
  ): Promise<Answer> {
    this.reads.push(input.VersionStage);
    const answer = this.look(input.VersionStage);
    if (this.latencyMs > 0) await sleep(this.clock, this.latencyMs, options.abortSignal);
    else await Promise.resolve();
    if (answer instanceof Error) throw answer;
    return answer;
  }

  private look(stage: string): Answer | Error {
    if (this.failure !== undefined) return Object.assign(new Error('no'), { name: this.failure });
    const versionId = this.labels.get(stage);
    const text = versionId === undefined ? undefined : this.#versions.get(versionId);
    if (versionId === undefined || text === undefined) {
      const message = `Secrets Manager can't find the specified secret value for staging label: ${stage}`;
      return Object.assign(new Error(message), { name: 'ResourceNotFoundException' });
    }
    return { ARN: this.arn, Name: this.name, VersionId: versionId, SecretString: text };
  }
}
