import * as z from 'zod';
import { detailTypes, eventSchemas } from '../../domain/events';
import type { ConsumerReport, Failure, Outcome, RotationReport } from './report';

const eventShape = z.looseObject({
  type: z.string(),
  timestamp: z.date(),
  stateEnteredEventDetails: z.looseObject({ name: z.string() }).optional(),
  taskFailedEventDetails: z.looseObject({ error: z.string().optional() }).optional(),
});

const scheduledShape = z.looseObject({
  taskScheduledEventDetails: z.looseObject({ parameters: z.string() }).optional(),
});

/** What the history of one execution tells about its way. */
export interface Way {
  readonly states: readonly string[];
  readonly transitions: number;
  readonly workflowMs: number;
  /** Tasks that the target refused a login. */
  readonly refusedTasks: number;
}

/** Reads the way of an execution from its history, as GetExecutionHistory answers it. */
export function wayOf(events: readonly unknown[]): Way {
  const read = events.map((event) => eventShape.parse(event));
  const states = read.flatMap(({ stateEnteredEventDetails: details }) =>
    details === undefined ? [] : [details.name],
  );
  // Each entry of a task schedules it once; every further schedule is a retry, and charged as a transition.
  const scheduled = read.filter(({ type }) => type === 'TaskScheduled').length;
  const tasks = read.filter(({ type }) => type === 'TaskStateEntered').length;
  const refused = read.filter(({ taskFailedEventDetails: failed }) =>
    ['CredentialRejected', 'AdminRejected'].includes(failed?.error ?? ''),
  );
  const times = read.map(({ timestamp }) => timestamp.getTime());
  return {
    states,
    transitions: states.length + Math.max(0, scheduled - tasks),
    workflowMs: times.length === 0 ? 0 : Math.round(Math.max(...times) - Math.min(...times)),
    refusedTasks: refused.length,
  };
}

const consumerShape = z.object({ name: z.string(), wave: z.number(), outcome: z.string(), ms: z.number() });
const successShape = z.object({ consumers: z.array(consumerShape), gapMs: z.number().nullable() });
const failureShape = z.object({
  state: z.string(),
  error: z.string(),
  outcome: z.enum(['unchanged', 'reverted', 'kept', 'revert-failed']),
  gapMs: z.number().nullable(),
  consumers: z.array(consumerShape),
});

/** An execution's end, as DescribeExecution answers it. */
export interface Ended {
  readonly status: string;
  readonly error?: string | undefined;
  readonly output?: string | undefined;
  readonly cause?: string | undefined;
}

/** What the end of an execution, or its waiting, says about the rotation. */
type End = Pick<RotationReport, 'outcome' | 'failure' | 'reason' | 'consumers' | 'gapMs'>;

/** What the end of an execution says about the rotation. An end that says nothing is a failure with a reason. */
export function endOf({ status, output, error, cause }: Ended): End {
  if (status === 'SUCCEEDED') {
    const success = successShape.parse(JSON.parse(output ?? '{}'));
    return {
      outcome: 'rotated',
      failure: null,
      reason: null,
      consumers: success.consumers,
      gapMs: success.gapMs ?? 0,
    };
  }
  const failure = failureShape.safeParse(parseOrNull(cause));
  if (!failure.success)
    return {
      outcome: 'failed',
      failure: null,
      reason: ['the execution ended as', status, error, cause].filter((word) => word !== undefined).join(' '),
      consumers: [],
      gapMs: 0,
    };
  const outcomes = {
    unchanged: 'reverted',
    reverted: 'reverted',
    kept: 'kept',
    'revert-failed': 'failed',
  } as const satisfies Record<Failure['outcome'], Outcome>;
  const { state, outcome, consumers, gapMs } = failure.data;
  return {
    outcome: outcomes[outcome],
    failure: { state, error: failure.data.error, outcome },
    reason: null,
    consumers,
    gapMs: gapMs ?? 0,
  };
}

/** What is told of an execution that nobody waits for any longer; `ended` is absent where it has not even begun. */
export function givenUp(
  executionArn: string,
  ended: Ended | undefined,
  { states }: Pick<Way, 'states'>,
  patienceMs: number,
): End {
  const where =
    ended === undefined
      ? 'has not begun'
      : `is ${ended.status}, last in the state ${states.at(-1) ?? 'none'}`;
  return {
    outcome: 'failed',
    failure: null,
    reason: `given up after ${patienceMs / 1000} s: the execution ${executionArn} ${where}`,
    consumers: [],
    gapMs: 0,
  };
}

const heldShape = z.object({
  Entries: z.tuple([
    z.object({
      Detail: z.object({ state: z.string(), error: z.string(), consumers: z.array(consumerShape) }),
    }),
  ]),
});

/** What the last announcement of a hold says about the rotation, from the history of its execution. */
export function heldAt(events: readonly unknown[]): End {
  const held = heldShape.safeParse(parseOrNull(lastSaid(events, detailTypes.held)));
  const detail = held.data?.Entries[0].Detail;
  return {
    outcome: 'held',
    failure: detail === undefined ? null : { state: detail.state, error: detail.error, outcome: 'kept' },
    reason: null,
    consumers: detail?.consumers ?? [],
    gapMs: 0,
  };
}

/** Adds to those whom a decision left out how they stood when the rotation was held for the last time. */
export function withHolds(
  consumers: readonly ConsumerReport[],
  events: readonly unknown[],
): readonly ConsumerReport[] {
  const held = heldAt(events).consumers;
  return consumers.map((consumer) => {
    const before = held.find(({ name, outcome }) => name === consumer.name && outcome !== 'skipped');
    return consumer.outcome !== 'skipped' || before === undefined
      ? consumer
      : { ...consumer, whenHeld: { outcome: before.outcome, ms: before.ms } };
  });
}

/**
 * Whether an execution waits for the answer to a token: its last event is that the task which was given the token has
 * been submitted.
 */
export function waitsFor(events: readonly unknown[], token: string): boolean {
  const last = events.at(-1);
  if (last === undefined || eventShape.parse(last).type !== 'TaskSubmitted') return false;
  const parameters = events
    .map((event) => scheduledShape.parse(event).taskScheduledEventDetails?.parameters)
    .findLast((given) => given !== undefined);
  return parameters?.includes(token) === true;
}

const holdersShape = eventSchemas[detailTypes.succeeded].shape.sessions;
const sessionsShape = z.object({
  Entries: z.tuple([z.object({ Detail: z.object({ sessions: holdersShape, ended: holdersShape }) })]),
});

/** Who held sessions when the old credential was stopped, and who was ended, as the event of the good end says it. */
export function sessionsAtEnd(events: readonly unknown[]): Pick<RotationReport, 'sessions' | 'ended'> {
  const said = sessionsShape.safeParse(parseOrNull(lastSaid(events, detailTypes.succeeded)));
  return said.data?.Entries[0].Detail ?? { sessions: [], ended: [] };
}

/** What the workflow last put on the bus under a detail type, with the type in it. */
function lastSaid(events: readonly unknown[], detailType: string): string | undefined {
  return events
    .map((event) => scheduledShape.parse(event).taskScheduledEventDetails?.parameters ?? '')
    .findLast((parameters) => parameters.includes(detailType));
}

function parseOrNull(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null;
  }
}
