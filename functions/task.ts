import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { InvocationMalformed } from '../domain/errors';
import { readEnvironment, type FunctionName } from './environment';

/** What the functions use of an invocation's context. */
export type Invocation = Pick<Context, 'invokedFunctionArn' | 'getRemainingTimeInMillis'>;

/** A Lambda handler as the runtime calls it. */
export type Handler = (event: unknown, context: Invocation) => Promise<unknown>;

/**
 * Wraps one task of the workflow: checks its input by shape, runs it, and leaves one line in the log for each.
 *
 * The line holds the ids of the input and the error's name, never the event and never a message that could quote a
 * secret: those go to the state machine, redacted by whoever raised them.
 */
export function task<Schema extends z.ZodMiniType<object>>(
  name: FunctionName,
  schema: Schema,
  run: (input: z.infer<Schema>, context: Invocation) => Promise<unknown>,
): Handler {
  return async (event, context) => {
    readEnvironment(name);
    const parsed = z.safeParse(schema, event);
    if (!parsed.success) {
      const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(whole input)');
      throw new InvocationMalformed(`${name}: wrong or missing: ${fields.join(', ')}`);
    }
    const startedAt = Date.now();
    try {
      const result = await run(parsed.data, context);
      log('info', 'done', { function: name, ...idsOf(parsed.data), ms: Date.now() - startedAt });
      return result;
    } catch (error) {
      const errorName = error instanceof Error ? error.name : 'unknown';
      log('error', 'failed', {
        function: name,
        ...idsOf(parsed.data),
        error: errorName,
        ms: Date.now() - startedAt,
      });
      throw error;
    }
  };
}

/** Writes one line of JSON to the function's log: a constant message and fields that are never secret. */
export function log(
  level: 'info' | 'warn' | 'error',
  message: string,
  fields: Readonly<Record<string, unknown>>,
): void {
  console.log(JSON.stringify({ level, message, ...fields }));
}

/** Aborts shortly before Lambda would end the function, so that it can still say why it gave up. */
export function deadlineOf(context: Invocation, reserveMs = 1500): AbortSignal {
  return AbortSignal.timeout(Math.max(1, context.getRemainingTimeInMillis() - reserveMs));
}

function idsOf(input: object): Record<string, unknown> {
  const known = [
    'secretArn',
    'versionId',
    'from',
    'to',
    'stop',
    'keep',
    'rotator',
    'action',
    'consumer',
    'state',
  ];
  return Object.fromEntries(
    Object.entries(input).filter(([key, value]) => known.includes(key) && typeof value === 'string'),
  );
}
