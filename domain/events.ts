import * as z from 'zod/mini';

/** Name of the bus that every rotation speaks on, unless the infrastructure names another. */
export const busName = 'rotor';

/** Source of what Rotor says; only its own roles may use it. */
export const rotorSource = 'rotor';

/** Source of what applications say. */
export const consumerSource = 'rotor.consumer';

/** Source of what operators decide about a rotation that waits for them. */
export const operatorSource = 'rotor.operator';

/** The detail types of all events. */
export const detailTypes = {
  started: 'Secret Rotation Started',
  refreshRequested: 'Secret Refresh Requested',
  refreshAcknowledged: 'Secret Refresh Acknowledged',
  succeeded: 'Secret Rotation Succeeded',
  failed: 'Secret Rotation Failed',
  held: 'Secret Rotation Held',
  decided: 'Secret Rotation Decided',
} as const;

/**
 * What an operator may decide about a rotation that is held: ask those again who have not acknowledged, go back to the
 * credential from before, or stop that one all the same.
 */
export const decisions = ['resume', 'back', 'accept'] as const;

export type Decision = (typeof decisions)[number];

const secret = z.object({ arn: z.string(), name: z.string() });

const envelope = {
  schemaVersion: z.literal('1'),
  rotationId: z.string(),
  secret,
  versionId: z.string(),
  previousVersionId: z.string(),
  time: z.string(),
};

const consumerOutcome = z.object({
  name: z.string(),
  wave: z.number(),
  required: z.boolean(),
  outcome: z.enum(['loaded', 'refused', 'silent', 'skipped']),
  /** From the first asking to the answer. */
  ms: z.number(),
  /** How often it was asked again. */
  reminders: z.number(),
  /** The group of optional consumers that it belongs to. */
  group: z.nullable(z.string()),
});

const sessionHolder = z.object({
  application: z.nullable(z.string()),
  clientAddress: z.nullable(z.string()),
  count: z.number(),
  newestBegan: z.nullable(z.string()),
  oldestBegan: z.nullable(z.string()),
  /** How long the oldest had been open when it was seen last; null where the target does not know. */
  openSeconds: z.nullable(z.number()),
});

/** What operators decided while the rotation waited for them, in order. */
const decisionsMade = z.array(z.object({ decision: z.enum(decisions), by: z.string(), time: z.string() }));

/** The shape of every event's detail, by detail type. */
export const eventSchemas = {
  [detailTypes.started]: z.object({ ...envelope, rotator: z.string(), overlap: z.string() }),
  [detailTypes.refreshRequested]: z.object({
    ...envelope,
    consumer: z.string(),
    /** `verify`: try the version by its id and go on with AWSCURRENT; `load`: load what AWSCURRENT names. */
    phase: z.enum(['load', 'verify']),
    wave: z.number(),
    deadline: z.nullable(z.string()),
    taskToken: z.nullable(z.string()),
  }),
  [detailTypes.refreshAcknowledged]: z.object({
    schemaVersion: z.literal('1'),
    consumer: z.string().check(z.minLength(1), z.maxLength(256)),
    secret,
    versionId: z.string().check(z.minLength(1), z.maxLength(64)),
    taskToken: z.string().check(z.minLength(1), z.maxLength(2048)),
    outcome: z.enum(['loaded', 'refused', 'working']),
    reason: z.optional(z.string()),
    time: z.string(),
  }),
  [detailTypes.succeeded]: z.object({
    ...envelope,
    rotator: z.string(),
    consumers: z.array(consumerOutcome),
    durationMs: z.number(),
    /** Without overlap: since when the previous credential did not work while AWSCURRENT still named it. */
    gapMs: z.nullable(z.number()),
    /** Still open with the previous credential at the last look before it was stopped. */
    sessions: z.array(sessionHolder),
    /** Those that were ended once it was stopped. */
    ended: z.array(sessionHolder),
    decisions: decisionsMade,
  }),
  [detailTypes.failed]: z.object({
    ...envelope,
    state: z.string(),
    error: z.string(),
    cause: z.string(),
    outcome: z.enum(['unchanged', 'reverted', 'kept', 'revert-failed']),
    /** The version that AWSCURRENT names; null where it could not be found out. */
    current: z.nullable(z.string()),
    decisions: decisionsMade,
  }),
  [detailTypes.held]: z.object({
    ...envelope,
    state: z.string(),
    error: z.string(),
    cause: z.string(),
    /** Who has answered so far, and how. */
    consumers: z.array(consumerOutcome),
    choices: z.array(z.enum(decisions)),
  }),
  [detailTypes.decided]: z.object({
    schemaVersion: z.literal('1'),
    decision: z.enum(decisions),
    /** Consumers that are not asked again when the rotation resumes; they count as optional from then on. */
    skip: z._default(z.array(z.string().check(z.minLength(1), z.maxLength(256))).check(z.maxLength(100)), []),
    taskToken: z.string().check(z.minLength(1), z.maxLength(2048)),
    /** Who decided; stands in the event of the rotation's end. */
    by: z.string().check(z.minLength(1), z.maxLength(256)),
  }),
} as const;

export type Acknowledgement = z.infer<(typeof eventSchemas)['Secret Refresh Acknowledged']>;
export type RotationFailure = z.infer<(typeof eventSchemas)['Secret Rotation Failed']>;
export type ConsumerOutcome = z.infer<typeof consumerOutcome>;
