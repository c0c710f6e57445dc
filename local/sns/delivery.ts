import type { Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Outstanding } from '../events/outstanding';
import type { Notification } from './notification';
import { envelopeFor, lambdaEventFor, messageFor } from './notification';
import type { Subscription } from './topic';
import { deadLetterQueueOf } from './topic-store';

/** What would have left the account: a mail, or a request to an address beyond this machine. */
export interface OutboxEntry {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly protocol: 'email' | 'email-json' | 'http' | 'https';
  readonly endpoint: string;
  readonly topicArn: string;
  readonly messageId: string;
  readonly subject: string;
  readonly body: string;
}

/** How one delivery to one subscription ended. */
export interface DeliveryOutcome {
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly outcome: 'delivered' | 'dead-lettered' | 'dropped';
  readonly errorCode?: string;
}

// AWS tries 3 times at once, twice after 1 s, 10 times at growing distance up to 20 s, then for 23 days: the last is left out.
const delaysMs = [0, 0, 1000, 1000, 1000, 2000, 3000, 5000, 8000, 12_000, 16_000, 20_000, 20_000, 20_000];

/** Brings notifications to subscriptions, after Publish has been answered. */
export class Delivery {
  readonly outbox: OutboxEntry[] = [];

  constructor(
    private readonly surroundings: Surroundings,
    private readonly outstanding: Outstanding,
    private readonly onOutcome: (outcome: DeliveryOutcome) => void,
  ) {}

  start(notification: Notification, subscription: Subscription): void {
    this.outstanding.start(() => this.deliver(notification, subscription));
  }

  private async deliver(notification: Notification, subscription: Subscription): Promise<void> {
    const ended = { subscriptionArn: subscription.arn, messageId: notification.messageId };
    for (const delay of [...delaysMs, undefined]) {
      try {
        await this.attempt(notification, subscription);
        this.onOutcome({ ...ended, outcome: 'delivered' });
        return;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        if (delay !== undefined && mayPass(error)) {
          await this.outstanding.wait(delay);
          continue;
        }
        const buried = await this.bury(notification, subscription);
        const outcome = buried ? 'dead-lettered' : 'dropped';
        this.onOutcome({ ...ended, outcome, errorCode: error.code });
        return;
      }
    }
  }

  private async attempt(notification: Notification, subscription: Subscription): Promise<void> {
    const { protocol, endpoint, arn } = subscription;
    switch (protocol) {
      case 'sqs':
        await this.sendToQueue(notification, endpoint, subscription);
        return;
      case 'lambda':
        await this.call('lambda', 'Invoke', notification, {
          FunctionName: endpoint,
          InvocationType: 'Event',
          Payload: JSON.stringify(lambdaEventFor(notification, arn)),
        });
        return;
      case 'email':
        this.keep(notification, protocol, endpoint, messageFor(notification, protocol));
        return;
      case 'email-json':
        this.keep(notification, protocol, endpoint, JSON.stringify(envelopeFor(notification, protocol, arn)));
        return;
      case 'http':
      case 'https':
        await this.post(notification, protocol, subscription);
        return;
    }
  }

  private async sendToQueue(notification: Notification, queueArn: string, subscription: Subscription) {
    const raw = subscription.attributes['RawMessageDelivery']?.toLowerCase() === 'true';
    await this.call('sqs', 'SendMessage', notification, {
      QueueUrl: queueUrlOf(queueArn),
      MessageBody: raw
        ? messageFor(notification, 'sqs')
        : JSON.stringify(envelopeFor(notification, 'sqs', subscription.arn)),
      ...(raw && { MessageAttributes: notification.attributes }),
    });
  }

  /** Posts to this machine; what would go further stays in the outbox. */
  private async post(notification: Notification, protocol: 'http' | 'https', subscription: Subscription) {
    const raw = subscription.attributes['RawMessageDelivery']?.toLowerCase() === 'true';
    const body = raw
      ? messageFor(notification, protocol)
      : JSON.stringify(envelopeFor(notification, protocol, subscription.arn));
    const { hostname } = new URL(subscription.endpoint);
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
      this.keep(notification, protocol, subscription.endpoint, body);
      return;
    }
    const answer = await fetch(subscription.endpoint, {
      method: 'POST',
      body,
      redirect: 'manual',
      // AWS waits 15 s for an answer.
      signal: AbortSignal.timeout(15_000),
      headers: {
        'content-type': 'text/plain; charset=UTF-8',
        'x-amz-sns-message-type': 'Notification',
        'x-amz-sns-message-id': notification.messageId,
        'x-amz-sns-topic-arn': notification.topicArn,
        'x-amz-sns-subscription-arn': subscription.arn,
        ...(raw && { 'x-amz-sns-rawdelivery': 'true' }),
      },
    }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer === undefined)
      throw new ServiceError('EndpointUnreachable', 'No answer from the endpoint.', 503);
    if (!answer.ok)
      throw new ServiceError('EndpointRefused', `The endpoint answered ${answer.status}.`, answer.status);
  }

  private keep(
    notification: Notification,
    protocol: OutboxEntry['protocol'],
    endpoint: string,
    body: string,
  ): void {
    const { messageId, topicArn, subject = 'AWS Notification Message' } = notification;
    const at = this.surroundings.clock.now();
    this.outbox.push({ at, protocol, endpoint, topicArn, messageId, subject, body });
  }

  private async bury(notification: Notification, subscription: Subscription): Promise<boolean> {
    const queueArn = deadLetterQueueOf(subscription.attributes);
    if (queueArn === undefined) return false;
    try {
      await this.sendToQueue(notification, queueArn, subscription);
      return true;
    } catch (error) {
      if (error instanceof ServiceError) return false;
      throw error;
    }
  }

  private call(
    service: string,
    operation: string,
    notification: Notification,
    input: Readonly<Record<string, unknown>>,
  ): Promise<object> {
    const { account, callService } = this.surroundings;
    return callService(service, operation, input, {
      principal: { kind: 'service', service: 'sns.amazonaws.com', account },
      conditions: { 'aws:SourceArn': notification.topicArn, 'aws:SourceAccount': account },
    });
  }
}

/** Says whether a delivery may succeed later: not where the target is gone or says no. */
function mayPass(error: ServiceError): boolean {
  return error.statusCode >= 500 || error.statusCode === 429 || /Throttl|TooManyRequests/.test(error.code);
}

/** A queue's URL as SQS on AWS writes it; the host does not matter here. */
function queueUrlOf(queueArn: string): string {
  const [, , , region = '', account = '', name = ''] = queueArn.split(':');
  return `https://sqs.${region}.amazonaws.com/${account}/${name}`;
}
