import * as z from 'zod/mini';
import { mapRuns } from '../aws/map-runs';
import { task } from './task';

const runs = mapRuns();

/** What an execution lists of a Map Run follows a little later (AWS: ListExecutions, "eventually consistent"). */
const pausesMs = [200, 400, 800, 1600, 3200, 6400];

const input = z.object({ executionArn: z.string() });

/** What an iteration writes when its consumer refuses. */
const refusalShape = z.object({
  name: z.string(),
  wave: z.number(),
  ms: z.number(),
  reminders: z.number(),
  group: z.nullable(z.string()),
  reason: z.string(),
});

/**
 * Says which consumer ended the last large wave of an execution by refusing; `refusal` is null where something else did,
 * which `error` and `cause` name then.
 */
export const handler = task('who-refused', input, async ({ executionArn }) => {
  for (const pause of [0, ...pausesMs]) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const failure = await runs.firstFailure(executionArn);
    if (failure === undefined) continue;
    const { error, cause } = failure;
    return {
      refusal: error === 'ConsumerRefused' ? refusalShape.parse(JSON.parse(cause)) : null,
      error,
      cause,
    };
  }
  return {
    refusal: null,
    error: 'States.ExceedToleratedFailureThreshold',
    cause: 'an iteration of the wave failed, and Step Functions lists none that did',
  };
});
