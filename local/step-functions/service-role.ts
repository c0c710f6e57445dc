import { randomUUID } from 'node:crypto';
import type { Principal, Surroundings } from '../kernel/service';

/** Opens a session of the machine's role, as its trust policy allows; throws AccessDenied otherwise. */
export type AssumeRole = (roleArn: string, sessionName: string) => Principal;

/** The session that Step Functions opens on a role, named at random as on AWS; without `assumeRole` every role trusts it. */
export function sessionOf(
  roleArn: string,
  { account, partition }: Pick<Surroundings, 'account' | 'partition'>,
  assumeRole?: AssumeRole,
): Principal {
  const roleAccount = roleArn.split(':')[4] ?? account;
  const roleName = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  const session = randomUUID().replaceAll('-', '');
  if (assumeRole !== undefined) return assumeRole(roleArn, session);
  return {
    kind: 'role',
    arn: `arn:${partition}:sts::${roleAccount}:assumed-role/${roleName}/${session}`,
    account: roleAccount,
    roleArn,
  };
}
