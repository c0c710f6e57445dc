import * as z from 'zod';
import type { Json, JsonObject } from './json';

/** One entry of a state's Retry. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number | undefined;
  readonly BackoffRate?: number | undefined;
  readonly MaxAttempts?: number | undefined;
  readonly MaxDelaySeconds?: number | undefined;
  readonly JitterStrategy?: 'FULL' | 'NONE' | undefined;
}

/** What a state, a choice rule or a catcher may compute when it is left. */
export interface Leaving {
  readonly Output?: Json | undefined;
  readonly Assign?: JsonObject | undefined;
}

/** One entry of a state's Catch. */
export interface Catcher extends Leaving {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
}

interface Common extends Leaving {
  readonly QueryLanguage?: string | undefined;
  readonly Next?: string | undefined;
}

interface Guarded extends Common {
  readonly Retry?: readonly Retrier[] | undefined;
  readonly Catch?: readonly Catcher[] | undefined;
}

/** Hands its input or Output on. */
export interface PassState extends Common {
  readonly Type: 'Pass';
  /** Only JSONPath states have it; a literal means the same in both languages. */
  readonly Result?: Json | undefined;
}

/** Ends the branch with its Output. */
export interface SucceedState extends Common {
  readonly Type: 'Succeed';
}

/** Ends the branch with an error. */
export interface FailState extends Common {
  readonly Type: 'Fail';
  readonly Error?: string | undefined;
  readonly Cause?: string | undefined;
}

/** Waits for some seconds or until an instant. */
export interface WaitState extends Common {
  readonly Type: 'Wait';
  readonly Seconds?: number | string | undefined;
  readonly Timestamp?: string | undefined;
}

/** One rule of a Choice. */
export interface ChoiceRule extends Leaving {
  readonly Condition: boolean | string;
  readonly Next: string;
}

/** Goes on at the first rule whose condition is true. */
export interface ChoiceState extends Common {
  readonly Type: 'Choice';
  readonly Choices: readonly ChoiceRule[];
  readonly Default?: string | undefined;
}

/** Has something done by another service. */
export interface TaskState extends Guarded {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Arguments?: Json | undefined;
  readonly TimeoutSeconds?: number | string | undefined;
  readonly HeartbeatSeconds?: number | string | undefined;
  readonly Credentials?: JsonObject | undefined;
}

/** Runs several machines on the same input at a time. */
export interface ParallelState extends Guarded {
  readonly Type: 'Parallel';
  readonly Branches: readonly Machine[];
  readonly Arguments?: Json | undefined;
}

/** Runs one machine for each item. */
export interface MapState extends Guarded {
  readonly Type: 'Map';
  readonly Items?: Json | undefined;
  readonly ItemSelector?: Json | undefined;
  readonly ItemProcessor: Processor;
  /** Names a distributed Map in the ARNs of its Map Runs and their child executions. */
  readonly Label?: string | undefined;
  readonly MaxConcurrency?: number | string | undefined;
  readonly ToleratedFailureCount?: number | string | undefined;
  readonly ToleratedFailurePercentage?: number | string | undefined;
}

/** Any state. */
export type State =
  PassState | SucceedState | FailState | WaitState | ChoiceState | TaskState | ParallelState | MapState;

/** States under one StartAt: a whole state machine, a branch of a Parallel or the processor of a Map. */
export interface Machine {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
  readonly QueryLanguage?: string | undefined;
  readonly TimeoutSeconds?: number | undefined;
}

/** What a Map runs for each item: inside the execution, or each time as a child execution. */
export interface Processor extends Machine {
  readonly ProcessorConfig?:
    | { readonly Mode?: 'DISTRIBUTED' | 'INLINE' | undefined; readonly ExecutionType?: string | undefined }
    | undefined;
}

// The text was JSON, so whatever is found in it is a JSON value.
const template = z.custom<Json>((value) => value !== undefined);
const object = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const number = z.union([z.number(), z.string()]).optional();
const leaving = { Output: template.optional(), Assign: object.optional() };
const common = { ...leaving, QueryLanguage: z.string().optional(), Next: z.string().optional() };
const guarded = {
  ...common,
  Retry: z
    .array(
      z.object({
        ErrorEquals: z.array(z.string()),
        IntervalSeconds: z.number().optional(),
        BackoffRate: z.number().optional(),
        MaxAttempts: z.number().optional(),
        MaxDelaySeconds: z.number().optional(),
        JitterStrategy: z.enum(['FULL', 'NONE']).optional(),
      }),
    )
    .optional(),
  Catch: z.array(z.object({ ...leaving, ErrorEquals: z.array(z.string()), Next: z.string() })).optional(),
};
const startAndStates = {
  StartAt: z.string(),
  States: z.record(
    z.string(),
    z.lazy((): z.ZodType<State> => state),
  ),
  QueryLanguage: z.string().optional(),
  TimeoutSeconds: z.number().optional(),
};
const machine: z.ZodType<Machine> = z.object(startAndStates);
const processor: z.ZodType<Processor> = z.object({
  ...startAndStates,
  ProcessorConfig: z
    .object({ Mode: z.enum(['DISTRIBUTED', 'INLINE']).optional(), ExecutionType: z.string().optional() })
    .optional(),
});
const state: z.ZodType<State> = z.discriminatedUnion('Type', [
  z.object({ ...common, Type: z.literal('Pass'), Result: template.optional() }),
  z.object({ ...common, Type: z.literal('Succeed') }),
  z.object({
    ...common,
    Type: z.literal('Fail'),
    Error: z.string().optional(),
    Cause: z.string().optional(),
  }),
  z.object({ ...common, Type: z.literal('Wait'), Seconds: number, Timestamp: z.string().optional() }),
  z.object({
    ...common,
    Type: z.literal('Choice'),
    Choices: z.array(
      z.object({ ...leaving, Condition: z.union([z.boolean(), z.string()]), Next: z.string() }),
    ),
    Default: z.string().optional(),
  }),
  z.object({
    ...guarded,
    Type: z.literal('Task'),
    Resource: z.string(),
    Arguments: template.optional(),
    TimeoutSeconds: number,
    HeartbeatSeconds: number,
    Credentials: object.optional(),
  }),
  z.object({
    ...guarded,
    Type: z.literal('Parallel'),
    Branches: z.array(machine),
    Arguments: template.optional(),
  }),
  z.object({
    ...guarded,
    Type: z.literal('Map'),
    Items: template.optional(),
    ItemSelector: template.optional(),
    ItemProcessor: processor,
    Label: z.string().optional(),
    MaxConcurrency: number,
    ToleratedFailureCount: number,
    ToleratedFailurePercentage: number,
  }),
]);

/** Gives a definition its type; throws ZodError on what no state machine looks like. */
export function parseMachine(definition: Json): Machine {
  return machine.parse(definition);
}
