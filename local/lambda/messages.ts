/** What a worker knows from its start on: which code to load and how to write logs. */
export interface WorkerSettings {
  readonly codeDirectory: string;
  /** As in the API: file and export, such as `index.handler`. */
  readonly handler: string;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly logFormat: 'Text' | 'JSON';
  readonly responseLimitBytes: number;
}

/** One event on its way into a worker. */
export interface InvokeMessage {
  readonly requestId: string;
  readonly functionArn: string;
  /** The event as JSON text. */
  readonly event: string;
  /** Time left, in milliseconds of the wall, because a worker's own clock is the wall. */
  readonly remainingMs: number;
  readonly traceHeader: string;
}

/** What a worker tells its environment. `failure` is the JSON document of an error, as Lambda answers it. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-failed'; readonly failure: string }
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'returned'; readonly payload: string; readonly heapBytes: number }
  | { readonly kind: 'threw'; readonly failure: string; readonly heapBytes: number }
  /** Something outside the handler's promise threw; the worker ends itself after this. */
  | { readonly kind: 'uncaught'; readonly failure: string };
