import * as z from 'zod/mini';
import { type Clock, sleep } from '../../client/clock';
import type { Cluster, ObjectPath } from './cluster';
import { ExternalSecretFailed, ExternalSecretFixed, ExternalSecretPending, ObjectConflict } from './errors';
import { annotationKey, annotationsOf, isMarked, type Marks } from './marks';

const text = z.nullish(z.string());

/** An ExternalSecret of the External Secrets Operator, as far as a refresh shows in it. */
const externalSecretShape = z.object({
  metadata: z.object({
    resourceVersion: z.string(),
    annotations: z.nullish(z.record(z.string(), z.string())),
  }),
  spec: z.object({
    refreshPolicy: text,
    refreshInterval: text,
    target: z.nullish(z.object({ immutable: z.nullish(z.boolean()) })),
  }),
  status: z.nullish(
    z.object({
      syncedResourceVersion: text,
      refreshTime: text,
      conditions: z.nullish(
        z.array(z.object({ type: z.string(), status: z.string(), reason: text, message: text })),
      ),
    }),
  ),
});

type ExternalSecret = z.output<typeof externalSecretShape>;

/** What the operator's FAQ has people set to make it fetch at once. */
const forceSync = 'force-sync';

/** How often one call looks, and in which distance: 30 s in all, after which the caller asks which version counts now. */
const looks = 30;
const lookMs = 1_000;

/**
 * After how long a success is of the fetch that was asked for, although its time does not say so, in milliseconds. Times are
 * in whole seconds, and by the operator's clock. One that was under way before ends sooner, and the next one follows at once.
 */
const settleMs = 10_000;

/** How long a failure may last before it is believed: the operator itself tries after 1, 2, 4, 8 … s. In milliseconds. */
const patienceMs = 60_000;

/**
 * Makes the External Secrets Operator copy a secret into the cluster anew, and ends when it has.
 *
 * The change of annotations carries the object's resourceVersion, so that the mark of before is that of the moment in which
 * it was made. A success with another mark is of this change, or of one that somebody made just before; the time tells them
 * apart. A repeat for the same version and rotation changes nothing and goes on waiting. ExternalSecretPending where it
 * takes longer, ExternalSecretFailed, ExternalSecretFixed, and the errors of the cluster.
 */
export async function refreshExternalSecret(
  cluster: Cluster,
  object: ObjectPath,
  marks: Marks,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (let look = 0; look < looks; look++) {
    const found = await cluster.read(object, externalSecretShape, signal);
    checkRefreshable(found, object.what);
    if (!isMarked(found.metadata.annotations, marks))
      await askForRefresh(cluster, object, found, marks, clock, signal);
    else if (isSynced(found, marks, object.what, clock.now())) return;
    await sleep(clock, lookMs, signal);
  }
  throw new ExternalSecretPending(`${object.what} is not fetched yet`);
}

async function askForRefresh(
  cluster: Cluster,
  object: ObjectPath,
  { metadata, status }: ExternalSecret,
  marks: Marks,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const annotations = {
    ...annotationsOf(marks),
    // Of a value that the operator has not seen, also where a rotation comes back to a version.
    [forceSync]: `${marks.versionId}.${marks.rotationId}`,
    // The operator's mark of what it has fetched for, made of generation and annotations.
    [annotationKey('synced-before', marks.secretArn)]: status?.syncedResourceVersion ?? '',
    // By the function's clock.
    [annotationKey('asked-at', marks.secretArn)]: new Date(clock.now()).toISOString(),
  };
  const { resourceVersion } = metadata;
  try {
    await cluster.patch(
      object,
      'merge-patch',
      { metadata: { resourceVersion, annotations } },
      externalSecretShape,
      signal,
    );
  } catch (error) {
    // Somebody was faster, often the operator with its status: the next look shows what is true now.
    if (!(error instanceof ObjectConflict)) throw error;
  }
}

/** Whether a fetch has ended that began after it was asked for; ExternalSecretFailed where none succeeds. */
function isSynced(
  { metadata, status }: ExternalSecret,
  { secretArn }: Marks,
  what: string,
  now: number,
): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const mark = status?.syncedResourceVersion ?? '';
  const isNew =
    mark !== '' && mark !== (metadata.annotations?.[annotationKey('synced-before', secretArn)] ?? '');
  const asked = Date.parse(metadata.annotations?.[annotationKey('asked-at', secretArn)] ?? '');
  const age = Number.isNaN(asked) ? Infinity : now - asked;
  if (isNew && ready?.status === 'True' && ready.reason === 'SecretSynced')
    return Date.parse(status?.refreshTime ?? '') > asked || age >= settleMs;
  // The condition's own time does not move while it stays the same, so that it may tell of a failure of long ago.
  const isLate = age >= patienceMs;
  if (ready !== undefined && ready.reason !== 'SecretSynced' && isLate)
    throw new ExternalSecretFailed(`${what}: ${ready.reason ?? ready.status}, ${ready.message ?? ''}`);
  return false;
}

/** Refuses an ExternalSecret that no annotation makes the operator fetch again. */
function checkRefreshable({ spec }: ExternalSecret, what: string): void {
  if (spec.refreshPolicy === 'CreatedOnce')
    throw new ExternalSecretFixed(`${what} has the refresh policy CreatedOnce`);
  // The operator's guide: an interval of zero is the same as CreatedOnce, unless the policy is OnChange.
  const isPeriodic = (spec.refreshPolicy ?? 'Periodic') === 'Periodic';
  if (isPeriodic && isZero(spec.refreshInterval ?? '1h'))
    throw new ExternalSecretFixed(`${what} has a refresh interval of zero; OnChange is the policy for that`);
  if (spec.target?.immutable === true) throw new ExternalSecretFixed(`${what} has an immutable target`);
}

/** Whether a duration of Go's is zero, such as `0`, `0s` and `0h0m0s`. */
function isZero(duration: string): boolean {
  return duration !== '' && !/[1-9]/.test(duration);
}
