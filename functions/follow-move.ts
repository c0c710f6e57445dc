import type { Executions } from '../aws/executions';
import { isNamed } from '../aws/named';
import type { Runs } from '../aws/runs';
import type { DescribedSecret, Secrets } from '../aws/secrets';
import { mostAttempts } from '../domain/attempts';
import { versionWith, type Labels } from '../domain/labels';
import { isOwnMove, type CurrentMove } from '../domain/moves';
import { executionName, followName } from '../domain/names';
import * as z from 'zod/mini';

/** One event `Secret Label Updated` about AWSCURRENT. */
export interface ToldMove {
  readonly secretArn: string;
  /** The version that AWSCURRENT came to. */
  readonly versionId: string;
  /** The event's time, in ISO 8601. */
  readonly time: string;
}

/** What following is built on. */
export interface FollowPorts {
  readonly secrets: Pick<Secrets, 'describe'>;
  readonly runs: Runs;
  readonly executions: Pick<Executions, 'start'>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * What became of a move.
 *
 * - `followed`: an execution was started that asks the consumers, or the one of this very move runs.
 * - `followed before`: the execution of this move has ended.
 * - `by Rotor`: a rotation moved AWSCURRENT, and asks the consumers itself.
 * - `moved on`: AWSCURRENT is on another version by now, and that move has its own event.
 * - `first version`: nobody can hold an older one.
 * - `secret gone`: it was deleted.
 */
export type Followed =
  'followed' | 'followed before' | 'by Rotor' | 'moved on' | 'first version' | 'secret gone';

/**
 * A read that follows a write closely may show what was before it (AWS documents that for labels of fresh versions), and
 * a move that is taken for a thing of the past is never told to anybody.
 */
const looksAfterMs = [0, 500, 1500];

/** The part of a rotation's input that tells which version was in use before. */
const runInput = z.object({ previousVersionId: z.string() });

/**
 * Starts the execution that asks a secret's consumers to load what somebody else has put under AWSCURRENT, unless a
 * rotation of Rotor's put it there. A repeat reaches the same end: the execution is named by the move.
 */
export async function followMove(ports: FollowPorts, told: ToldMove): Promise<Followed> {
  const { secretArn, versionId, time } = told;
  const secret = await secretAfter(ports, told);
  if (secret === undefined) return 'secret gone';
  const { labels, replicas = [] } = secret;
  if (versionWith(labels, 'AWSCURRENT') !== versionId) return 'moved on';
  const previousVersionId = versionWith(labels, 'AWSPREVIOUS');
  if (previousVersionId === undefined) return 'first version';
  const move = { versionId, at: Date.parse(time) };
  for (const token of [versionId, previousVersionId])
    if (await isByRotationOf(ports.runs, secretArn, token, move, labels)) return 'by Rotor';
  const started = await ports.executions.start(followName(secretArn, versionId, time), {
    secretArn,
    versionId,
    previousVersionId,
    heldVersionId: null,
    mode: 'follow',
    movedAt: time,
    ...(replicas.length === 0 ? {} : { replicaRegions: replicas.map(({ region }) => region) }),
  });
  return started === 'started' ? 'followed' : 'followed before';
}

/** The secret as soon as its labels show the move, or as it is at the last look; undefined where it is gone. */
async function secretAfter(
  { secrets, sleep }: FollowPorts,
  { secretArn, versionId }: ToldMove,
): Promise<DescribedSecret | undefined> {
  let secret: DescribedSecret | undefined;
  for (const pause of looksAfterMs) {
    if (pause > 0) await sleep(pause);
    try {
      secret = await secrets.describe(secretArn);
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return undefined;
      throw error;
    }
    if (versionWith(secret.labels, 'AWSCURRENT') === versionId) break;
  }
  return secret;
}

/** Whether one of the attempts to rotate to `token` made the move. */
async function isByRotationOf(
  runs: Runs,
  secretArn: string,
  token: string,
  move: CurrentMove,
  labels: Labels,
): Promise<boolean> {
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const run = await runs.find(executionName(secretArn, token, attempt, 'rotate'));
    // An attempt is made only after the one before it.
    if (run === undefined) return false;
    const { previousVersionId } = runInput.parse(JSON.parse(run.input));
    if (isOwnMove(move, labels, { ...run, versionId: token, previousVersionId })) return true;
  }
  return false;
}
