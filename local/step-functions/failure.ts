/**
 * An error that ends a state, by the name that Retry and Catch match on.
 *
 * `cause` in AWS's sense is `reason` here, since Error.cause means another thing.
 */
export class StateFailure extends Error {
  override readonly name = 'StateFailure';

  constructor(
    readonly error: string | undefined,
    readonly reason: string | undefined,
  ) {
    super(`${error ?? 'failed'}: ${reason ?? ''}`);
  }
}

/** Ends whatever a branch is doing, because a sibling failed or the execution was stopped or ran out of time. */
export class Aborted extends Error {
  override readonly name = 'Aborted';
}

/** What a task port or a fault injector throws: an error by AWS's name, with its cause. */
export interface TaskError {
  readonly error: string;
  readonly cause?: string | undefined;
}

/** Reads a thrown value as the failure of a task; anything that is no TaskError is States.TaskFailed. */
export function asStateFailure(thrown: unknown): StateFailure {
  if (thrown instanceof StateFailure) return thrown;
  if (
    typeof thrown === 'object' &&
    thrown !== null &&
    'error' in thrown &&
    typeof thrown.error === 'string'
  ) {
    const cause = 'cause' in thrown && typeof thrown.cause === 'string' ? thrown.cause : undefined;
    return new StateFailure(thrown.error, cause);
  }
  return new StateFailure('States.TaskFailed', thrown instanceof Error ? thrown.message : String(thrown));
}

/** What a task fails with when its TimeoutSeconds or HeartbeatSeconds pass; its event is another than for failures. */
export const timeout = 'States.Timeout';

// Retry and Catch never see these two, whatever they list: the execution ends.
const uncatchable = new Set(['States.DataLimitExceeded', 'States.Runtime']);

/** Whether an ErrorEquals list covers an error. */
export function covers(errorEquals: readonly string[], error: string | undefined): boolean {
  return errorEquals.some((name) => {
    if (name === error) return true;
    if (error !== undefined && uncatchable.has(error)) return false;
    if (name === 'States.ALL') return true;
    return name === 'States.TaskFailed' && error !== timeout;
  });
}
