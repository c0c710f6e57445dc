import type { Deployment } from '@aws-sdk/client-ecs';
import type { Progress } from '../adapter';
import { type LedgerEntry, readLedger } from './ledger';
import type { DescribedService } from './service';

/** So long at most an answer of Amazon ECS may be older than the deployment: seconds as a rule. A rollback takes minutes. */
const staleMs = 120_000;

/**
 * So long at most the deployment of another secret's roll-out may be there without its id in the tag: where the function
 * died between the two, Lambda has tried it twice more by then.
 */
const unnamedMs = 300_000;

/** What a verdict depends on beside the service. */
export interface Measures {
  readonly mostFailedTasks: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * How far the deployment of this roll-out is, or the one that a roll-out of another secret has put in its place: that one
 * was made later, so its tasks read this version too.
 *
 * - working: it is PRIMARY and not complete, or tasks of another deployment still run, or it is not to be seen yet.
 * - done: it is PRIMARY and COMPLETED, as many of its tasks run as shall, and there is no other deployment. A service that
 *   shall have no tasks and has none is done too. Tasks that are being stopped are not counted here.
 * - refused: it FAILED, by the circuit breaker or an alarm; or its tasks fail again and again; or a deployment that is
 *   nobody's roll-out has taken its place. That one may hold tasks from before, as it does when Amazon ECS rolls back.
 */
export function judge(service: DescribedService, entry: LedgerEntry, measures: Measures): Progress {
  const { primary, others, desiredCount, runningCount, pendingCount } = service;
  if (desiredCount === 0 && runningCount === 0 && pendingCount === 0) return { state: 'done' };
  if (!isRollOut(service, entry)) return judgeReplaced(service, entry, measures);
  if (primary.rolloutState === 'FAILED') return failed(primary);
  const failedTasks = primary.failedTasks ?? 0;
  if (failedTasks >= measures.mostFailedTasks)
    return refused(
      'TasksFail',
      `${failedTasks} tasks of deployment ${primary.id ?? ''} have failed one after the other; the service's events say why`,
    );
  // Services behind a Classic Load Balancer have no rolloutState; the counts alone say it, as for AWS's own waiter.
  const complete = primary.rolloutState === undefined || primary.rolloutState === 'COMPLETED';
  const isSteady =
    complete &&
    others.length === 0 &&
    runningCount === desiredCount &&
    (primary.runningCount ?? 0) === desiredCount;
  return { state: isSteady ? 'done' : 'working' };
}

/** Whether Amazon ECS says of a deployment that it takes one back; it has no field for that, only this sentence. */
export function isRollback(reason: string | undefined): boolean {
  return reason?.includes('rolling back') ?? false;
}

/** Whether PRIMARY is this roll-out's deployment, or a later one of another secret's. */
function isRollOut({ primary, tags }: DescribedService, { before, begun }: LedgerEntry): boolean {
  if (primary.id === begun?.id) return true;
  // The one from before may be a roll-out's as well, of another secret and another day.
  if (primary.id === before || isRollback(primary.rolloutStateReason)) return false;
  return readLedger(tags).some((entry) => entry.begun?.id === primary.id);
}

function judgeReplaced(service: DescribedService, entry: LedgerEntry, { now }: Measures): Progress {
  const { primary, others } = service;
  const own = others.find(({ id }) => id === entry.begun?.id);
  if (own?.rolloutState === 'FAILED') return failed(own);
  if (isUnseen(service, entry, now)) return { state: 'working' };
  const mayBeOurs = own !== undefined || isUnnamed(service, now);
  return mayBeOurs && !isRollback(primary.rolloutStateReason)
    ? { state: 'working' }
    : refused(
        'DeploymentReplaced',
        `deployment ${entry.begun?.id ?? '(unknown)'} was rolled back, or replaced by another one`,
      );
}

/**
 * Whether the answer may be older than the deployment: what DescribeServices says is consistent only in the end. A rollback
 * gets an id of its own, as observed; should it have this one, it is seen when the time is over.
 */
function isUnseen({ primary }: DescribedService, { before, begun }: LedgerEntry, now: number): boolean {
  return primary.id === before && now - (begun?.at ?? 0) < staleMs;
}

/** Whether PRIMARY may be the deployment that another secret's roll-out is about to name. */
function isUnnamed({ primary, tags }: DescribedService, now: number): boolean {
  const isOpen = readLedger(tags).some(({ before, begun }) => begun === undefined && before !== primary.id);
  return isOpen && now - (primary.createdAt?.getTime() ?? 0) < unnamedMs;
}

function failed({ rolloutStateReason }: Deployment): Progress {
  return refused('DeploymentFailed', rolloutStateReason ?? 'Amazon ECS gives no reason');
}

function refused(name: string, what: string): Progress {
  return { state: 'refused', reason: `${name}: ${what}` };
}
