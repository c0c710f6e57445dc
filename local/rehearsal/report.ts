import type { FailureOutcome } from '../../domain/alerts';
import type { Decision } from '../../domain/events';
import type { RotatorName } from '../../rotators/registry';
import type { RotatorTraits, SessionHolder } from '../../rotators/rotator';

/** How a rotation ended, or that it is `held` and waits; `reverted` includes that nothing had been changed yet. */
export type Outcome = 'rotated' | 'reverted' | 'kept' | 'held' | 'failed';

/** How one consumer answered in the last rotation. */
export interface ConsumerReport {
  readonly name: string;
  readonly wave: number;
  readonly outcome: string;
  /** From the first asking to the answer. */
  readonly ms: number;
  /** Where a decision left it out (`skipped`): how it stood when the rotation was held, if it had been asked by then. */
  readonly whenHeld?: { readonly outcome: string; readonly ms: number };
}

/** What kept a rotation from its good end, or holds it, as the workflow says it. */
export interface Failure {
  readonly state: string;
  readonly error: string;
  readonly outcome: FailureOutcome;
}

/** One rotation of the run. */
export interface RotationReport {
  readonly outcome: Outcome;
  /** Null where it rotated, and where the workflow did not come to say it: then there is a `reason`. */
  readonly failure: Failure | null;
  /** Why the outcome is `failed`, where the workflow itself could not say so. */
  readonly reason: string | null;
  /** Names of the states in the order in which they were entered. */
  readonly states: readonly string[];
  /** States entered, and retries: what Step Functions charges. */
  readonly transitions: number;
  readonly consumers: readonly ConsumerReport[];
  /** Who still held sessions with the old credential when it was stopped. */
  readonly sessions: readonly SessionHolder[];
  /** Whose sessions were ended then. */
  readonly ended: readonly SessionHolder[];
  /** How long AWSCURRENT named a credential that did not work; 0 where both overlap. */
  readonly gapMs: number;
  /** From the start of the workflow to its end. */
  readonly workflowMs: number;
  /** From RotateSecret to the end of the workflow. */
  readonly wallMs: number;
  /** Tasks that ended because the target refused a login to the rotation itself. */
  readonly refusedTasks: number;
}

/** Calls by service and operation. */
export type Calls = Readonly<Record<string, Readonly<Record<string, number>>>>;

/**
 * What a rehearsal found. `outcome`, `failure`, `reason`, `states`, `transitions`, `consumers`, `sessions`, `ended`, `gapMs`,
 * `workflowMs` and `wallMs` are those of the last rotation, all else is of the whole run.
 */
export interface Report extends RotationReport {
  readonly secret: string;
  readonly rotator: RotatorName;
  /** What the target tolerates while applications move. */
  readonly overlap: RotatorTraits['overlap'];
  /** Whether the target has sessions that can be ended; where not, it tells uses at most. */
  readonly endsSessions: boolean;
  readonly rotations: readonly Pick<
    RotationReport,
    'outcome' | 'transitions' | 'gapMs' | 'workflowMs' | 'wallMs'
  >[];
  /** Made by the rotation's own functions, waiting apart. */
  readonly calls: Calls;
  /** The rotation function's looks while it waits for the workflow. */
  readonly polls: Calls;
  /** `calls` by the function that made them. */
  readonly callsByFunction: Readonly<Record<string, Calls>>;
  /** Logins of the rotation's functions at the target. */
  readonly connections: number;
  /** Logins that the target refused, whosever they were, the probe's left out. */
  readonly refusedLogins: number;
  /** Those of them that the rotation's own functions met, over the run. */
  readonly refusedByRotation: number;
  readonly apps: readonly { readonly name: string; readonly queries: number; readonly errors: number }[];
  /** A client that logs in with what AWSCURRENT names, all the time. */
  readonly probe: { readonly logins: number; readonly refused: number };
  /** How often the planned fault struck; null where none was planned. 0: the rotation never came to that state. */
  readonly faultStrikes: number | null;
  /** What was to be decided about holds, and how often it was; null where the command line did not say. */
  readonly decided: { readonly decision: Decision; readonly times: number } | null;
  readonly costUsd: number;
  /** Text of every alert that the topic delivered. */
  readonly alerts: readonly string[];
  /** How often a secret value was found where none may be; 0, or something is badly wrong. */
  readonly leaks: number;
  /** From the start of the command to the end of the first rotation. */
  readonly firstRotationMs: number;
}

/** The exit code of `npm start`. */
export function exitCodeOf({
  outcome,
  alerts,
  leaks,
}: Pick<Report, 'outcome' | 'alerts' | 'leaks'>): 0 | 1 | 2 {
  if (leaks > 0) return 1;
  if (outcome === 'rotated') return 0;
  return outcome !== 'failed' && alerts.length > 0 ? 2 : 1;
}
