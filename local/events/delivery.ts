import type { Principal, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import type { Arrival, Hops } from './arrival';
import type { Rule } from './bus';
import type { Event } from './event';
import type { Outstanding } from './outstanding';
import type { Target } from './target';

/** How the way of one event to one target ended. */
export interface DeliveryOutcome {
  readonly event: Event;
  readonly ruleArn: string;
  readonly targetArn: string;
  readonly outcome: 'delivered' | 'dead-lettered' | 'dropped';
  readonly attempts: number;
  /** As in the dead-letter queue's ERROR_CODE; absent where delivered. */
  readonly errorCode?: string;
  readonly errorMessage?: string;
}

/** What delivery needs from the rest of the embedded cloud. */
export interface DeliveryPorts {
  /** Becomes the role of a target, for events.amazonaws.com; throws where the role does not trust it. */
  readonly assumeRole: (roleArn: string, sessionName: string) => Principal | Promise<Principal>;
  /** Brings an event to another bus, here or elsewhere, as that principal. */
  readonly forward: (arrival: Arrival) => void;
  readonly onOutcome: (outcome: DeliveryOutcome) => void;
  /** A number from 0 to 1, for jitter. */
  readonly random: () => number;
}

/** An event on its way to one target. */
export interface Job {
  readonly event: Event;
  readonly rule: Rule;
  readonly target: Target;
  readonly ingestedAt: number;
  readonly hops: Hops;
}

// AWS says 185 attempts within 24 hours, with exponential backoff and jitter, and no numbers: from 1 s to 15 minutes.
const firstDelayMs = 1000;
const longestDelayMs = 900_000;

/** Brings events to targets: tries, tries again, and in the end keeps what failed in a dead-letter queue. */
export class Delivery {
  constructor(
    private readonly surroundings: Surroundings,
    private readonly outstanding: Outstanding,
    private readonly ports: DeliveryPorts,
  ) {}

  start(job: Job): void {
    this.outstanding.start(() => this.deliver(job));
  }

  private async deliver(job: Job): Promise<void> {
    const { clock } = this.surroundings;
    for (let retries = 0; ; retries++) {
      try {
        await this.attempt(job);
        this.report(job, 'delivered', retries + 1);
        return;
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        const failure = classify(error);
        const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** retries) * (0.5 + this.ports.random() / 2);
        const exhausted = exhaustion(job, retries, clock.now() + delay);
        if (!failure.retryable || exhausted !== undefined) {
          await this.bury(job, failure, retries, failure.retryable ? exhausted : undefined);
          return;
        }
        await this.outstanding.wait(delay);
      }
    }
  }

  private async attempt({ event, rule, target, ingestedAt, hops }: Job): Promise<void> {
    const { Arn, RoleArn, Id } = target.declared;
    const text = target.input(event, { ruleArn: rule.arn, ruleName: rule.name, ingestedAt });
    switch (target.kind) {
      case 'sqs':
        await this.call(rule, 'sqs', 'SendMessage', { QueueUrl: queueUrlOf(Arn), MessageBody: text });
        return;
      case 'lambda':
        await this.call(rule, 'lambda', 'Invoke', {
          FunctionName: Arn,
          InvocationType: 'Event',
          Payload: text,
        });
        return;
      case 'sns':
        await this.call(rule, 'sns', 'Publish', { TopicArn: Arn, Message: text });
        return;
      case 'bus': {
        const onwards = this.onwards(hops, Arn);
        const principal = await this.assume(RoleArn ?? '', `${rule.name}-${Id}`);
        this.ports.forward({ event, busArn: Arn, principal, ruleArn: rule.arn, hops: onwards });
        return;
      }
    }
  }

  /** The hops behind an event that goes on to a bus; a second one of either kind ends its way. */
  private onwards(hops: Hops, busArn: string): Hops {
    const crossing = busArn.split(':')[3] !== this.surroundings.region;
    if (crossing && hops.otherRegion)
      throw new ServiceError('THIRD_REGION_HOP_DETECTED', 'The event came from another region already.');
    if (!crossing && hops.sameRegion)
      throw new ServiceError('THIRD_ACCOUNT_HOP_DETECTED', 'The event came from another event bus already.');
    return { sameRegion: hops.sameRegion || !crossing, otherRegion: hops.otherRegion || crossing };
  }

  private async assume(roleArn: string, sessionName: string): Promise<Principal> {
    try {
      return await this.ports.assumeRole(roleArn, sessionName.slice(0, 64));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ServiceError('FAILED_TO_ASSUME_ROLE', error.message, 403);
    }
  }

  private async bury(
    job: Job,
    failure: Failure,
    retries: number,
    exhausted: string | undefined,
  ): Promise<void> {
    const { event, rule, target } = job;
    const { code, message } = failure;
    const attributes = {
      RULE_ARN: rule.arn,
      TARGET_ARN: target.declared.Arn,
      ERROR_CODE: code,
      ERROR_MESSAGE: message,
      ...(exhausted !== undefined && {
        EXHAUSTED_RETRY_CONDITION: exhausted,
        RETRY_ATTEMPTS: String(retries),
      }),
    };
    let kept = false;
    if (target.deadLetterArn !== undefined) {
      try {
        await this.call(rule, 'sqs', 'SendMessage', {
          QueueUrl: queueUrlOf(target.deadLetterArn),
          MessageBody: JSON.stringify(event),
          MessageAttributes: Object.fromEntries(
            Object.entries(attributes).map(([name, value]) => [
              name,
              { DataType: 'String', StringValue: value },
            ]),
          ),
        });
        kept = true;
      } catch (error) {
        // As on AWS, an event is lost whose dead-letter queue does not take it; the outcome says so.
        if (!(error instanceof ServiceError)) throw error;
      }
    }
    this.report(job, kept ? 'dead-lettered' : 'dropped', retries + 1, failure);
  }

  private report(job: Job, outcome: DeliveryOutcome['outcome'], attempts: number, failure?: Failure): void {
    this.ports.onOutcome({
      event: job.event,
      ruleArn: job.rule.arn,
      targetArn: job.target.declared.Arn,
      outcome,
      attempts,
      ...(failure !== undefined && { errorCode: failure.code, errorMessage: failure.message }),
    });
  }

  private call(rule: Rule, service: string, operation: string, input: Readonly<Record<string, unknown>>) {
    const { account, callService } = this.surroundings;
    return callService(service, operation, input, {
      principal: { kind: 'service', service: 'events.amazonaws.com', account },
      conditions: { 'aws:SourceArn': rule.arn, 'aws:SourceAccount': account },
    });
  }
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Puts an error into EventBridge's own words, and says whether trying again can help. */
function classify(error: ServiceError): Failure {
  const { code, message, statusCode } = error;
  if (code === 'FAILED_TO_ASSUME_ROLE' || /^THIRD_\w+_HOP_DETECTED$/.test(code))
    return { code, message, retryable: false };
  if (/AccessDenied|AuthorizationError|NotAuthorized/i.test(code))
    return { code: 'NO_PERMISSIONS', message, retryable: false };
  if (/NotFound|DoesNotExist|NonExistent/i.test(code))
    return { code: 'NO_RESOURCE', message, retryable: false };
  if (statusCode === 429 || /Throttl|TooManyRequests/i.test(code))
    return { code: 'THROTTLING', message, retryable: true };
  if (statusCode >= 500) return { code: 'INTERNAL_ERROR', message, retryable: true };
  return { code: 'INVALID_PARAMETER', message, retryable: false };
}

/** Why there is no further attempt, if there is none. */
function exhaustion({ target, ingestedAt }: Job, retries: number, next: number): string | undefined {
  if (retries >= target.maximumRetryAttempts) return 'MaximumRetryAttempts';
  if (next - ingestedAt > target.maximumEventAgeMs) return 'MaximumEventAgeInSeconds';
  return undefined;
}

/** A queue's URL as SQS on AWS writes it; the host does not matter here. */
function queueUrlOf(queueArn: string): string {
  const [, , , region = '', account = '', name = ''] = queueArn.split(':');
  return `https://sqs.${region}.amazonaws.com/${account}/${name}`;
}
