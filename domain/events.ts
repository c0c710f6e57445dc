import * as z from 'zod/mini';

/** Name of the bus that every rotation speaks on, unless the infrastructure names another. */
export const busName = 'rotor';

/** Source of what Rotor says; only its own roles may use it. */
export const rotorSource = 'rotor';

/** Source of what applications say. */
export const consumerSource = 'rotor.consumer';

/** The detail types of all events. */
export const detailTypes = {
  started: 'Secret Rotation Started',
  refreshRequested: 'Secret Refresh Requested',
  refreshAcknowledged: 'Secret Refresh Acknowledged',
  succeeded: 'Secret Rotation Succeeded',
  failed: 'Secret Rotation Failed',
} as const;

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
  outcome: z.enum(['loaded', 'refused', 'silent']),
  /** From the first asking to the answer. */
  ms: z.number(),
  /** How often it was asked again. */
  reminders: z.number(),
});

const sessionHolder = z.object({
  application: z.nullable(z.string()),
  clientAddress: z.nullable(z.string()),
  count: z.number(),
  newestBegan: z.string(),
  oldestBegan: z.string(),
});

/** The shape of every event's detail, by detail type. */
export const eventSchemas = {
  [detailTypes.started]: z.object({ ...envelope, rotator: z.string(), overlap: z.string() }),
  [detailTypes.refreshRequested]: z.object({
    ...envelope,
    consumer: z.string(),
    phase: z.literal('load'),
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
    sessions: z.array(sessionHolder),
  }),
  [detailTypes.failed]: z.object({
    ...envelope,
    state: z.string(),
    error: z.string(),
    cause: z.string(),
    outcome: z.enum(['unchanged', 'reverted', 'kept', 'revert-failed']),
    /** The version that AWSCURRENT names; null where it could not be found out. */
    current: z.nullable(z.string()),
  }),
} as const;

export type Acknowledgement = z.infer<(typeof eventSchemas)['Secret Refresh Acknowledged']>;
export type RotationFailure = z.infer<(typeof eventSchemas)['Secret Rotation Failed']>;
export type ConsumerOutcome = z.infer<typeof consumerOutcome>;
