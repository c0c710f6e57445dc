import * as z from 'zod';
import { ServiceError, type Call } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { AsynchronousQueue } from './asynchronous';
import type { LambdaFunction } from './function';
import { eventLimitBytes, requestLimitBytes } from './limits';
import type { Runner } from './runner';

const invokeInput = z.object({
  FunctionName: z.string(),
  InvocationType: z.enum(['RequestResponse', 'Event', 'DryRun']).optional(),
  LogType: z.literal('None').optional(),
  Qualifier: z.string().optional(),
  Payload: z.union([z.string(), z.instanceof(Uint8Array)]).optional(),
});

/**
 * Runs Invoke on a function that the caller may invoke: synchronously, as an event, or not at all.
 *
 * `find` answers what is to be run at any moment: an event that is tried again runs what is deployed by then.
 */
export async function invoke(
  runner: Runner,
  queue: AsynchronousQueue,
  find: (reference: string, qualifier: string | undefined, call: Call) => () => LambdaFunction,
  input: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<object> {
  const request = parseInput('Invoke', invokeInput, input);
  const current = find(request.FunctionName, request.Qualifier, call);
  const fn = current();
  const type = request.InvocationType ?? 'RequestResponse';
  if (type === 'DryRun') return { StatusCode: 204, Payload: '' };
  const event = eventText(request.Payload, type);
  if (type === 'Event') {
    queue.accept(current, event, call.requestId);
    return { StatusCode: 202, Payload: '' };
  }
  const { payload, failed } = await runner.run(fn, event, call.requestId);
  return {
    StatusCode: 200,
    ExecutedVersion: fn.version,
    ...(failed ? { FunctionError: 'Unhandled' } : {}),
    Payload: payload,
  };
}

function eventText(payload: string | Uint8Array | undefined, type: 'RequestResponse' | 'Event'): string {
  const text = typeof payload === 'string' ? payload : Buffer.from(payload ?? []).toString();
  const limit = type === 'Event' ? eventLimitBytes : requestLimitBytes;
  if (Buffer.byteLength(text) > limit)
    throw new ServiceError(
      'RequestTooLargeException',
      `Request must be smaller than ${limit} bytes for the InvokeFunction operation`,
      413,
    );
  if (text === '') return '{}';
  try {
    JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which may hold a secret.
    throw new ServiceError('InvalidRequestContentException', 'Could not parse request body into json', 400, {
      Type: 'User',
    });
  }
  return text;
}
