import type { Clock } from '../kernel/clock';
import type { Principal } from '../kernel/service';

/** One call as it was made: who, what and how it ended. Never its input, which may hold a secret. */
export interface JournalEntry {
  /** Milliseconds of the embedded cloud's clock at which the call began. */
  readonly at: number;
  /** ARN of the caller's identity; the service's name for an AWS service; `unidentified` where nobody was. */
  readonly principalArn: string;
  /** ARN of the role behind an assumed-role session. */
  readonly roleArn?: string;
  readonly service: string;
  readonly operation: string;
  readonly userAgent: string;
  readonly errorCode?: string;
}

/** The name under which calls of a principal are counted. */
export function principalArn(principal: Principal): string {
  return principal.kind === 'service' ? principal.service : principal.arn;
}

/**
 * Every call that the embedded cloud answered, over HTTP and in process, for counting.
 *
 * It grows with the run; `clear` starts a new count.
 */
export class Journal {
  private list: JournalEntry[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly observer?: (entry: JournalEntry) => void,
  ) {}

  get entries(): readonly JournalEntry[] {
    return this.list;
  }

  /** Notes one call; `began` is what `start` returned. */
  record(entry: JournalEntry): void {
    this.list.push(entry);
    this.observer?.(entry);
  }

  /** The moment to hand to `record`. */
  start(): number {
    return this.clock.now();
  }

  clear(): void {
    this.list = [];
  }

  /** Counts calls by service and operation, of those that `select` picks. */
  count(select: (entry: JournalEntry) => boolean = () => true): Record<string, Record<string, number>> {
    const counts: Record<string, Record<string, number>> = {};
    for (const entry of this.list) {
      if (!select(entry)) continue;
      const ofService = (counts[entry.service] ??= {});
      ofService[entry.operation] = (ofService[entry.operation] ?? 0) + 1;
    }
    return counts;
  }
}
