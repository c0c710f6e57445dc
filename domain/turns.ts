import * as z from 'zod/mini';

/**
 * The turns of a rotation group, as rules: who may begin, and how long a turn that nobody used stands in the way.
 *
 * A turn is a parameter with a number. Whoever creates the next number has the group, until the execution that the turn
 * names has ended. A turn goes through these states, and never back:
 * - `fresh`: taken, and its execution is not known yet. Only within `startWithinMs` may its holder start it.
 * - `open`: its execution runs, or one that it was begun beside.
 * - `ended`: they have ended, or the turn lapsed: `lapsesAfterMs` have passed and there is no such execution.
 * Only after an ended turn, and the distance, may somebody take the next number. See docs/adr/0012-rotation-groups.md.
 */

/** Time from taking a turn in which its holder may start the execution; afterwards it takes another turn. */
export const startWithinMs = 60_000;

/**
 * Age at which a turn whose execution does not exist counts as ended: the minute in which it may be started, the five
 * minutes for which AWS takes a signed request (AWS: IAM, "Signing AWS API requests"), and four for clocks that differ
 * and for an execution that is not seen yet (DescribeExecution is eventually consistent).
 */
export const lapsesAfterMs = 600_000;

/**
 * How long a turn is kept that is not the newest. A function that read the turns before this one was taken lives for 15
 * minutes at most, and must find the number taken; the rest is for reads that are out of date.
 */
export const keptForMs = 3_600_000;

/** How many rotations may be named that ran beside one; more than a parameter of 4,096 characters could hold is lost. */
const mostBeside = 30;

const holderShape = z.object({
  /** Name of the execution that the turn is for. */
  execution: z.string(),
  secretArn: z.string(),
  /** The rotation's token: its attempts are one rotation. */
  token: z.string(),
  /** Names of executions that had not ended when an urgent rotation began beside them. */
  beside: z.array(z.string()),
});

/** Who has a turn, as its parameter says. */
export type Holder = z.infer<typeof holderShape>;

/** One turn, as Parameter Store has it. */
export interface Turn {
  readonly number: number;
  /** Milliseconds since the epoch, by Parameter Store's clock. */
  readonly takenAt: number;
  /** Undefined where the text is nobody's: it was written by hand. */
  readonly holder: Holder | undefined;
}

/** How an execution that a turn names stands; `ended` without a time where there is no such execution any more. */
export type ExecutionStanding =
  | { readonly kind: 'absent' }
  | { readonly kind: 'open' }
  | { readonly kind: 'ended'; readonly at: number | undefined };

/** Reads a turn's text; undefined where it has another shape. */
export function parseHolder(text: string): Holder | undefined {
  try {
    const parsed = holderShape.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a turn's text: these members and no others, whatever else the object has. */
export function writeHolder({ execution, secretArn, token, beside }: Holder): string {
  return JSON.stringify({ execution, secretArn, token, beside: beside.slice(-mostBeside) });
}

/** The executions that must have ended before the next turn may be taken. */
export function executionsOfTurn({ holder }: Turn): readonly string[] {
  return holder === undefined ? [] : [holder.execution, ...holder.beside];
}

/** Whether an execution stands in the way: it runs, or the turn is so young that it may still be started. */
export function isInTheWay(standing: ExecutionStanding, turn: Turn, now: number): boolean {
  if (standing.kind === 'ended') return false;
  return standing.kind === 'open' || now - turn.takenAt < lapsesAfterMs;
}

/**
 * From when on the next turn may be taken after executions that have ended, in milliseconds since the epoch; 0 where none
 * of them ran. Another attempt of the same rotation need not keep the distance.
 */
export function beginsFrom(
  standings: readonly ExecutionStanding[],
  distanceSeconds: number,
  sameRotation: boolean,
): number {
  if (sameRotation) return 0;
  const ends = standings.flatMap((standing) =>
    standing.kind === 'ended' && standing.at !== undefined ? [standing.at + distanceSeconds * 1000] : [],
  );
  return Math.max(0, ...ends);
}

/** Whether the holder of a turn may start its execution under it. */
export function mayStartUnder(turn: Turn, now: number): boolean {
  return now - turn.takenAt < startWithinMs;
}
