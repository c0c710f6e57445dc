import { setMaxListeners } from 'node:events';
import { ServiceError, type Surroundings } from '../kernel/service';
import { sleep } from '../kernel/clock';
import { sessionArn, type LambdaFunction } from './function';
import type { InvocationResult, Runner } from './runner';

/** How often and how long an event is tried again; AWS's defaults are 2 attempts and 6 hours. */
export interface RetryPolicy {
  readonly maximumRetryAttempts: number;
  readonly maximumEventAgeSeconds: number;
}

/**
 * So many events of one function are run at once. AWS takes events from its queue as fast as concurrency allows; here
 * every environment is a thread of this machine.
 */
const mostAtOnce = 25;

/**
 * Lambda's own queue for invocations of type Event.
 *
 * A failed function is tried again after one minute and then after two; a throttled one after 1 s, doubling to 5
 * minutes, until the event is too old. What is given up goes to the function's dead-letter queue or topic.
 */
export class AsynchronousQueue {
  private readonly stopping = new AbortController();
  private readonly under = new Set<Promise<void>>();
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly surroundings: Surroundings,
    private readonly runner: Runner,
    private readonly retryPolicyOf: (functionName: string) => RetryPolicy,
    private readonly warn: (message: string) => void,
  ) {
    // Every wait listens for the end, and there may be any number of them.
    setMaxListeners(0, this.stopping.signal);
  }

  /** Accepts an event and returns at once; what becomes of it shows in the function's logs. */
  accept(current: () => LambdaFunction, event: string, requestId: string): void {
    const fn = current();
    const lane = this.laneOf(fn.name);
    const work = this.deliver(current, event, requestId, lane)
      .catch((cause: unknown) => {
        if (!this.stopping.signal.aborted) this.warn(`an event for ${fn.name} was lost: ${String(cause)}`);
      })
      .finally(() => this.under.delete(work));
    this.under.add(work);
  }

  /** Resolves when every accepted event has been handled or given up. */
  async settled(): Promise<void> {
    while (this.under.size > 0) await Promise.all(this.under);
  }

  /** Gives up what waits for its next attempt. */
  stop(): void {
    this.stopping.abort(new Error('the embedded cloud is stopping'));
  }

  private laneOf(functionName: string): Lane {
    const lane = this.lanes.get(functionName) ?? new Lane(mostAtOnce);
    this.lanes.set(functionName, lane);
    return lane;
  }

  private async deliver(
    current: () => LambdaFunction,
    event: string,
    requestId: string,
    lane: Lane,
  ): Promise<void> {
    const { clock } = this.surroundings;
    const policy = this.retryPolicyOf(current().name);
    const deadline = clock.now() + policy.maximumEventAgeSeconds * 1000;
    let throttleWaitMs = 1000;
    for (let attempt = 1; ;) {
      const fn = current();
      const result = await lane.run(() => this.attempt(fn, event, requestId));
      if (result !== 'throttled' && !result.failed) return;
      const isLast = result !== 'throttled' && attempt > policy.maximumRetryAttempts;
      const waitMs = result === 'throttled' ? throttleWaitMs : attempt * 60_000;
      if (isLast || clock.now() + waitMs > deadline) {
        await this.giveUp(fn, event, requestId, result);
        return;
      }
      if (result === 'throttled') throttleWaitMs = Math.min(throttleWaitMs * 2, 300_000);
      else attempt += 1;
      await sleep(clock, waitMs, this.stopping.signal);
    }
  }

  private async attempt(
    fn: LambdaFunction,
    event: string,
    requestId: string,
  ): Promise<InvocationResult | 'throttled'> {
    try {
      return await this.runner.run(fn, event, requestId);
    } catch (cause) {
      if (cause instanceof ServiceError && cause.code === 'TooManyRequestsException') return 'throttled';
      throw cause;
    }
  }

  private async giveUp(
    fn: LambdaFunction,
    event: string,
    requestId: string,
    last: InvocationResult | 'throttled',
  ): Promise<void> {
    const target = fn.deadLetterArn;
    if (target === undefined) return;
    const { account, callService } = this.surroundings;
    const arn = sessionArn(this.surroundings, fn.roleArn, fn.name);
    const call = { principal: { kind: 'role', arn, account, roleArn: fn.roleArn } } as const;
    const text = (value: string) => ({ DataType: 'String', StringValue: value });
    const attributes = {
      RequestID: text(requestId),
      ErrorCode: { DataType: 'Number', StringValue: last === 'throttled' ? '429' : '200' },
      ErrorMessage: text(last === 'throttled' ? 'Rate Exceeded.' : errorMessageOf(last.payload)),
    };
    if (target.includes(':sns:')) {
      await callService(
        'sns',
        'Publish',
        { TopicArn: target, Message: event, MessageAttributes: attributes },
        call,
      );
      return;
    }
    const queueName = target.split(':').at(-1) ?? '';
    // Lambda finds the queue by its ARN; asking for the URL is the embedded cloud's own step, not the role's.
    const operator = { kind: 'operator', arn: `arn:aws:iam::${account}:root`, account } as const;
    const found = await callService('sqs', 'GetQueueUrl', { QueueName: queueName }, { principal: operator });
    const url = 'QueueUrl' in found ? found.QueueUrl : undefined;
    await callService(
      'sqs',
      'SendMessage',
      { QueueUrl: url, MessageBody: event, MessageAttributes: attributes },
      call,
    );
  }
}

function errorMessageOf(payload: string): string {
  const document: unknown = JSON.parse(payload);
  const message =
    typeof document === 'object' && document !== null && 'errorMessage' in document
      ? String(document.errorMessage)
      : '';
  return message === '' ? 'no message' : message.slice(0, 1024);
}

/** Runs so many pieces of work at once, the others in the order in which they came. */
class Lane {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly most: number) {}

  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.running >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.running++;
    try {
      return await work();
    } finally {
      // Whoever waits takes over the place.
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}
