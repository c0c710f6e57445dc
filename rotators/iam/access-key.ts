import { setTimeout as pause } from 'node:timers/promises';
import {
  CredentialRejected,
  CredentialUnusable,
  OverlapExhausted,
  SamePrincipal,
  TargetUnreachable,
} from '../../domain/errors';
import { refuseRepetition } from '../repetition';
import type { Rotator, SessionHolder } from '../rotator';
import { isAccepted, withKeys, type AccessKeys, type LastUse } from './connection';
import type { AccessKeySecret, AccessKeySettings } from './definition';
import { makeRoom, mayGoOn } from './room';

/**
 * IAM tells every region of a change within seconds and documents no figure. So long one call waits until it knows a new
 * key itself, and until AWS accepts it; after that the workflow asks again.
 */
const knownAfterMs = 3_000;
const acceptedAfterMs = 15_000;
/** User agent of calls that may be refused, because the key is new. */
export const awaitingAgent = 'rotor-awaits-new-key';
const firstPauseMs = 100;
const longestPauseMs = 1_000;

/**
 * Access keys of one IAM user, two at most.
 *
 * A key: minted by `create`, active → accepted by AWS (`apply` waits for that) → inactive (`retire`) → active again
 * (`apply`, going back) or deleted (`create` of a later rotation, which needs the slot).
 */
export const accessKey: Rotator<AccessKeySecret, AccessKeySecret, AccessKeySettings> = {
  create(from, context, options) {
    const { accessKeyId, secretAccessKey } = from;
    refuseRepetition(from, ['accessKeyId', 'secretAccessKey'], [accessKeyId, secretAccessKey], 'access key');
    return withKeys(context, async (keys) => {
      await makeRoom(keys, from, options);
      return { ...from, ...(await mint(keys)) };
    });
  },

  async apply({ to }, context) {
    const { accessKeyId } = to;
    const activate = (keys: AccessKeys) =>
      becomesTrue(() => keys.set(accessKeyId, 'Active'), knownAfterMs, context.signal);
    if (!(await withKeys(context, activate)))
      throw new CredentialUnusable(`the user that the policy names has no access key ${accessKeyId}`);
    const ask = () => isAccepted(to, context, awaitingAgent);
    if (!(await becomesTrue(ask, acceptedAfterMs, context.signal)))
      throw new TargetUnreachable(`access key ${accessKeyId} is active, and AWS does not accept it yet`);
    return {};
  },

  async verify(secret, context) {
    if (!(await isAccepted(secret, context)))
      throw new CredentialRejected(`AWS does not accept access key ${secret.accessKeyId}`);
  },

  usage: ({ accessKeyId }, { since, watchMs }, context) =>
    withKeys(context, async (keys) => {
      const first = await keys.lastUse(accessKeyId);
      await pause(watchMs, undefined, { signal: context.signal });
      const last = (await keys.lastUse(accessKeyId)) ?? first;
      const holders = last === undefined ? [] : [holderOf(last)];
      const isNewer = last !== undefined && last.at > since;
      const isOpen = last !== undefined && !isNewer && mayGoOn(last);
      return { begun: isNewer ? holders : [], open: isOpen ? holders : [], looks: 2 };
    }),

  async retire({ from, to }, context) {
    if (from.accessKeyId === to.accessKeyId)
      throw new SamePrincipal(`access key ${from.accessKeyId} is to be stopped and to be kept`);
    await withKeys(context, async (keys) => {
      const isKept = async () =>
        (await keys.list()).some((key) => key.accessKeyId === to.accessKeyId && key.isActive);
      // One that was set active a moment ago may be listed as it was before.
      if (!(await becomesTrue(isKept, knownAfterMs, context.signal)))
        throw new CredentialUnusable(
          `access key ${to.accessKeyId} is no active key of the user: stopping ${from.accessKeyId} would leave nobody`,
        );
      // One that is gone has stopped.
      await keys.set(from.accessKeyId, 'Inactive');
    });
  },
};

/** Mints a key where there was room a moment ago. TargetUnreachable where another call has taken it, or one whose answer was lost. */
async function mint(keys: AccessKeys): Promise<AccessKeySecret> {
  try {
    return await keys.create();
  } catch (error) {
    if (!(error instanceof OverlapExhausted)) throw error;
    // A repeat sees whose key that is.
    throw new TargetUnreachable(`${error.message}, although the user had a free slot a moment ago`);
  }
}

/** Asks until the answer is yes, at growing intervals; false when it did not become so in time. */
async function becomesTrue(
  ask: () => Promise<boolean>,
  withinMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (let rest = firstPauseMs; ; rest = Math.min(2 * rest, longestPauseMs)) {
    if (await ask()) return true;
    if (Date.now() + rest > deadline) return false;
    await pause(rest, undefined, { signal });
  }
}

/** IAM names no application: the service that was called is what leads to it. */
function holderOf({ at, service, region }: LastUse): SessionHolder {
  const used = at.toISOString();
  return {
    application: `${service} in ${region}`,
    clientAddress: null,
    count: 1,
    newestBegan: used,
    oldestBegan: used,
    // There are uses and no sessions.
    openSeconds: null,
  };
}
