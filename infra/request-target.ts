import { Duration } from 'aws-cdk-lib';
import { EventBus, type IRuleTarget } from 'aws-cdk-lib/aws-events';
import {
  EventBus as BusTarget,
  LambdaFunction,
  SqsQueue,
  type TargetBaseProps,
} from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { accept } from './accepted';

/** Where an application hears of requests in the account and region of the bus that they come from. */
export type ApplicationTarget =
  /** A queue that the application listens on; absent: one is made, with a dead-letter queue of its own. */
  | { readonly kind: 'queue'; readonly queue?: IQueue }
  | { readonly kind: 'function'; readonly function: IFunction };

/** Where requests to refresh go. */
export type RequestTarget =
  | ApplicationTarget
  /** A bus in the consumer's own account or region, where a `RemoteConsumer` takes over. */
  | { readonly kind: 'bus'; readonly busArn: string };

/** A target of the rule that picks requests, and the queue that the application listens on, where there is one. */
export interface Receiving {
  readonly queue: IQueue | undefined;
  readonly ruleTarget: IRuleTarget;
}

/**
 * Makes the target of the rule that picks one application's requests.
 *
 * A request is not delivered after its deadline, when nobody waits for the answer: EventBridge takes a minute to a day.
 */
export function receiveRequests(
  scope: Construct,
  target: RequestTarget,
  deadLetterQueue: Queue,
  deadlineSeconds: number,
): Receiving {
  const delivery: TargetBaseProps = {
    deadLetterQueue,
    maxEventAge: Duration.seconds(Math.min(Math.max(deadlineSeconds, 60), 86_400)),
    retryAttempts: 185,
  };
  if (target.kind !== 'queue') {
    accept(
      deadLetterQueue,
      'AwsSolutions-SQS3',
      'This is the dead-letter queue of an EventBridge rule, and the check looks at queues and functions alone.',
    );
  }
  switch (target.kind) {
    case 'queue': {
      const queue = target.queue ?? requestQueue(scope, deadLetterQueue);
      return { queue, ruleTarget: new SqsQueue(queue, delivery) };
    }
    case 'function':
      return { queue: undefined, ruleTarget: new LambdaFunction(target.function, delivery) };
    case 'bus': {
      const bus = EventBus.fromEventBusArn(scope, 'Target', target.busArn);
      // A bus takes no retry policy (AWS: EventBridge, PutTargets); its own 24 hours hold.
      return { queue: undefined, ruleTarget: new BusTarget(bus, { deadLetterQueue }) };
    }
  }
}

/** Leave to listen on the queue that requests arrive on. */
export function mayListen(queue: IQueue): PolicyStatement {
  return new PolicyStatement({
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
    resources: [queue.queueArn],
  });
}

function requestQueue(scope: Construct, deadLetters: Queue): Queue {
  return new Queue(scope, 'Queue', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    // The client deletes a message after it has acknowledged, which takes its settle time; beyond that another
    // instance may try.
    visibilityTimeout: Duration.minutes(5),
    retentionPeriod: Duration.days(1),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: 3 },
  });
}
