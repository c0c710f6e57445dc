import type { Clock } from '../kernel/clock';

/** Keys of a role's session, as STS gives them. */
export interface SessionKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** When they end, in milliseconds of the cloud's clock; absent when they do not. */
  readonly expiresAt?: number | undefined;
}

/** When a fault strikes: before the handler has seen the event, or after it has returned. */
export type Moment = 'before' | 'after';

/** What a rehearsal may do to an invocation. `crash` and `timeout` really end the worker. */
export type Fault =
  | { readonly kind: 'crash' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'throttle' }
  | { readonly kind: 'error'; readonly errorType: string; readonly errorMessage: string };

/** What an invocation cost, for budgets and the bill. */
export interface InvocationRecord {
  readonly functionName: string;
  readonly requestId: string;
  readonly durationMs: number;
  readonly initMs?: number | undefined;
  readonly memoryMb: number;
  /** Name of the error that the caller got; absent on success. */
  readonly errorType?: string | undefined;
}

/** What Lambda needs from the rest of the embedded cloud. */
export interface LambdaPorts {
  /** Address of the gateway, given to functions as AWS_ENDPOINT_URL. */
  readonly endpoint: () => string;
  /** A session of the role; throws when the role does not trust `service`. */
  readonly assume: (
    roleArn: string,
    service: string,
    sessionName: string,
  ) => SessionKeys | Promise<SessionKeys>;
  readonly appendLog: (group: string, stream: string, line: string) => void;
  /** The folder where an uploaded zip lies unpacked; undefined when there is none. */
  readonly locateCode: (bucket: string, key: string) => string | undefined;
  /** Asked around every invocation. The event may hold secrets: look, do not keep. */
  readonly interfere?: (
    functionName: string,
    event: unknown,
    moment: Moment,
  ) => Fault | undefined | Promise<Fault | undefined>;
  readonly observe?: (record: InvocationRecord) => void;
  /** Told once a function when its role may not write logs, which AWS leaves unsaid. */
  readonly warn?: (message: string) => void;
  /**
   * The clock of time limits and of idle workers, the wall by default: code runs in real time, and a cloud whose
   * time is scaled would else end it before its first line.
   */
  readonly limits?: Clock;
  /** Longest idle time of a worker in milliseconds. */
  readonly idleMs?: number;
  /** Most idle workers kept, over all functions. */
  readonly idleWorkers?: number;
  /** How long a changed configuration or a new version takes, in milliseconds of the cloud's clock. */
  readonly applyingMs?: number;
  /** Asked when a changed configuration is about to be applied: why Lambda cannot, with AWS's code for it. */
  readonly refuseUpdate?: (
    functionName: string,
  ) => { readonly code: string; readonly reason: string } | undefined;
}
