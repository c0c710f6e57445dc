import { startCloud, type Cloud } from '../../../local/cloud';
import { RoleStore } from '../../../local/iam/role-store';
import { UserStore } from '../../../local/iam/user-store';
import { ScaledClock, VirtualClock } from '../../../local/kernel/clock';
import { Neighbours } from '../../../local/neighbours';

/** A cloud whose new access keys are accepted when the test says so, and not before. */
export interface CloudWithHeldKeys {
  readonly cloud: Cloud;
  /** Has every key that was made so far accepted. */
  readonly spread: () => void;
}

/** Starts one; to be stopped by `cloud.stop`. */
export async function startCloudWithHeldKeys(): Promise<CloudWithHeldKeys> {
  const where = { account: '111122223333', region: 'us-east-1', partition: 'aws', clock: new ScaledClock() };
  const spreading = new VirtualClock();
  const neighbours = new Neighbours();
  neighbours.account(where.account, () => {
    const users = new UserStore({ ...where, realTime: spreading });
    return { users, roles: new RoleStore({ ...where, users }), organizationId: undefined };
  });
  const cloud = await startCloud({ neighbours, account: where.account, region: where.region });
  return {
    cloud,
    spread: () => {
      while (spreading.advance());
    },
  };
}
