import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';
import { TargetRefused } from '../../domain/errors';
import { withAdmin } from '../admin';
import type { RotatorContext, Verb } from '../rotator';
import { schemaVersion, type Members, type OwnRequests } from './contract';
import type { OwnSecret, OwnSettings } from './definition';
import { classified, failureOf, namedError } from './errors';

const answer = z.union([
  z.object({
    schemaVersion: z.literal(schemaVersion),
    error: z.object({ name: z.string(), message: z.string() }),
  }),
  z.object({ schemaVersion: z.literal(schemaVersion), result: z.looseObject({}) }),
]);

/** The request without what every request has. */
export type Question<V extends Verb> = Omit<OwnRequests[V], 'options' | 'public' | 'admin'>;

type Context = RotatorContext<OwnSecret, OwnSettings>;

/**
 * Invokes the team's function with one verb, and reads its result by `shape`; an admin that is refused is read once more.
 *
 * The payload is the one place where secrets leave Rotor's function: Lambda encrypts it on its way and logs it nowhere.
 */
export async function ask<V extends Verb, Result>(
  verb: V,
  question: Question<V>,
  shape: z.ZodMiniType<Result>,
  context: Context,
): Promise<Result> {
  return withAdmin(context.admin, context, isDeepStrictEqual, (admin) =>
    askOnce(verb, question, shape, context, admin),
  );
}

async function askOnce<V extends Verb, Result>(
  verb: V,
  question: Question<V>,
  shape: z.ZodMiniType<Result>,
  { settings, signal }: Context,
  admin: OwnSecret | undefined,
): Promise<Result> {
  const what = `${verb} by ${settings.function}`;
  const payload = await invoke(settings.function, signal, what, {
    schemaVersion,
    verb,
    ...question,
    options: settings.options,
    public: [settings.principal, ...settings.public],
    ...(admin === undefined ? {} : { admin }),
  });
  const parsed = answer.safeParse(payload);
  if (!parsed.success)
    throw new TargetRefused(`${what}: the answer is none of the contract's, schemaVersion ${schemaVersion}`);
  if ('error' in parsed.data) {
    const { name, message } = parsed.data.error;
    throw namedError(name, `${what}: ${message}`);
  }
  const result = shape.safeParse(parsed.data.result);
  if (result.success) return result.data;
  // Paths alone: a value may be a credential in the wrong place.
  const fields = result.error.issues.map((issue) => issue.path.join('.') || '(all of it)');
  throw new TargetRefused(`${what}: the result is wrong in ${fields.join(', ')}`);
}

async function invoke(arn: string, signal: AbortSignal, what: string, request: Members): Promise<unknown> {
  const [, , , region = ''] = arn.split(':');
  const client = new LambdaClient({ region });
  try {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: arn, Payload: JSON.stringify(request) }),
      { abortSignal: signal },
    );
    const payload = parseJson(Payload?.transformToString() ?? '');
    if (FunctionError !== undefined) throw failureOf(payload, what);
    return payload;
  } catch (error) {
    throw classified(error, what);
  } finally {
    client.destroy();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    return undefined;
  }
}
