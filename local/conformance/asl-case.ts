import * as z from 'zod';
import type { Json } from '../step-functions/json';

const json = z.custom<Json>((value) => value !== undefined);
const invocation = z.object({
  state: z.string(),
  request: json,
  result: json.optional(),
  error: z.object({ error: z.string(), cause: json.optional(), causeText: z.string().optional() }).optional(),
  noAnswer: z.boolean().optional(),
});
const event = z.looseObject({
  type: z.string(),
  id: z.number().optional(),
  unordered: z.boolean().optional(),
});

/** One execution recorded on AWS: what was run, what its tasks were answered, and what came of it. */
export const recordedCase = z.object({
  id: z.string(),
  kind: z.enum(['pure-jsonata', 'lambda']),
  queryLanguages: z.array(z.string()),
  definition: json,
  input: json,
  placeholders: z.array(z.string()),
  invocations: z.array(invocation).optional(),
  expect: z.object({
    status: z.string(),
    output: json.optional(),
    error: z.string().optional(),
    cause: json.optional(),
    history: z.array(event),
    historyIncomplete: z.boolean().optional(),
  }),
});

/** A recorded case, read from its file. */
export type RecordedCase = z.infer<typeof recordedCase>;
/** One answer that a task was given. */
export type RecordedInvocation = z.infer<typeof invocation>;
/** One recorded event, flattened. */
export type RecordedEvent = z.infer<typeof event>;
