import type { Progress } from '../adapter';

/** One database instance behind a proxy. */
export interface TargetState {
  readonly id: string;
  /** AWS: AVAILABLE, REGISTERING, UNAVAILABLE, UNUSED. */
  readonly state: string | undefined;
  /** Why it is unavailable: AUTH_FAILURE, UNREACHABLE and others. */
  readonly reason: string | undefined;
}

/** So many targets a reason names. */
const mostNamed = 5;

/**
 * Says what the health of a proxy's targets means: `done` where each that is in use is available, `refused` where the database
 * does not take the proxy's credential. Whatever else keeps a target away is no matter of credentials and may pass.
 */
export function verdictOf(dbProxyName: string, targets: readonly TargetState[]): Progress {
  if (targets.length === 0)
    return { state: 'refused', reason: `NoTargets: the proxy ${dbProxyName} has no target in the group` };
  const failed = targets.filter(({ reason }) => reason === 'AUTH_FAILURE').map(({ id }) => id);
  if (failed.length > 0) {
    const named = failed.slice(0, mostNamed).join(', ') + (failed.length > mostNamed ? ' …' : '');
    return {
      state: 'refused',
      reason: `AUTH_FAILURE: the proxy ${dbProxyName} cannot log in at ${named}`,
    };
  }
  const used = targets.filter(({ state }) => state !== 'UNUSED');
  return used.length > 0 && used.every(({ state }) => state === 'AVAILABLE')
    ? { state: 'done' }
    : { state: 'working' };
}
