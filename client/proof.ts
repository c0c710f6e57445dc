import { type Clock, sleep, withTimeLimit } from './clock';
import { errorLabel, ProofFailed } from './errors';
import type { SecretVersion } from './secret-version';

/** The application's own check of a version: do with it what the application needs, and throw if that fails. */
export type Prove<Value> = (value: Value, signal: AbortSignal) => Promise<unknown>;

/** Pauses before the second and the third attempt: a lost packet must not turn a rotation back. */
const pausesMs = [1_000, 2_000];

/** Proves versions: one proof at a time for each, a few attempts, each bounded, and remembered once it succeeded. */
export class Prover<Value> {
  private readonly proven = new Set<string>();
  private readonly running = new Map<string, Promise<void>>();

  constructor(
    private readonly act: Prove<Value> | undefined,
    private readonly clock: Clock,
    private readonly limitMs: number,
  ) {}

  /** Whether the application has nothing left to say about a version. */
  isProven(versionId: string): boolean {
    return this.act === undefined || this.proven.has(versionId);
  }

  /** Ends when the version is proved; ProofFailed, with a redacted reason, when it could not be. */
  prove(version: SecretVersion<Value>): Promise<void> {
    const { versionId } = version;
    if (this.isProven(versionId)) return Promise.resolve();
    const running = this.running.get(versionId);
    if (running !== undefined) return running;
    const started = this.attempt(version).finally(() => this.running.delete(versionId));
    this.running.set(versionId, started);
    return started;
  }

  private async attempt(version: SecretVersion<Value>): Promise<void> {
    const { act } = this;
    if (act === undefined) return;
    for (let failures = 0; ; failures++) {
      try {
        const late = () => new Error(`the proof did not end within ${this.limitMs} ms`);
        await withTimeLimit(this.clock, this.limitMs, late, async (signal) => act(version.value, signal));
        this.proven.add(version.versionId);
        return;
      } catch (error) {
        const pause = pausesMs[failures];
        if (pause === undefined) throw new ProofFailed(version.versionId, reasonOf(error, version));
        await sleep(this.clock, pause);
      }
    }
  }
}

function reasonOf<Value>(error: unknown, version: SecretVersion<Value>): string {
  const label = errorLabel(error);
  return version.redact(error instanceof Error ? `${label}: ${error.message}` : label);
}
