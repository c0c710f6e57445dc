import type * as z from 'zod/mini';
import {
  InvocationMalformed,
  RotorError,
  rotorErrors,
  SecretMalformed,
  TargetRefused,
  TargetUnreachable,
} from '../domain/errors';
import { redactor } from './redaction';
import type { Rotator, RotatorContext, RotatorDefinition, SealedRotator, SessionHolder } from './rotator';

/**
 * Closes a rotator over its types: parses what Secrets Manager holds, loads the driver at the first verb, keeps the
 * deadline, and lets no sensitive value out in an error or a result. So a rotator holds only what differs.
 */
export function seal<Secret extends object, Admin extends object>(
  definition: RotatorDefinition<Secret, Admin>,
  load: () => Promise<Rotator<Secret, Admin>>,
): SealedRotator {
  async function guarded<Result>(
    texts: readonly string[],
    context: RotatorContext<string>,
    run: (
      rotator: Rotator<Secret, Admin>,
      secrets: readonly Secret[],
      context: RotatorContext<Admin>,
    ) => Promise<Result>,
  ): Promise<{ result: Result; redact: (text: string) => string }> {
    const secrets = texts.map((text) => parse(definition.secret, text, 'secret'));
    const hidden = new Set(secrets.flatMap((secret) => sensitiveValues(secret, definition.sensitive)));
    const parseAdmin = (text: string) => {
      const admin = parse(definition.admin, text, 'admin secret');
      for (const value of sensitiveValues(admin, definition.sensitive)) hidden.add(value);
      return admin;
    };
    const { readAdminAgain } = context;
    try {
      const inner: RotatorContext<Admin> = {
        ...context,
        admin: context.admin === undefined ? undefined : parseAdmin(context.admin),
        readAdminAgain:
          readAdminAgain === undefined ? undefined : async () => parseAdmin(await readAdminAgain()),
      };
      context.signal.throwIfAborted();
      const rotator = await load();
      const result = await withinDeadline(run(rotator, secrets, inner), context.signal);
      return { result, redact: redactor(hidden) };
    } catch (error) {
      throw withoutSecrets(context.signal.aborted ? outOfTime() : error, redactor(hidden));
    }
  }

  const one = (secrets: readonly Secret[]) => present(secrets[0]);
  const change = (secrets: readonly Secret[]) => ({ from: present(secrets[0]), to: present(secrets[1]) });

  return {
    traits: definition.traits,
    claims: (text) => definition.claims(parseObject(text, 'secret')),
    principal: (text) => definition.principal(parse(definition.secret, text, 'secret')),
    adminArn: (text) => definition.adminArn(parse(definition.secret, text, 'secret')),
    create: async (from, context) => {
      const { result } = await guarded([from], context, (rotator, secrets, c) =>
        rotator.create(one(secrets), c),
      );
      return JSON.stringify(result);
    },
    apply: async ({ from, to }, context, options) => {
      const { result } = await guarded([from, to], context, (rotator, secrets, c) =>
        rotator.apply(change(secrets), c, options),
      );
      return result;
    },
    verify: async (secret, context) => {
      await guarded([secret], context, (rotator, secrets, c) => rotator.verify(one(secrets), c));
    },
    usage: async (secret, query, context) => {
      const { result, redact } = await guarded([secret], context, (rotator, secrets, c) => {
        if (rotator.usage === undefined)
          throw new InvocationMalformed('this rotator cannot say who uses a credential');
        return rotator.usage(one(secrets), query, c);
      });
      // An application's name is free text, and some put their connection string there.
      const clean = (holder: SessionHolder) => ({
        ...holder,
        application: holder.application === null ? null : redact(holder.application),
      });
      return { ...result, begun: result.begun.map(clean), open: result.open.map(clean) };
    },
    retire: async ({ from, to }, context) => {
      await guarded([from, to], context, (rotator, secrets, c) => rotator.retire(change(secrets), c));
    },
  };
}

function parse<Shape>(schema: z.ZodMiniType<Shape>, text: string, what: string): Shape {
  const parsed = schema.safeParse(parseObject(text, what));
  if (parsed.success) return parsed.data;
  // Paths alone: a value, even a wrong one, may be the password in the wrong place.
  const fields = new Set(parsed.error.issues.map((issue) => issue.path.join('.')));
  throw new SecretMalformed(`${what} has a wrong or missing field: ${[...fields].join(', ')}`);
}

function parseObject(text: string, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // JSON.parse's own message quotes the text.
    throw new SecretMalformed(`${what} is not JSON`);
  }
  if (!isObject(value)) throw new SecretMalformed(`${what} is not a JSON object`);
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sensitiveValues(secret: object, members: readonly string[]): string[] {
  return Object.entries(secret).flatMap(([name, value]) =>
    members.includes(name) && typeof value === 'string' ? [value] : [],
  );
}

/** The verb goes on until its own connection notices the signal; nobody waits for that. */
function withinDeadline<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(outOfTime());
    signal.addEventListener('abort', onAbort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function outOfTime(): TargetUnreachable {
  return new TargetUnreachable('ran out of time before the target had answered');
}

/**
 * A new error of the same name, with nothing but a redacted message and stack.
 *
 * Two layers: what is no error of Rotor's own becomes TargetRefused and loses all its members (a driver's error carries
 * the statement that failed, and its cause), and what is left of text is redacted.
 */
/** Step Functions takes 32,768 characters of cause, cut JSON cannot be read any more, and people read no further. */
const longestMessage = 1500;

function withoutSecrets(error: unknown, redact: (text: string) => string): RotorError {
  const known =
    error instanceof RotorError ? rotorErrors[error.name as keyof typeof rotorErrors] : TargetRefused;
  const message = redact(textMember(error, 'message') ?? String(error));
  const safe = new known(message.length > longestMessage ? `${message.slice(0, longestMessage)} …` : message);
  // Lambda would send the stack along, and with it the message once more.
  safe.stack = `${safe.name}: ${safe.message}`;
  return safe;
}

/** Not by `instanceof Error`: an error from another realm, as worker threads and test runners have them, is none here. */
function textMember(error: unknown, name: 'message' | 'stack'): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new InvocationMalformed('a secret is missing');
  return value;
}
