import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Ending, Environment } from './environment';
import type { Fleet } from './fleet';
import type { LambdaFunction } from './function';
import { initLimitMs, accountConcurrency } from './limits';
import { endLine, reportLine, startLine } from './platform-lines';
import type { Fault, LambdaPorts, Moment } from './ports';

/** What a caller gets: the handler's JSON, or the document of an error. */
export interface InvocationResult {
  readonly payload: string;
  /** True when the function failed rather than answered. */
  readonly failed: boolean;
}

/** The answer to a call beyond the function's or the account's concurrency. */
export function tooManyRequests(reason: string): ServiceError {
  return new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, {
    Reason: reason,
    Type: 'User',
  });
}

/** Runs functions: counts concurrency, takes an environment, applies faults, writes the platform's log lines. */
export class Runner {
  private readonly running = new Map<string, number>();

  constructor(
    private readonly surroundings: Surroundings,
    private readonly fleet: Fleet,
    private readonly ports: LambdaPorts,
    private readonly reserved: ReadonlyMap<string, number>,
  ) {}

  /** How many invocations of the function are under way. */
  runningOf(functionName: string): number {
    return this.running.get(functionName) ?? 0;
  }

  /**
   * Runs one event through the function.
   *
   * A function that fails is a result; being throttled is a `ServiceError`, and then nothing has run.
   */
  async run(fn: LambdaFunction, event: string, requestId: string): Promise<InvocationResult> {
    this.admit(fn);
    this.running.set(fn.name, this.runningOf(fn.name) + 1);
    try {
      const fault = await this.faultAt(fn, event, 'before');
      if (fault?.kind === 'throttle') throw tooManyRequests('ConcurrentInvocationLimitExceeded');
      return await this.runInEnvironment(fn, event, requestId, fault);
    } finally {
      this.running.set(fn.name, this.runningOf(fn.name) - 1);
    }
  }

  private admit(fn: LambdaFunction): void {
    const reserved = this.reserved.get(fn.name);
    if (reserved !== undefined) {
      if (this.runningOf(fn.name) >= reserved)
        throw tooManyRequests('ReservedFunctionConcurrentInvocationLimitExceeded');
      return;
    }
    let unreserved = accountConcurrency;
    for (const share of this.reserved.values()) unreserved -= share;
    let running = 0;
    for (const [name, count] of this.running) if (!this.reserved.has(name)) running += count;
    if (running >= unreserved) throw tooManyRequests('ConcurrentInvocationLimitExceeded');
  }

  private async faultAt(fn: LambdaFunction, event: string, moment: Moment): Promise<Fault | undefined> {
    return this.ports.interfere?.(fn.name, JSON.parse(event) as unknown, moment);
  }

  private async runInEnvironment(
    fn: LambdaFunction,
    event: string,
    requestId: string,
    fault: Fault | undefined,
  ): Promise<InvocationResult> {
    const { environment, isNew } = await this.fleet.acquire(fn);
    const log = (line: string) => environment.log(line);
    try {
      const initStarted = performance.now();
      const loaded = isNew
        ? await environment.start(Math.max(initLimitMs, fn.timeoutSeconds * 1000))
        : undefined;
      const initMs = isNew ? performance.now() - initStarted : undefined;
      log(startLine(fn, requestId));
      const started = performance.now();
      const ending =
        loaded !== undefined && loaded.kind !== 'ready'
          ? loaded
          : await this.invoke(fn, environment, event, requestId, fault);
      const elapsedMs = performance.now() - started;
      const durationMs = ending.kind === 'timed-out' ? fn.timeoutSeconds * 1000 : elapsedMs;
      const result = describe(fn, requestId, ending);
      if (ending.kind === 'timed-out')
        log(`${new Date().toISOString()} ${requestId} Task timed out after ${seconds(fn)} seconds`);
      log(endLine(fn, requestId));
      log(
        reportLine(fn, {
          requestId,
          durationMs,
          initMs,
          heapBytes: 'heapBytes' in ending ? ending.heapBytes : 0,
          failed: result.failed,
        }),
      );
      this.ports.observe?.({
        functionName: fn.name,
        requestId,
        durationMs,
        initMs,
        memoryMb: fn.memoryMb,
        errorType: result.failed ? errorTypeOf(result.payload) : undefined,
      });
      return result;
    } finally {
      this.fleet.release(fn, environment);
    }
  }

  private async invoke(
    fn: LambdaFunction,
    environment: Environment,
    event: string,
    requestId: string,
    before: Fault | undefined,
  ): Promise<Ending> {
    if (before !== undefined) return strike(environment, before);
    const ending = await environment.invoke({
      requestId,
      functionArn: fn.arn,
      event,
      remainingMs: fn.timeoutSeconds * 1000,
      traceHeader: traceHeader(fn, this.surroundings.clock.now()),
    });
    if (ending.kind !== 'returned') return ending;
    const after = await this.faultAt(fn, event, 'after');
    return after === undefined ? ending : strike(environment, after);
  }
}

/** Does to the environment what the fault says; throttling after the handler ran is a lost answer. */
async function strike(environment: Environment, fault: Fault): Promise<Ending> {
  switch (fault.kind) {
    case 'crash':
      await environment.stop();
      return { kind: 'exited', reason: 'signal: killed' };
    case 'timeout':
      // Answered at once: waiting out the limit would show nothing more.
      await environment.stop();
      return { kind: 'timed-out' };
    case 'throttle':
      throw tooManyRequests('ConcurrentInvocationLimitExceeded');
    case 'error':
      return {
        kind: 'threw',
        failure: JSON.stringify({ errorType: fault.errorType, errorMessage: fault.errorMessage, trace: [] }),
        heapBytes: 0,
      };
  }
}

function describe(fn: LambdaFunction, requestId: string, ending: Ending): InvocationResult {
  switch (ending.kind) {
    case 'returned':
      return { payload: ending.payload, failed: false };
    case 'threw':
      return { payload: ending.failure, failed: true };
    case 'timed-out':
      return failure(
        'Sandbox.Timedout',
        `RequestId: ${requestId} Error: Task timed out after ${seconds(fn)} seconds`,
      );
    case 'ready':
    case 'exited': {
      const reason = ending.kind === 'exited' ? ending.reason : '';
      const how = reason === '' ? 'exited without providing a reason' : `exited with error: ${reason}`;
      return failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime ${how}`);
    }
  }
}

function failure(errorType: string, errorMessage: string): InvocationResult {
  return { payload: JSON.stringify({ errorType, errorMessage }), failed: true };
}

function seconds(fn: LambdaFunction): string {
  return fn.timeoutSeconds.toFixed(2);
}

function errorTypeOf(payload: string): string {
  const document: unknown = JSON.parse(payload);
  return typeof document === 'object' && document !== null && 'errorType' in document
    ? String(document.errorType)
    : 'Unknown';
}

function traceHeader(fn: LambdaFunction, now: number): string {
  const time = Math.floor(now / 1000).toString(16);
  const id = crypto.randomUUID().replaceAll('-', '');
  return `Root=1-${time}-${id.slice(0, 24)};Parent=${id.slice(0, 16)};Sampled=${fn.tracing === 'Active' ? 1 : 0}`;
}
