import { sleep, type Clock } from '../../client/clock';
import type { SqsPort } from '../../client/ports';

interface Message {
  readonly id: string;
  readonly body: string;
  visibleAt: number;
  receipt: string;
  received: number;
}

/** One SQS queue: visibility timeouts, receipt handles, long polling, and a dead-letter queue after so many receives. */
export class FakeQueue implements SqsPort {
  readonly deadLetters: string[] = [];
  receives = 0;
  failure: string | undefined;
  /** Called when a message is deleted. */
  onDelete: (() => void) | undefined;
  private messages: Message[] = [];
  private number = 0;

  constructor(
    private readonly clock: Clock,
    private readonly maxReceiveCount = 3,
  ) {}

  get length(): number {
    return this.messages.length;
  }

  get visible(): number {
    return this.messages.filter(({ visibleAt }) => visibleAt <= this.clock.now()).length;
  }

  send(body: unknown): void {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const id = `m${++this.number}`;
    this.messages.push({ id, body: text, visibleAt: this.clock.now(), receipt: '', received: 0 });
  }

  async receiveMessage(
    input: Parameters<SqsPort['receiveMessage']>[0],
    options: { readonly abortSignal?: AbortSignal } = {},
  ): ReturnType<SqsPort['receiveMessage']> {
    this.receives++;
    if (this.failure !== undefined) throw Object.assign(new Error('no'), { name: this.failure });
    const until = this.clock.now() + input.WaitTimeSeconds * 1_000;
    for (;;) {
      const taken = this.take(input.MaxNumberOfMessages, input.VisibilityTimeout * 1_000);
      if (taken.length > 0) return { Messages: taken };
      if (this.clock.now() >= until) return {};
      await sleep(this.clock, 100, options.abortSignal);
    }
  }

  async deleteMessage({ ReceiptHandle }: { readonly ReceiptHandle: string }): Promise<unknown> {
    this.messages = this.messages.filter(({ receipt }) => receipt !== ReceiptHandle);
    this.onDelete?.();
    return {};
  }

  async changeMessageVisibility(input: Parameters<SqsPort['changeMessageVisibility']>[0]): Promise<unknown> {
    for (const message of this.messages)
      if (message.receipt === input.ReceiptHandle)
        message.visibleAt = this.clock.now() + input.VisibilityTimeout * 1_000;
    return {};
  }

  private take(most: number, hiddenMs: number) {
    const due = this.messages.filter(({ visibleAt }) => visibleAt <= this.clock.now());
    const dead = due.filter(({ received }) => received >= this.maxReceiveCount);
    this.messages = this.messages.filter((message) => !dead.includes(message));
    this.deadLetters.push(...dead.map(({ body }) => body));
    return due
      .filter((message) => !dead.includes(message))
      .slice(0, most)
      .map((message) => {
        message.received++;
        message.visibleAt = this.clock.now() + hiddenMs;
        message.receipt = `${message.id}-${message.received}`;
        return { MessageId: message.id, ReceiptHandle: message.receipt, Body: message.body };
      });
  }
}
