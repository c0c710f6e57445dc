import { type Clock, sleep, systemClock } from './clock';
import { type OnClientEvent, quietly } from './client-event';
import { errorLabel, OptionInvalid, RequestForeign } from './errors';
import { defaultSqs, type QueueMessage, type SqsPort } from './ports';
import type { RefreshResponder } from './refresh-responder';

/** What a queue is listened to with. */
export interface QueueListenerOptions {
  readonly queueUrl: string;
  /** Who answers; with several, a request goes to the one whose consumer and secret it names. */
  readonly responder: HandlesRequests | readonly HandlesRequests[];
  readonly sqs?: SqsPort;
  /** How many requests are worked on at once; 10 by default. Each may wait for as long as it takes to settle. */
  readonly concurrency?: number;
  /**
   * For how long a message is hidden from other instances, renewed at half time while it is worked on; 60 by
   * default. After a failure it comes back when this has passed.
   */
  readonly visibilitySeconds?: number;
  /** How long one ReceiveMessage waits; 20 by default, which is SQS's most. */
  readonly waitSeconds?: number;
  /** Stops the listener when aborted, like `stop`. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly on?: OnClientEvent;
}

/** What the listener needs of a responder. */
export type HandlesRequests = Pick<RefreshResponder, 'handleRefreshRequest'>;

/** A queue that is being listened to. */
export interface QueueListener {
  /**
   * Takes no more messages, gives those being worked on back to the queue at once, and ends when nothing runs any
   * more. May be called again.
   */
  stop(): Promise<void>;
}

/** Pause after a failed ReceiveMessage, doubled with each, so that a missing permission does not cost a call a millisecond. */
const firstPauseMs = 500;
const longestPauseMs = 30_000;

/**
 * Listens to the queue that Rotor's requests arrive on, until stopped.
 *
 * A message is deleted only after its acknowledgement was put. One that cannot be handled is left, so that the
 * queue's own redrive policy moves it to the dead-letter queue.
 */
export function listenOnQueue(options: QueueListenerOptions): QueueListener {
  const listening = new Listening(options);
  const stop = () => listening.stop();
  options.signal?.addEventListener('abort', () => void stop(), { once: true });
  return { stop };
}

class Listening {
  private readonly queueUrl: string;
  private readonly responders: readonly HandlesRequests[];
  private readonly sqs: SqsPort;
  private readonly concurrency: number;
  private readonly visibilitySeconds: number;
  private readonly waitSeconds: number;
  private readonly clock: Clock;
  private readonly on: OnClientEvent;
  private readonly stopping = new AbortController();
  private readonly working = new Set<Promise<void>>();
  private readonly loop: Promise<void>;

  constructor(options: QueueListenerOptions) {
    this.queueUrl = options.queueUrl;
    this.responders = 'handleRefreshRequest' in options.responder ? [options.responder] : options.responder;
    this.sqs = options.sqs ?? defaultSqs();
    this.concurrency = options.concurrency ?? 10;
    this.visibilitySeconds = options.visibilitySeconds ?? 60;
    this.waitSeconds = options.waitSeconds ?? 20;
    this.clock = options.clock ?? systemClock;
    this.on = quietly(options.on);
    if (!(this.concurrency >= 1)) throw new OptionInvalid('concurrency must be 1 or more');
    if (!(this.visibilitySeconds >= 2)) throw new OptionInvalid('visibilitySeconds must be 2 or more');
    if (options.signal?.aborted === true) this.stopping.abort();
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the listener was stopped'));
    await this.loop;
    await Promise.all(this.working);
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let pauseMs = firstPauseMs;
    while (!signal.aborted) {
      if (this.working.size >= this.concurrency) {
        await Promise.race(this.working);
        continue;
      }
      try {
        for (const message of await this.receive(signal)) this.start(message);
        pauseMs = firstPauseMs;
      } catch (error) {
        // Aborting turns signal.aborted, which the compiler cannot see.
        if (this.isStopped()) return;
        this.on({ type: 'queue-failed', operation: 'ReceiveMessage', error: errorLabel(error) });
        await sleep(this.clock, pauseMs, signal).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  }

  private isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async receive(abortSignal: AbortSignal): Promise<readonly QueueMessage[]> {
    const answer = await this.sqs.receiveMessage(
      {
        QueueUrl: this.queueUrl,
        MaxNumberOfMessages: Math.min(10, this.concurrency - this.working.size),
        WaitTimeSeconds: this.waitSeconds,
        VisibilityTimeout: this.visibilitySeconds,
      },
      { abortSignal },
    );
    return answer.Messages ?? [];
  }

  private start(message: QueueMessage): void {
    const work = this.work(message).finally(() => this.working.delete(work));
    this.working.add(work);
  }

  private async work({ Body, MessageId, ReceiptHandle }: QueueMessage): Promise<void> {
    if (ReceiptHandle === undefined) return;
    const stopHiding = this.keepHidden(ReceiptHandle);
    try {
      await this.handle(Body);
    } catch (error) {
      stopHiding();
      if (this.isStopped()) await this.hide(ReceiptHandle, 0);
      else this.on({ type: 'request-failed', messageId: MessageId ?? '', error: errorLabel(error) });
      return;
    }
    stopHiding();
    await this.attempt('DeleteMessage', () =>
      this.sqs.deleteMessage({ QueueUrl: this.queueUrl, ReceiptHandle }),
    );
  }

  private async handle(body: string | undefined): Promise<void> {
    let foreign: unknown = new RequestForeign('there is no responder');
    for (const responder of this.responders) {
      try {
        await responder.handleRefreshRequest(body, { signal: this.stopping.signal });
        return;
      } catch (error) {
        if (!(error instanceof RequestForeign)) throw error;
        foreign = error;
      }
    }
    throw foreign;
  }

  private keepHidden(receiptHandle: string): () => void {
    const pauseMs = this.visibilitySeconds * 500;
    const again = () => {
      timer = this.clock.after(pauseMs, again);
      void this.hide(receiptHandle, this.visibilitySeconds);
    };
    let timer = this.clock.after(pauseMs, again);
    return () => timer.cancel();
  }

  private hide(ReceiptHandle: string, VisibilityTimeout: number): Promise<void> {
    const input = { QueueUrl: this.queueUrl, ReceiptHandle, VisibilityTimeout };
    return this.attempt('ChangeMessageVisibility', () => this.sqs.changeMessageVisibility(input));
  }

  /** What fails here only brings the message back, and a message may come back at any time. */
  private async attempt(operation: string, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.on({ type: 'queue-failed', operation, error: errorLabel(error) });
    }
  }
}
