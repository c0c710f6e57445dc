import type { TurnStore } from '../../aws/group-turns';
import { parseHolder, writeHolder, type Turn } from '../../domain/turns';

/** Turns as Parameter Store keeps them: text under a number, created once. */
export class TurnTable implements TurnStore {
  readonly groups = new Map<string, Map<number, { readonly text: string; readonly takenAt: number }>>();
  /** How often the next turns are not seen when they are read by their number. */
  unseen = 0;
  /** Runs before a turn is created: somebody else's doing. */
  beforeTake: (group: string, number: number) => void = () => undefined;
  /** Thrown by every call, where it is set. */
  broken: Error | undefined;

  constructor(private readonly now: () => number) {}

  list: TurnStore['list'] = async (group) => {
    this.assertWhole();
    return this.numbers(group).flatMap((number) => this.turn(group, number) ?? []);
  };

  read: TurnStore['read'] = async (group, number) => {
    if (this.unseen > 0) {
      this.unseen -= 1;
      return undefined;
    }
    return this.turn(group, number);
  };

  take: TurnStore['take'] = async (group, number, holder) => {
    this.beforeTake(group, number);
    this.put(group, number, writeHolder(holder));
  };

  remove: TurnStore['remove'] = async (group, number) => {
    this.assertWhole();
    this.groups.get(group)?.delete(number);
  };

  /** Creates a turn with any text, unless it is there. */
  put(group: string, number: number, text: string, takenAt = this.now()): void {
    const turns = this.groups.get(group) ?? new Map<number, { text: string; takenAt: number }>();
    this.groups.set(group, turns);
    if (!turns.has(number)) turns.set(number, { text, takenAt });
  }

  numbers(group: string): readonly number[] {
    return [...(this.groups.get(group)?.keys() ?? [])];
  }

  turn(group: string, number: number): Turn | undefined {
    const found = this.groups.get(group)?.get(number);
    return found === undefined
      ? undefined
      : { number, takenAt: found.takenAt, holder: parseHolder(found.text) };
  }

  private assertWhole(): void {
    if (this.broken !== undefined) throw this.broken;
  }
}
