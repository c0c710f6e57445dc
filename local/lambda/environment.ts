import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { transformSync } from 'esbuild';
import type { Clock } from '../kernel/clock';
import type { InvokeMessage, WorkerMessage, WorkerSettings } from './messages';

/** How one stay in a worker ended: with an answer, with an error document, or with the worker's death. */
export type Ending =
  | { readonly kind: 'ready' }
  | { readonly kind: 'returned'; readonly payload: string; readonly heapBytes: number }
  | { readonly kind: 'threw'; readonly failure: string; readonly heapBytes: number }
  | { readonly kind: 'exited'; readonly reason: string }
  | { readonly kind: 'timed-out' };

/** What a new environment is made of. */
export interface EnvironmentSettings {
  readonly worker: WorkerSettings;
  /** The whole of the worker's environment variables; nothing is inherited. */
  readonly variables: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly limits: Clock;
  /** When its keys end, in milliseconds of the cloud's clock. */
  readonly expiresAt?: number | undefined;
  readonly onLine: (line: string) => void;
}

// The worker's young generation: a V8 default of 48 MB would be most of what ten warm workers weigh.
const youngGenerationMb = 4;

let program: string | undefined;

function workerProgram(): string {
  program ??= transformSync(readFileSync(join(__dirname, 'bootstrap.ts'), 'utf8'), {
    loader: 'ts',
    format: 'cjs',
    target: 'node20',
    supported: { 'dynamic-import': true },
  }).code;
  return program;
}

/**
 * An execution environment: one worker that holds a function's loaded code.
 *
 * starting → idle (the code is loaded) or dead (it could not be); idle → busy (`invoke`) → idle; any → dead, by
 * `stop`, by a time limit, or because the code ended it. A dead one never comes back.
 */
export class Environment {
  private readonly worker: Worker;
  private waiting: ((ending: Ending) => void) | undefined;
  private died: Ending | undefined;
  private lastError: Error | undefined;
  readonly expiresAt: number | undefined;

  constructor(private readonly settings: EnvironmentSettings) {
    this.expiresAt = settings.expiresAt;
    this.worker = new Worker(workerProgram(), {
      eval: true,
      name: settings.worker.functionName,
      workerData: settings.worker,
      env: { ...settings.variables },
      argv: [],
      // Without this the parent's loaders start in every worker.
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: settings.memoryMb,
        maxYoungGenerationSizeMb: youngGenerationMb,
      },
    });
    this.worker.on('message', (message: WorkerMessage) => this.receive(message));
    this.worker.on('error', (error: Error) => (this.lastError = error));
    this.worker.on('exit', (code) => this.die({ kind: 'exited', reason: this.exitReason(code) }));
  }

  /** True once the worker has ended or is being ended. */
  get isDead(): boolean {
    return this.died !== undefined;
  }

  /** Resolves when the code is loaded (`ready`) or when that failed; to be called once, first. */
  start(limitMs: number): Promise<Ending> {
    return this.await(limitMs, () => undefined);
  }

  /** Gives the handler one event and resolves with how it ended; never while another one is under way. */
  invoke(message: InvokeMessage): Promise<Ending> {
    return this.await(message.remainingMs, () => {
      this.worker.ref();
      this.worker.postMessage(message);
    });
  }

  /** Writes a line of the platform's own into the environment's log stream. */
  log(line: string): void {
    this.settings.onLine(line);
  }

  /** Ends the worker, in the middle of whatever it does. */
  async stop(): Promise<void> {
    this.died ??= { kind: 'exited', reason: 'signal: killed' };
    await this.worker.terminate();
  }

  private await(limitMs: number, begin: () => void): Promise<Ending> {
    return new Promise((resolve) => {
      if (this.died !== undefined) {
        resolve(this.died);
        return;
      }
      const timer = this.settings.limits.after(limitMs, () => {
        this.die({ kind: 'timed-out' });
        void this.worker.terminate();
      });
      this.waiting = (ending) => {
        timer.cancel();
        this.waiting = undefined;
        // An idle worker must not keep the process alive.
        this.worker.unref();
        resolve(ending);
      };
      begin();
    });
  }

  private receive(message: WorkerMessage): void {
    switch (message.kind) {
      case 'line':
        this.settings.onLine(message.line);
        return;
      case 'ready':
      case 'returned':
      case 'threw':
        this.settle(message);
        return;
      case 'init-failed':
        this.die({ kind: 'threw', failure: message.failure, heapBytes: 0 });
        void this.worker.terminate();
        return;
      case 'uncaught':
        this.die({ kind: 'threw', failure: message.failure, heapBytes: 0 });
        return;
    }
  }

  private settle(ending: Ending): void {
    this.waiting?.(ending);
  }

  private die(ending: Ending): void {
    this.died ??= ending;
    this.settle(ending);
  }

  private exitReason(code: number): string {
    if (this.lastError !== undefined && 'code' in this.lastError)
      if (this.lastError.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'signal: killed';
    return code === 0 ? '' : `exit status ${code}`;
  }
}
