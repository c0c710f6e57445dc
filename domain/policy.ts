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

/** What becomes of sessions that stay open. */
export const openSessions = ['report', 'block', 'end'] as const;

/** What a rotator has to be able to do at its target, for the rule that a policy has for open sessions. */
export interface SessionTraits {
  readonly usage: boolean;
  readonly endsSessions: boolean;
}

const drainRules = z.strictObject({
  /** How long nobody may have logged in with the old credential before it is retired. */
  quietSeconds: z._default(seconds(0, 3600), 5),
  /** How long to wait for that, from the last acknowledgement. */
  deadlineSeconds: z._default(seconds(1, 604_800), 3600),
  /**
   * Pooled sessions that were opened before the last acknowledgement: `report` who holds them; `block`, wait for their end
   * too; `end`, wait until the deadline, and end those that are open then once the credential is stopped.
   */
  openSessions: z._default(z.enum(openSessions), 'report'),
});

const consumerCaps = z.strictObject({
  /** No consumer is waited for longer than this, whatever its own enrolment says. */
  maxDeadlineSeconds: z._default(seconds(1, 604_800), 86_400),
  /** How long verifying may take: it comes before AWSCURRENT moves, and all of that must fit 14 minutes. */
  maxVerifySeconds: z._default(seconds(1, 14_400), 180),
  /** Time between two waves, in which the new credential shows that it works. */
  pauseSeconds: z._default(seconds(0, 86_400), 0),
  /** Groups of optional consumers of which a share has to load the new version, from 0 to 1: missing it is like silence. */
  quorum: z._default(z.record(z.string(), z.number().check(z.gt(0), z.lte(1))), {}),
  /** Who may be `required`; everybody else counts as `optional`. Absent: everybody may. */
  mayRequire: z.optional(z.array(z.string())),
});

/** A document's name (AWS: Systems Manager, CreateDocument, "Name"), or the ARN of one that another account shares. */
const calendarReference = z
  .string()
  .check(z.regex(/^(?:arn:[^:\s]+:ssm:[a-z0-9-]+:\d{12}:document\/)?[A-Za-z0-9_.-]{3,128}$/));

const rotationGroup = z.strictObject({
  /** Secrets whose policies name the same group never rotate at the same time. */
  name: z.string().check(z.minLength(1), z.maxLength(64)),
  /** Time between the end of one member's rotation and the beginning of the next one's. */
  minimumDistanceSeconds: z._default(seconds(0, 86_400), 0),
});

const policySchema = z.strictObject({
  rotator: z.optional(z.string()),
  /** What the rotator has to know about its target beyond the secret; public, like all of the policy. */
  settings: z._default(z.record(z.string(), z.unknown()), {}),
  /** Name or ARN of the admin's secret; absent: what the secret's own `masterarn` says. */
  admin: z.optional(z.string()),
  onRefusal: z._default(z.enum(['back', 'hold']), 'back'),
  onSilence: z._default(z.enum(['back', 'hold']), 'hold'),
  /** `stop` the old credential once it is drained, or `leave` it working until the next rotation. */
  retire: z._default(z.enum(['stop', 'leave']), 'stop'),
  drain: z._default(drainRules, drainRules.parse({})),
  /** How long to try an unreachable target. With what else comes before FinishSecret it must fit 14 minutes. */
  patienceSeconds: z._default(seconds(0, 14_400), 600),
  /** How long regions with a replica may take to serve the version that AWSCURRENT names, before the rotation is held. */
  replicaDeadlineSeconds: z._default(seconds(1, 86_400), 900),
  password: z._default(passwordRules, passwordRules.parse({})),
  consumers: z._default(consumerCaps, consumerCaps.parse({})),
  /** `compromised`: somebody else may have the credential, and no change calendar and no group holds the rotation up. */
  urgency: z._default(z.enum(['routine', 'compromised']), 'routine'),
  /**
   * Names or ARNs of change calendars of Systems Manager, all of which must be open when a rotation begins. AWS
   * documents no limit of a request; ten are more than one secret needs.
   */
  changeCalendars: z._default(z.array(calendarReference).check(z.maxLength(10)), []),
  group: z.optional(rotationGroup),
});

const enrolmentSchema = z.strictObject({
  /** Whether the rotation waits for this application's word, and stops without it. */
  acknowledge: z._default(z.enum(['required', 'optional', 'none']), 'required'),
  /** `verify`: it also tries the new version on its own way to the target before AWSCURRENT names it. */
  phase: z._default(z.enum(['load', 'verify']), 'load'),
  wave: z._default(z.int().check(z.gte(1), z.lte(100)), 1),
  deadlineSeconds: z._default(seconds(1, 604_800), 900),
  /** How often it is asked again within the deadline, at even intervals. */
  reminders: z._default(z.int().check(z.gte(0), z.lte(10)), 2),
  /** Group of optional consumers that the policy may have a quorum for. */
  group: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
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
  if (policy.drain.openSessions === 'end' && policy.retire === 'leave')
    throw new PolicyInvalid(
      `${where}: field drain.openSessions: cannot be end with retire leave, since sessions would come back`,
    );
  return policy;
}

/**
 * Refuses a rule for open sessions that a rotator could not keep: it would be passed over without a word. PolicyInvalid.
 */
export function refuseUnkept(
  rule: Policy['drain']['openSessions'],
  traits: SessionTraits,
  rotator: string,
): void {
  if (rule === 'block' && !traits.usage)
    throw new PolicyInvalid(
      `drain.openSessions is block, and with rotator ${rotator} nobody can tell which sessions are open`,
    );
  if (rule === 'end' && !traits.endsSessions)
    throw new PolicyInvalid(
      `drain.openSessions is end, and rotator ${rotator} cannot end the sessions of a stopped credential`,
    );
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
