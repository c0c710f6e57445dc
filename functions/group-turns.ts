import type { Executions } from '../aws/executions';
import type { TurnStore } from '../aws/group-turns';
import { GroupBusy } from '../domain/errors';
import type { Policy } from '../domain/policy';
import {
  beginsFrom,
  executionsOfTurn,
  isInTheWay,
  keptForMs,
  lapsesAfterMs,
  mayStartUnder,
  startWithinMs,
  type ExecutionStanding,
  type Turn,
} from '../domain/turns';
import { log } from './task';

/** An execution that wants to be started. */
export interface Beginning {
  readonly execution: string;
  readonly secretArn: string;
  readonly token: string;
}

/** What taking turns is built on. */
export interface TurnPorts {
  readonly turns: TurnStore;
  readonly executions: Pick<Executions, 'describe'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

type Group = NonNullable<Policy['group']>;

/** How often somebody else may be faster before the group counts as busy. */
const mostTries = 5;
/** Looks for a turn that was just written, since a read may be out of date. */
const readBackPausesMs = [100, 200, 400, 800];
/** Old turns that one taker removes: the minute in which it must start its execution goes on meanwhile. */
const mostSwept = 5;

/**
 * Takes turns in a rotation group, so that its members never rotate at the same time.
 *
 * A turn that was found to have ended has ended for ever, and its number plus one can be created once; so it does not
 * matter how old the look was that led to the creation, or who else looked.
 */
export class GroupTurns {
  constructor(private readonly ports: TurnPorts) {}

  /**
   * Takes the next turn for an execution, or finds that it has it already. Answers until when the execution may be
   * started, in milliseconds since the epoch. GroupBusy while another member's execution runs, or the distance from its
   * end lasts.
   *
   * An urgent one waits for nobody: it takes the next turn beside those that run, and whoever comes next waits for all.
   */
  async take(group: Group, beginning: Beginning, urgent: boolean): Promise<number> {
    const { turns, now } = this.ports;
    for (let tries = 0; tries < mostTries; tries++) {
      const known = await turns.list(group.name);
      const newest = newestOf(known);
      const own = this.usableBy(beginning, newest);
      if (own !== undefined) return this.startBefore(own);
      const beside = await this.whoIsInTheWay(group, newest, beginning, urgent);
      const number = (newest?.number ?? 0) + 1;
      await turns.take(group.name, number, { ...beginning, beside: [...beside] });
      const taken = this.usableBy(beginning, await this.readBack(group.name, number));
      if (taken === undefined) continue;
      await this.sweep(group.name, known, now());
      return this.startBefore(taken);
    }
    throw new GroupBusy(`group ${group.name}: other members took their turns first`);
  }

  /** The turn, if it is this very execution's and so young that the execution may be started under it. */
  private usableBy({ execution }: Beginning, turn: Turn | undefined): Turn | undefined {
    if (turn?.holder?.execution !== execution) return undefined;
    return mayStartUnder(turn, this.ports.now()) ? turn : undefined;
  }

  private startBefore(turn: Turn): number {
    return Math.min(turn.takenAt, this.ports.now()) + startWithinMs;
  }

  /** The executions that have not ended; none of them but for an urgent one. GroupBusy. */
  private async whoIsInTheWay(
    group: Group,
    newest: Turn | undefined,
    { execution, secretArn, token }: Beginning,
    urgent: boolean,
  ): Promise<readonly string[]> {
    if (newest === undefined) return [];
    const { now } = this.ports;
    const names = executionsOfTurn(newest).filter((name) => name !== execution);
    const standings = await Promise.all(names.map((name) => this.standingOf(name)));
    const open = names.filter((_, index) => {
      const standing = standings[index];
      return standing !== undefined && isInTheWay(standing, newest, now());
    });
    if (urgent) return open;
    if (open[0] !== undefined)
      throw new GroupBusy(`group ${group.name}: execution ${open[0]} has the turn and has not ended`);
    if (newest.holder === undefined && now() - newest.takenAt < lapsesAfterMs)
      throw new GroupBusy(`group ${group.name}: turn ${newest.number} was taken by hand`);
    const sameRotation = newest.holder?.secretArn === secretArn && newest.holder.token === token;
    const from = beginsFrom(standings, group.minimumDistanceSeconds, sameRotation);
    if (now() < from)
      throw new GroupBusy(
        `group ${group.name}: the next rotation may begin at ${new Date(from).toISOString()}`,
      );
    return [];
  }

  private async standingOf(execution: string): Promise<ExecutionStanding> {
    const described = await this.ports.executions.describe(execution);
    if (described === undefined) return { kind: 'absent' };
    return ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'].includes(described.status)
      ? { kind: 'ended', at: described.stoppedAt }
      : { kind: 'open' };
  }

  private async readBack(group: string, number: number): Promise<Turn | undefined> {
    const { turns, sleep } = this.ports;
    for (const pause of [...readBackPausesMs, undefined]) {
      const turn = await turns.read(group, number);
      if (turn !== undefined || pause === undefined) return turn;
      await sleep(pause);
    }
    return undefined;
  }

  /** Removes a few turns that nobody can be about to take again. What fails is left to the next taker. */
  private async sweep(group: string, known: readonly Turn[], now: number): Promise<void> {
    const newest = newestOf(known);
    const old = known
      .filter((turn) => turn !== newest && now - turn.takenAt > keptForMs)
      .sort((a, b) => a.number - b.number)
      .slice(0, mostSwept);
    const results = await Promise.allSettled(old.map(({ number }) => this.ports.turns.remove(group, number)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) log('warn', 'an old turn was not removed', { group });
  }
}

function newestOf(turns: readonly Turn[]): Turn | undefined {
  return turns.reduce<Turn | undefined>(
    (newest, turn) => (newest === undefined || turn.number > newest.number ? turn : newest),
    undefined,
  );
}
