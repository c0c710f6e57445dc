import { randomBytes } from 'node:crypto';
import { ServiceError, type Surroundings } from '../kernel/service';
import { ScaledClock, type Clock, type Timer } from '../kernel/clock';
import { Environment } from './environment';
import { sessionArn, type LambdaFunction } from './function';
import { responseLimitBytes } from './limits';
import type { LambdaPorts, SessionKeys } from './ports';
import { workerVariables } from './variables';

interface Idle {
  readonly fn: LambdaFunction;
  readonly environment: Environment;
  readonly reaper: Timer;
}

/**
 * All execution environments, warm and busy, of all functions.
 *
 * An invocation takes a warm environment of its function or has a new one started, and gives it back. Idle ones end
 * after `idleMs`, the longest idle first when there are more than `idleWorkers`.
 */
export class Fleet {
  private idle: Idle[] = [];
  private readonly all = new Set<Environment>();
  private readonly mute = new Set<string>();
  private readonly retired = new WeakSet<LambdaFunction>();
  readonly limits: Clock;

  constructor(
    private readonly surroundings: Surroundings,
    private readonly ports: LambdaPorts,
  ) {
    this.limits = ports.limits ?? new ScaledClock();
  }

  /** Takes the function's most recently used warm environment, or a new one that is still to be started. */
  async acquire(fn: LambdaFunction): Promise<{ environment: Environment; isNew: boolean }> {
    for (;;) {
      const index = this.idle.findLastIndex((candidate) => candidate.fn === fn);
      const [warm] = index < 0 ? [] : this.idle.splice(index, 1);
      if (warm === undefined) return { environment: await this.create(fn), isNew: true };
      warm.reaper.cancel();
      const { environment } = warm;
      if (!environment.isDead && this.surroundings.clock.now() < (environment.expiresAt ?? Infinity))
        return { environment, isNew: false };
      await this.discard(environment);
    }
  }

  /** Takes an environment back after an invocation; a dead one is forgotten. */
  release(fn: LambdaFunction, environment: Environment): void {
    if (environment.isDead) {
      this.all.delete(environment);
      return;
    }
    if (this.retired.has(fn)) {
      void this.discard(environment);
      return;
    }
    const reaper = this.limits.after(this.ports.idleMs ?? 600_000, () => this.reap(environment));
    this.idle.push({ fn, environment, reaper });
    const [oldest] = this.idle;
    if (oldest !== undefined && this.idle.length > (this.ports.idleWorkers ?? 16))
      this.reap(oldest.environment);
  }

  /** Ends one environment, whatever it is doing. */
  async discard(environment: Environment): Promise<void> {
    this.all.delete(environment);
    await environment.stop();
  }

  /** Ends what is warm of a configuration that nothing runs any more; what is busy ends after its invocation. */
  retire(fn: LambdaFunction): void {
    this.retired.add(fn);
    for (const { environment } of this.idle.filter((entry) => entry.fn === fn)) this.reap(environment);
  }

  /** Ends every environment of a function that was deleted, or of all functions. */
  async discardAll(functionName?: string): Promise<void> {
    const gone = this.idle.filter(({ fn }) => functionName === undefined || fn.name === functionName);
    this.idle = this.idle.filter((entry) => !gone.includes(entry));
    for (const { reaper } of gone) reaper.cancel();
    const ended = functionName === undefined ? [...this.all] : gone.map(({ environment }) => environment);
    await Promise.all(ended.map((environment) => this.discard(environment)));
  }

  /** How many environments there are, for tests and for the report. */
  count(): { readonly all: number; readonly idle: number } {
    return { all: this.all.size, idle: this.idle.length };
  }

  private reap(environment: Environment): void {
    const entry = this.idle.find((candidate) => candidate.environment === environment);
    if (entry === undefined) return;
    entry.reaper.cancel();
    this.idle = this.idle.filter((candidate) => candidate !== entry);
    void this.discard(environment);
  }

  private async create(fn: LambdaFunction): Promise<Environment> {
    const keys = await this.keysOf(fn);
    const day = new Date(this.surroundings.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const logStreamName = `${day}/[${fn.version}]${randomBytes(16).toString('hex')}`;
    const writes = this.mayWriteLogs(fn);
    const environment = new Environment({
      worker: {
        codeDirectory: fn.codeDirectory,
        handler: fn.handler,
        functionName: fn.name,
        functionVersion: fn.version,
        memoryLimitInMB: String(fn.memoryMb),
        logGroupName: fn.logGroup,
        logStreamName,
        logFormat: fn.logFormat,
        responseLimitBytes,
      },
      variables: workerVariables(this.surroundings, fn, keys, this.ports.endpoint(), logStreamName),
      memoryMb: fn.memoryMb,
      limits: this.limits,
      expiresAt: keys.expiresAt,
      onLine: (line) => {
        if (writes) this.ports.appendLog(fn.logGroup, logStreamName, line);
      },
    });
    this.all.add(environment);
    return environment;
  }

  private async keysOf(fn: LambdaFunction): Promise<SessionKeys> {
    try {
      return await this.ports.assume(fn.roleArn, 'lambda.amazonaws.com', fn.name);
    } catch (cause) {
      if (!(cause instanceof ServiceError)) throw cause;
      throw new ServiceError(
        'AccessDeniedException',
        `The role ${fn.roleArn} defined for the function cannot be assumed by Lambda.`,
        403,
      );
    }
  }

  /** Whether the role may write the function's logs: without the right they are lost, and the function runs on. */
  private mayWriteLogs(fn: LambdaFunction): boolean {
    const { account, region, partition } = this.surroundings;
    const principal = {
      kind: 'role',
      arn: sessionArn(this.surroundings, fn.roleArn, fn.name),
      account,
      roleArn: fn.roleArn,
    } as const;
    try {
      this.surroundings.authorize(
        { principal, requestId: '', userAgent: 'lambda', conditions: {} },
        {
          action: 'logs:PutLogEvents',
          resource: `arn:${partition}:logs:${region}:${account}:log-group:${fn.logGroup}:*`,
        },
      );
      return true;
    } catch (cause) {
      if (!(cause instanceof ServiceError)) throw cause;
      if (!this.mute.has(fn.name))
        this.ports.warn?.(
          `${fn.name} runs without logs, because its role may not write them: ${cause.message}`,
        );
      this.mute.add(fn.name);
      return false;
    }
  }
}
