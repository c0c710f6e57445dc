import { CredentialUnusable, OverlapExhausted, PrincipalInUse } from '../../domain/errors';
import type { CreateOptions } from '../rotator';
import type { AccessKeys, LastUse } from './connection';
import type { AccessKeySecret } from './definition';

/**
 * How long IAM records no further use after one that it has recorded: "When an access key is used more than once in a
 * 15-minute span, only the first use is recorded".
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
 */
export const unrecordedMs = 15 * 60_000;

/**
 * How long after a replacement a use of the old key is that of an application on its way: a rotation that leaves the old key
 * active does so while they move. An hour is what the policy waits for the drain unless it says otherwise.
 */
const movingMs = 60 * 60_000;

/** A user has two slots, and an inactive key fills one as well. */
const slots = 2;

/**
 * Frees a slot for the key that is to be minted, if there is none.
 *
 * Never removed: the key in use, one under a label of somebody's own, and one that somebody may hold. Removed: an inactive key, which an earlier rotation has
 * retired; an active one under AWSPREVIOUS that was not used since applications had moved, an hour after `replacedAt`; an
 * active one under no label that was never used, whose value an interrupted call has lost. PrincipalInUse, OverlapExhausted.
 */
export async function makeRoom(
  keys: AccessKeys,
  inUse: AccessKeySecret,
  {
    others,
    pinned = [],
    replacedAt,
  }: Pick<CreateOptions<AccessKeySecret>, 'others' | 'pinned' | 'replacedAt'>,
): Promise<void> {
  const listed = await keys.list();
  if (!listed.some(({ accessKeyId }) => accessKeyId === inUse.accessKeyId))
    throw new CredentialUnusable(
      `the user that the policy names has no access key ${inUse.accessKeyId}: either it is another user's, or it was deleted; ` +
        'put a key of this user into the secret, then rotate',
    );
  if (listed.length < slots) return;
  for (const { accessKeyId, isActive } of listed) {
    if (accessKeyId === inUse.accessKeyId) continue;
    if (pinned.some((other) => other.accessKeyId === accessKeyId))
      throw new OverlapExhausted(
        `the user has two access keys, and the other one, ${accessKeyId}, is in a version of the secret that carries a label of ` +
          "somebody's own; once nobody reads that label, take it away (aws secretsmanager update-secret-version-stage) and rotate again",
      );
    const labelled = others.some((other) => other.accessKeyId === accessKeyId);
    if (isActive) await refuseIfHeld(keys, accessKeyId, labelled, replacedAt);
    await keys.remove(accessKeyId);
    return;
  }
}

async function refuseIfHeld(
  keys: AccessKeys,
  accessKeyId: string,
  labelled: boolean,
  replacedAt: Date | undefined,
): Promise<void> {
  const last = await keys.lastUse(accessKeyId);
  if (last === undefined) return;
  const used = `access key ${accessKeyId} was last used at ${last.at.toISOString()} for ${last.service} in ${last.region}`;
  const remedy = `once nobody holds it, deactivate it (aws iam update-access-key --access-key-id ${accessKeyId} --status Inactive --user-name …) and rotate again`;
  if (!labelled)
    throw new OverlapExhausted(
      `the user has two access keys, and the other one belongs to no version of the secret: ${used}; ${remedy}`,
    );
  if (replacedAt === undefined || last.at.getTime() > replacedAt.getTime() + movingMs)
    throw new PrincipalInUse(`${used}, long after it was replaced; ${remedy}`);
  if (mayGoOn(last))
    throw new PrincipalInUse(
      `${used}, and for 15 minutes after a use IAM records no further one, so whether somebody still uses it is not known yet; rotate later, or ${remedy}`,
    );
}

/** Whether the key may be used at this moment without IAM having recorded it. */
export function mayGoOn({ at }: LastUse, now = Date.now()): boolean {
  return now - at.getTime() < unrecordedMs;
}
