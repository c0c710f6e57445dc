/** How often the workflow may be started anew for one token, after it died without going back by itself. */
export const mostAttempts = 3;

/** How an earlier execution ended, as DescribeExecution answers it. */
export interface EndedExecution {
  readonly status: string;
  /** The error that the rotation ended with, from the execution's cause; absent where it died without saying. */
  readonly error: string | undefined;
}

/**
 * What to do about an execution that exists under the name of an attempt, while AWSPENDING is still on the token and
 * AWSCURRENT is not.
 *
 * - `wait`: it is running, also when it was started with other input.
 * - `again`: it died (aborted, timed out, crashed) before it could go back: the next attempt may start.
 * - `stop`: it ended on purpose and nobody may take it up: a consumer refused this very value, or it claims success
 *   although AWSCURRENT is elsewhere.
 */
export function nextMove(execution: EndedExecution): 'wait' | 'again' | 'stop' {
  if (execution.status === 'RUNNING' || execution.status === 'PENDING_REDRIVE') return 'wait';
  if (execution.status === 'SUCCEEDED' || execution.error === 'ConsumerRefused') return 'stop';
  return 'again';
}
