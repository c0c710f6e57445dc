import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import { ServiceError } from '../kernel/service';
import type { MessageAttributes } from './message-attributes';
import { numberOf, redriveOf } from './queue-attributes';

/** What a sender hands in. */
export interface NewMessage {
  readonly body: string;
  readonly attributes: MessageAttributes;
  /** AWSTraceHeader, if the sender set it. */
  readonly traceHeader?: string | undefined;
  readonly senderId: string;
  readonly delaySeconds?: number | undefined;
}

/**
 * A message on its way: delayed → visible → in flight → visible again, until it is deleted, expires, or was received
 * as often as the redrive policy allows and moves to the dead-letter queue.
 */
export interface Message extends NewMessage {
  readonly id: string;
  readonly sentAt: number;
  visibleAt: number;
  receiveCount: number;
  firstReceivedAt?: number;
  /** The handle of the last receive; earlier ones no longer delete. */
  receiptHandle?: string;
  readonly deadLetterSourceArn?: string;
}

/** How a queue finds the queue that its redrive policy names. */
export type FindQueue = (arn: string) => Queue | undefined;

/** One standard queue: its attributes and messages. */
export class Queue {
  readonly createdAt: number;
  modifiedAt: number;
  attributes: Readonly<Record<string, string>>;
  private messages: Message[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly name: string,
    readonly arn: string,
    attributes: Readonly<Record<string, string>>,
    private readonly clock: Clock,
    private readonly find: FindQueue,
  ) {
    this.attributes = attributes;
    this.createdAt = this.modifiedAt = clock.now();
  }

  send(message: NewMessage): Message {
    const now = this.clock.now();
    const delay = message.delaySeconds ?? numberOf(this.attributes, 'DelaySeconds');
    const sent = {
      ...message,
      id: randomUUID(),
      sentAt: now,
      visibleAt: now + delay * 1000,
      receiveCount: 0,
    };
    this.accept(sent);
    return sent;
  }

  /** Takes up to `most` messages out of sight, waiting up to `waitSeconds` for the first. */
  async receive(most: number, waitSeconds: number, visibilitySeconds: number): Promise<readonly Message[]> {
    const deadline = this.clock.now() + waitSeconds * 1000;
    for (;;) {
      const taken = this.take(most, visibilitySeconds);
      const now = this.clock.now();
      if (taken.length > 0 || now >= deadline) return taken;
      const next = Math.min(deadline, ...this.messages.map((message) => message.visibleAt));
      await this.change(Math.max(0, next - now));
    }
  }

  /** Deletes by receipt handle. A message that is gone, or was received again since, is no error, as on AWS. */
  delete(receiptHandle: string): void {
    const id = messageIdOf(receiptHandle);
    this.messages = this.messages.filter(
      (message) => message.id !== id || message.receiptHandle !== receiptHandle,
    );
  }

  changeVisibility(receiptHandle: string, seconds: number): void {
    const id = messageIdOf(receiptHandle);
    const now = this.clock.now();
    const message = this.messages.find((candidate) => candidate.id === id);
    if (message === undefined)
      throw new ServiceError(
        'InvalidParameterValue',
        `Value ${receiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
      );
    if (message.receiptHandle !== receiptHandle || message.visibleAt <= now)
      throw new ServiceError('MessageNotInflight', 'The message referred to is not in flight.');
    message.visibleAt = now + seconds * 1000;
    this.wake();
  }

  purge(): void {
    this.messages = [];
  }

  /** Ends every wait, because the queue is deleted or the cloud stops. */
  close(): void {
    this.purge();
    this.closed = true;
    this.wake();
  }

  /** The three counts that GetQueueAttributes knows. */
  counts(): Readonly<Record<'visible' | 'inFlight' | 'delayed', number>> {
    this.expire();
    const now = this.clock.now();
    const later = this.messages.filter((message) => message.visibleAt > now);
    const inFlight = later.filter((message) => message.receiptHandle !== undefined).length;
    return { visible: this.messages.length - later.length, inFlight, delayed: later.length - inFlight };
  }

  /** All messages that lie here now, whatever their visibility, without receiving them. */
  peek(): readonly Readonly<Message>[] {
    return this.messages;
  }

  private closed = false;

  private accept(message: Message): void {
    this.messages.push(message);
    this.wake();
  }

  private take(most: number, visibilitySeconds: number): Message[] {
    if (this.closed) throw new ServiceError('QueueDoesNotExist', 'The specified queue does not exist.');
    this.expire();
    const now = this.clock.now();
    const redrive = redriveOf(this.attributes);
    const taken: Message[] = [];
    for (const message of [...this.messages]) {
      if (taken.length === most) break;
      if (message.visibleAt > now) continue;
      const deadLetters = redrive && this.find(redrive.deadLetterTargetArn);
      if (
        redrive !== undefined &&
        deadLetters !== undefined &&
        message.receiveCount >= redrive.maxReceiveCount
      ) {
        this.bury(message, deadLetters);
        continue;
      }
      message.receiveCount += 1;
      message.firstReceivedAt ??= now;
      message.visibleAt = now + visibilitySeconds * 1000;
      message.receiptHandle = newHandle(message.id);
      taken.push(message);
    }
    return taken;
  }

  private bury(message: Message, deadLetters: Queue): void {
    this.messages = this.messages.filter((other) => other !== message);
    // The identity and the time of sending stay, so that the retention period goes on; the count begins anew.
    const { id, sentAt, body, attributes, senderId, traceHeader } = message;
    deadLetters.accept({
      id,
      sentAt,
      body,
      attributes,
      senderId,
      traceHeader,
      visibleAt: this.clock.now(),
      receiveCount: 0,
      deadLetterSourceArn: this.arn,
    });
  }

  private expire(): void {
    const oldest = this.clock.now() - numberOf(this.attributes, 'MessageRetentionPeriod') * 1000;
    this.messages = this.messages.filter((message) => message.sentAt > oldest);
  }

  private change(longestMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        this.waiting.delete(end);
        resolve();
      };
      const timer = this.clock.after(longestMs, end);
      this.waiting.add(end);
    });
  }

  private wake(): void {
    for (const end of [...this.waiting]) end();
  }
}

function newHandle(id: string): string {
  return Buffer.concat([Buffer.from(id), randomBytes(24)]).toString('base64');
}

function messageIdOf(receiptHandle: string): string {
  const id = Buffer.from(receiptHandle, 'base64').toString('latin1').slice(0, 36);
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  throw new ServiceError(
    'ReceiptHandleIsInvalid',
    `The input receipt handle "${receiptHandle}" is not a valid receipt handle.`,
  );
}
