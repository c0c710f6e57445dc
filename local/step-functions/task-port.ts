import type { HistoryEvent } from './history';
import type { Json, JsonObject } from './json';

/** What a task may know about the execution that asks. */
export interface TaskCaller {
  /** The role that the call is made with: the machine's, or the one of the task's Credentials. */
  readonly roleArn: string;
  /** Whether that is the machine's role. */
  readonly ownRole: boolean;
  readonly executionArn: string;
  readonly stateMachineArn: string;
  readonly stateName: string;
  /** Aborted when the task's time is up or the execution ends; the answer is not waited for then. */
  readonly signal: AbortSignal;
}

/**
 * How a Task state reaches other services.
 *
 * `invoke` answers what the task's result is, or, for `.waitForTaskToken`, what TaskSubmitted shows. It throws an
 * object with AWS's error name in `error` and the text in `cause`.
 */
export interface TaskPort {
  invoke(resource: string, input: Json, caller: TaskCaller): Promise<Json>;
}

/** A Task state's Resource, taken apart. */
export type Integration =
  /** A function's ARN, the oldest form: events are LambdaFunction…, the result is what the function returned. */
  | { readonly kind: 'function'; readonly arn: string }
  | {
      readonly kind: 'service';
      /** As in the history: `lambda`, `aws-sdk:dynamodb`. */
      readonly resourceType: string;
      /** As in the history: `invoke`, `putEvents.waitForTaskToken`. */
      readonly resource: string;
      readonly waitsForToken: boolean;
    };

const optimized: ReadonlySet<string> = new Set([
  'lambda:invoke',
  'lambda:invoke.waitForTaskToken',
  'events:putEvents',
  'events:putEvents.waitForTaskToken',
  'sns:publish',
  'sns:publish.waitForTaskToken',
  'sqs:sendMessage',
  'sqs:sendMessage.waitForTaskToken',
]);

/**
 * Services that `aws-sdk:` tasks reach, by their name in a Resource: the embedded service's id, and the name that the
 * SDK gives the service in errors. Step Functions itself is not among them, since its members would have to be renamed.
 */
export const sdkServices: Readonly<Record<string, { readonly id: string; readonly name: string }>> = {
  eventbridge: { id: 'eventbridge', name: 'EventBridge' },
  lambda: { id: 'lambda', name: 'Lambda' },
  secretsmanager: { id: 'secretsmanager', name: 'SecretsManager' },
  sns: { id: 'sns', name: 'Sns' },
  sqs: { id: 'sqs', name: 'Sqs' },
  ssm: { id: 'ssm', name: 'Ssm' },
};

/** Reads a Resource; undefined for everything that is not implemented. */
export function parseResource(resource: string): Integration | undefined {
  if (/^arn:[^:]+:lambda:[^:]+:[^:]+:function:.+$/.test(resource)) return { kind: 'function', arn: resource };
  const [, name] = /^arn:[^:]+:states:[^:]*:[^:]*:(.+)$/.exec(resource) ?? [];
  if (name === undefined) return undefined;
  const separator = name.lastIndexOf(':');
  const [resourceType, operation] = [name.slice(0, separator), name.slice(separator + 1)];
  const waitsForToken = operation.endsWith('.waitForTaskToken');
  const service = resourceType.startsWith('aws-sdk:') ? resourceType.slice('aws-sdk:'.length) : undefined;
  const known =
    service === undefined
      ? optimized.has(name)
      : Object.hasOwn(sdkServices, service) && /^[a-z]\w*(\.waitForTaskToken)?$/i.test(operation);
  return known ? { kind: 'service', resourceType, resource: operation, waitsForToken } : undefined;
}

/** Watches executions as they go, and can interfere with their tasks; the rehearsal's faults come in here. */
export interface ExecutionObserver {
  onHistoryEvent?(executionArn: string, event: HistoryEvent): void;
  /**
   * Runs before (after) each attempt of a task has its effect. What it throws, `{error, cause}`, is what the attempt
   * fails with; while its promise is open the attempt's time goes on. `attempt` counts from 1.
   */
  beforeTask?(stateName: string, executionArn: string, attempt: number): Promise<void>;
  afterTask?(stateName: string, executionArn: string, attempt: number): Promise<void>;
}

/** The members that a `TaskError` has when it is serialised for `$states.errorOutput`. */
export function errorOutput(error: string | undefined, cause: string | undefined): JsonObject {
  return {
    ...(error === undefined ? {} : { Error: error }),
    ...(cause === undefined ? {} : { Cause: cause }),
  };
}
