/**
 * The program inside a worker: what AWS's Node runtime does between the Lambda service and a handler.
 *
 * It loads the handler once, then answers one event after the other; module state survives between them. It is
 * compiled on its own and evaluated as text, so it imports nothing of this project but types, and no TypeScript
 * loader of the parent is started in every worker.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, types } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import type { InvokeMessage, WorkerMessage, WorkerSettings } from './messages';

type Handler = (event: unknown, context: object) => unknown;

const settings = workerData as WorkerSettings;
let current: InvokeMessage | undefined;

function tell(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

/** An error of the runtime itself, under the name that Lambda gives it. */
function runtimeError(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** The document that a caller gets: the error's name decides what a state machine can match on. */
function describeFailure(thrown: unknown): string {
  if (types.isNativeError(thrown))
    return JSON.stringify({
      errorType: thrown.name,
      errorMessage: thrown.message,
      trace: (thrown.stack ?? '').split('\n'),
    });
  return JSON.stringify({ errorType: typeof thrown, errorMessage: String(thrown), trace: [] });
}

function writeLog(level: string, parts: readonly unknown[]): void {
  const timestamp = new Date().toISOString();
  if (settings.logFormat === 'JSON') {
    const [only] = parts;
    const message =
      parts.length === 1 && typeof only === 'object' && only !== null && !types.isNativeError(only)
        ? only
        : format(...parts);
    tell({
      kind: 'line',
      line: JSON.stringify({ timestamp, level, requestId: current?.requestId, message }),
    });
    return;
  }
  // A carriage return keeps the lines of one call together as one log event, as AWS's runtime does it.
  const text = format(...parts).replaceAll('\n', '\r');
  tell({ kind: 'line', line: `${timestamp}\t${current?.requestId ?? 'undefined'}\t${level}\t${text}` });
}

function captureConsole(): void {
  const levels = {
    log: 'INFO',
    info: 'INFO',
    debug: 'DEBUG',
    warn: 'WARN',
    error: 'ERROR',
    trace: 'TRACE',
  } as const;
  for (const [method, level] of Object.entries(levels))
    Object.assign(console, { [method]: (...parts: unknown[]) => writeLog(level, parts) });
  for (const stream of [process.stdout, process.stderr]) captureWrites(stream);
}

/** Takes raw writes line by line through the same port as the results, so that no line arrives after its END. */
function captureWrites(stream: NodeJS.WriteStream): void {
  let rest = '';
  const write = (chunk: Uint8Array | string): boolean => {
    const lines = (rest + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) tell({ kind: 'line', line });
    return true;
  };
  Object.assign(stream, {
    write(chunk: Uint8Array | string, ...others: unknown[]): boolean {
      const done = others.find((other): other is () => void => typeof other === 'function');
      const written = write(chunk);
      if (done !== undefined) process.nextTick(done);
      return written;
    },
  });
}

async function loadHandler(): Promise<Handler> {
  const [file = '', name = ''] = settings.handler.split(/\.(?=[^.]*$)/);
  const base = join(settings.codeDirectory, file);
  const path = ['.js', '.mjs', '.cjs'].map((suffix) => base + suffix).find(existsSync);
  if (path === undefined)
    throw runtimeError('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  const loaded = await importCode(path);
  const handler = loaded[name];
  if (typeof handler !== 'function')
    throw runtimeError('Runtime.HandlerNotFound', `${settings.handler} is undefined or not exported`);
  if (handler.length >= 3)
    throw runtimeError(
      'Runtime.CallbackHandlerDeprecated',
      `${settings.handler} takes a callback, which current Node runtimes no longer call`,
    );
  return handler as Handler;
}

async function importCode(path: string): Promise<Record<string, unknown>> {
  try {
    const loaded: unknown = path.endsWith('.mjs')
      ? await import(pathToFileURL(path).href)
      : createRequire(path)(path);
    return loaded as Record<string, unknown>;
  } catch (thrown) {
    if (!types.isNativeError(thrown)) throw thrown;
    if (thrown instanceof SyntaxError) throw runtimeError('Runtime.UserCodeSyntaxError', String(thrown));
    if ('code' in thrown && thrown.code === 'MODULE_NOT_FOUND')
      throw runtimeError('Runtime.ImportModuleError', String(thrown));
    throw thrown;
  }
}

function contextOf(message: InvokeMessage): object {
  const deadline = performance.now() + message.remainingMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: settings.functionName,
    functionVersion: settings.functionVersion,
    invokedFunctionArn: message.functionArn,
    memoryLimitInMB: settings.memoryLimitInMB,
    awsRequestId: message.requestId,
    logGroupName: settings.logGroupName,
    logStreamName: settings.logStreamName,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
  };
}

function serialise(result: unknown): string {
  let payload: string;
  try {
    payload = JSON.stringify(result === undefined ? null : result);
  } catch {
    throw new Error('Unable to stringify response body');
  }
  if (Buffer.byteLength(payload) > settings.responseLimitBytes)
    throw runtimeError(
      'Function.ResponseSizeTooLarge',
      `Response payload size exceeded maximum allowed payload size (${settings.responseLimitBytes} bytes).`,
    );
  return payload;
}

async function answer(handler: Handler, message: InvokeMessage): Promise<void> {
  current = message;
  process.env['_X_AMZN_TRACE_ID'] = message.traceHeader;
  try {
    const event: unknown = JSON.parse(message.event);
    const payload = serialise(await handler(event, contextOf(message)));
    tell({ kind: 'returned', payload, heapBytes: process.memoryUsage().heapUsed });
  } catch (thrown) {
    const failure = describeFailure(thrown);
    writeLog('ERROR', ['Invoke Error \t%s', failure]);
    tell({ kind: 'threw', failure, heapBytes: process.memoryUsage().heapUsed });
  }
}

function endWith(thrown: unknown, heading: string, exitCode: number): never {
  const failure = describeFailure(thrown);
  writeLog('ERROR', [`${heading} \t%s`, failure]);
  tell({ kind: 'uncaught', failure });
  process.exit(exitCode);
}

captureConsole();
process.on('uncaughtException', (error) => endWith(error, 'Uncaught Exception', 129));
process.on('unhandledRejection', (reason) =>
  endWith(
    runtimeError('Runtime.UnhandledPromiseRejection', String(reason)),
    'Unhandled Promise Rejection',
    128,
  ),
);
loadHandler().then(
  (handler) => {
    parentPort?.on('message', (message: InvokeMessage) => void answer(handler, message));
    tell({ kind: 'ready' });
  },
  (thrown: unknown) => {
    const failure = describeFailure(thrown);
    writeLog('ERROR', ['Uncaught Exception \t%s', failure]);
    tell({ kind: 'init-failed', failure });
  },
);
