import * as z from 'zod/mini';
import { PolicyInvalid } from './errors';

const seconds = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));

/** Shape of the password rules, which travel from the plan to CreateSecret. */
export const passwordRules = z.strictObject({
  /** Characters; the target's own limit applies too. */
  length: z._default(z.int().check(z.gte(12), z.lte(128)), 32),
  /** Characters that never occur, as in AWS's ExcludeCharacters. */
  excludeCharacters: z._default(z.string(), ''),
  /** Character classes of which at least one character occurs. */
  require: z._default(z.array(z.enum(['lower', 'upper', 'digit', 'punctuation'])), [
    'lower',
    'upper',
    'digit',
  ]),
});

const drainRules = z.strictObject({
  /** How long nobody may have logged in with the old credential before it is retired. */
  quietSeconds: z._default(seconds(0, 3600), 5),
  /** How long to wait for that, from the last acknowledgement. */
  deadlineSeconds: z._default(seconds(1, 604_800), 3600),
  /** Pooled sessions that were opened before the last acknowledgement: say who holds them, or wait for their end too. */
  openSessions: z._default(z.enum(['report', 'block']), 'report'),
});

const consumerCaps = z.strictObject({
  /** No consumer is waited for longer than this, whatever its own enrolment says. */
  maxDeadlineSeconds: z._default(seconds(1, 604_800), 86_400),
  /** Who may be `required`; everybody else counts as `optional`. Absent: everybody may. */
  mayRequire: z.optional(z.array(z.string())),
});

const policySchema = z.strictObject({
  rotator: z.optional(z.string()),
  /** Name or ARN of the admin's secret; absent: what the secret's own `masterarn` says. */
  admin: z.optional(z.string()),
  onRefusal: z._default(z.enum(['back', 'hold']), 'back'),
  onSilence: z._default(z.enum(['back', 'hold']), 'hold'),
  /** `stop` the old credential once it is drained, or `leave` it working until the next rotation. */
  retire: z._default(z.enum(['stop', 'leave']), 'stop'),
  drain: z._default(drainRules, drainRules.parse({})),
  /** How long to try an unreachable target. With what else comes before FinishSecret it must fit 14 minutes. */
  patienceSeconds: z._default(seconds(0, 14_400), 600),
  password: z._default(passwordRules, passwordRules.parse({})),
  consumers: z._default(consumerCaps, consumerCaps.parse({})),
});

const enrolmentSchema = z.strictObject({
  /** Whether the rotation waits for this application's word, and stops without it. */
  acknowledge: z._default(z.enum(['required', 'optional', 'none']), 'required'),
  phase: z._default(z.enum(['load']), 'load'),
  wave: z._default(z.int().check(z.gte(1), z.lte(100)), 1),
  deadlineSeconds: z._default(seconds(1, 604_800), 900),
  /** How often it is asked again within the deadline, at even intervals. */
  reminders: z._default(z.int().check(z.gte(0), z.lte(10)), 2),
  /** Account from which the acknowledgement must come; absent: the orchestrator's own. */
  account: z.optional(z.string().check(z.regex(/^\d{12}$/))),
  /** Whom to ask about it. */
  owner: z.optional(z.string()),
});

/** How one secret is rotated; every field has a default. */
export type Policy = z.infer<typeof policySchema>;
/** What may be written into the policy parameter. */
export type PolicyInput = z.input<typeof policySchema>;
/** How one application takes part; every field has a default. */
export type Enrolment = z.infer<typeof enrolmentSchema>;
/** What may be written into a consumer's parameter. */
export type EnrolmentInput = z.input<typeof enrolmentSchema>;
export type PasswordRules = z.infer<typeof passwordRules>;

/** Reads a policy parameter's text; `{}` and absence are valid. PolicyInvalid names the field. */
export function parsePolicy(text: string | undefined, where: string): Policy {
  const policy = parse(policySchema, text ?? '{}', where);
  const { quietSeconds, deadlineSeconds } = policy.drain;
  if (quietSeconds >= deadlineSeconds)
    throw new PolicyInvalid(`${where}: field drain.quietSeconds: must be less than drain.deadlineSeconds`);
  return policy;
}

/** Reads a consumer's parameter. PolicyInvalid names the field. */
export function parseEnrolment(text: string, where: string): Enrolment {
  return parse(enrolmentSchema, text, where);
}

function parse<Schema extends z.ZodMiniType>(schema: Schema, text: string, where: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyInvalid(`${where} is not JSON`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${[...issue.path, issue.keys.join(', ')].join('.')}`
      : `field ${issue.path.join('.') || '(whole text)'}: ${allowed(issue)}`,
  );
  throw new PolicyInvalid(`${where}: ${faults.join('; ')}`);
}

/** zod/mini ships no messages of its own; this says what would have been right, and never what was given. */
function allowed(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must be at least ${String(issue.minimum)}`;
    case 'too_big':
      return `must be at most ${String(issue.maximum)}`;
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
    case 'custom':
      return 'has a wrong form';
  }
}
