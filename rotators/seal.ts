import type * as z from 'zod/mini';
import {
  InvocationMalformed,
  PolicyInvalid,
  RotorError,
  rotorErrors,
  RotatorUnknown,
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
export function seal<Secret extends object, Admin extends object, Settings extends object>(
  definition: RotatorDefinition<Secret, Admin, Settings>,
  load: () => Promise<Rotator<Secret, Admin, Settings>>,
): SealedRotator {
  async function guarded<Result>(
    texts: readonly string[],
    context: RotatorContext<string>,
    run: (
      rotator: Rotator<Secret, Admin, Settings>,
      secrets: readonly Secret[],
      context: RotatorContext<Admin, Settings>,
    ) => Promise<Result>,
  ): Promise<{ result: Result; redact: (text: string) => string }> {
    const settings = parseSettings(definition.settings, context.settings);
    const secrets = texts.map((text) => parse(definition.secret, text, 'secret'));
    const hidden = new Set(secrets.flatMap((secret) => definition.sensitive(secret, settings)));
    const parseAdmin = (text: string) => {
      const admin = parse(definition.admin, text, 'admin secret');
      for (const value of definition.sensitive(admin, settings)) hidden.add(value);
      return admin;
    };
    const { readAdminAgain } = context;
    try {
      const inner: RotatorContext<Admin, Settings> = {
        ...context,
        settings,
        admin: context.admin === undefined ? undefined : parseAdmin(context.admin),
        readAdminAgain:
          readAdminAgain === undefined ? undefined : async () => parseAdmin(await readAdminAgain()),
      };
      context.signal.throwIfAborted();
      const rotator = await load().catch(leftOut);
      const result = await withinDeadline(run(rotator, secrets, inner), context.signal);
      return { result, redact: redactor(hidden) };
    } catch (error) {
      throw withoutSecrets(context.signal.aborted ? outOfTime() : error, redactor(hidden));
    }
  }

  const one = (secrets: readonly Secret[]) => present(secrets[0]);
  const change = (secrets: readonly Secret[]) => ({ from: present(secrets[0]), to: present(secrets[1]) });

  return {
    example: definition.example,
    traits: (settings) => definition.traits(parseSettings(definition.settings, settings)),
    claims: (text) => definition.claims(parseObject(text, 'secret')),
    principal: (text, settings) =>
      definition.principal(
        parse(definition.secret, text, 'secret'),
        parseSettings(definition.settings, settings),
      ),
    adminArn: (text) => definition.adminArn(parse(definition.secret, text, 'secret')),
    create: async (from, context, options) => {
      // A version from before the enrolment may have another shape; nothing of this rotator's stands in it.
      const ofThisShape = (texts: readonly string[]) => texts.filter((text) => isOf(definition.secret, text));
      const others = ofThisShape(options.others);
      const pinned = ofThisShape(options.pinned ?? []);
      const { result } = await guarded([from, ...others, ...pinned], context, (rotator, secrets, c) => {
        const [, ...rest] = secrets;
        return rotator.create(one(secrets), c, {
          ...options,
          others: rest.slice(0, others.length),
          pinned: rest.slice(others.length),
        });
      });
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
      return {
        ...result,
        begun: withCleanNames(result.begun, redact),
        open: withCleanNames(result.open, redact),
      };
    },
    retire: async ({ from, to }, context) => {
      await guarded([from, to], context, (rotator, secrets, c) => rotator.retire(change(secrets), c));
    },
    end: async (secret, context) => {
      const { result, redact } = await guarded([secret], context, (rotator, secrets, c) => {
        if (rotator.end === undefined)
          throw new InvocationMalformed('this rotator cannot end the sessions of a credential');
        return rotator.end(one(secrets), c);
      });
      return withCleanNames(result, redact);
    },
  };
}

/** An application's name is free text, and some put their connection string there. */
function withCleanNames(
  holders: readonly SessionHolder[],
  redact: (text: string) => string,
): readonly SessionHolder[] {
  return holders.map((holder) => ({
    ...holder,
    application: holder.application === null ? null : redact(holder.application),
  }));
}

function parse<Shape>(schema: z.ZodMiniType<Shape>, text: string, what: string): Shape {
  const parsed = schema.safeParse(parseObject(text, what));
  if (parsed.success) return parsed.data;
  // Paths alone: a value, even a wrong one, may be the password in the wrong place.
  const fields = new Set(parsed.error.issues.map((issue) => issue.path.join('.')));
  throw new SecretMalformed(`${what} has a wrong or missing field: ${[...fields].join(', ')}`);
}

/** Whether a text is a secret of this shape. */
function isOf(schema: z.ZodMiniType, text: string): boolean {
  try {
    return schema.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
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

function parseSettings<Shape>(schema: z.ZodMiniType<Shape>, value: unknown): Shape {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${[...issue.path, issue.keys.join(', ')].join('.')}`
      : `wrong or missing field ${issue.path.join('.') || '(all of them)'}${ruleOf(issue)}`,
  );
  throw new PolicyInvalid(`settings of the rotator: ${faults.join('; ')}`);
}

/** What would have been right; zod/mini has no words of its own for it. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return `: must be of type ${issue.expected}`;
  if (issue.code === 'invalid_value') return `: must be one of ${issue.values.map(String).join(', ')}`;
  return issue.message === '' || issue.message === 'Invalid input' ? '' : `: ${issue.message}`;
}

/** What a bundle answers that was made for other rotators only. */
function leftOut(error: unknown): never {
  if (textMember(error, 'code') !== 'MODULE_NOT_FOUND') throw error;
  throw new RotatorUnknown(
    'the functions were deployed without this rotator; name it among the rotators of the RotationOrchestrator',
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

/** Step Functions takes 32,768 characters of cause, cut JSON cannot be read any more, and people read no further. */
const longestMessage = 1500;

/**
 * A new error of the same name, with nothing but a redacted message and stack.
 *
 * Two layers: what is no error of Rotor's own becomes TargetRefused and loses all its members (a driver's error carries
 * the statement that failed, and its cause), and what is left of text is redacted.
 */
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
function textMember(error: unknown, name: 'message' | 'code'): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new InvocationMalformed('a secret is missing');
  return value;
}
