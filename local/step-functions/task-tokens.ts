import { randomBytes } from 'node:crypto';
import type { Json } from './json';

/** How a waiting task was answered. */
export type TokenOutcome =
  | { readonly kind: 'success'; readonly output: Json }
  | { readonly kind: 'failure'; readonly error: string | undefined; readonly cause: string | undefined };

/** What became of an attempt to answer a token. */
export type TokenAnswer = 'accepted' | 'invalid' | 'timed-out';

/** A task that waits for its token to come back. */
export interface WaitingTask {
  readonly token: string;
  /** Never rejects: a failure is an outcome. */
  readonly outcome: Promise<TokenOutcome>;
  /** Called on each heartbeat from now on. */
  onHeartbeat(listen: () => void): void;
  /** The task is over: from now on the token answers that it timed out. */
  close(): void;
}

interface Entry {
  settle: (outcome: TokenOutcome) => void;
  beat: () => void;
}

// AWS allows 2,048 characters and uses several hundred; whoever cuts tokens off is to be found out here.
const tokenBytes = 510;

/** The task tokens of one Step Functions service. A token is answered once; each attempt of a task has its own. */
export class TaskTokens {
  private readonly open = new Map<string, Entry>();
  private readonly closed = new Set<string>();
  private readonly machines = new Map<string, string>();

  /** Issues a token for a task of a state machine. */
  issue(stateMachineArn: string): WaitingTask {
    const token = `AQ${randomBytes(tokenBytes).toString('base64url')}`;
    let settle: Entry['settle'] = () => undefined;
    const outcome = new Promise<TokenOutcome>((resolve) => (settle = resolve));
    const entry: Entry = { settle, beat: () => undefined };
    this.open.set(token, entry);
    this.machines.set(token, stateMachineArn);
    return {
      token,
      outcome,
      onHeartbeat: (listen) => (entry.beat = listen),
      close: () => {
        this.open.delete(token);
        this.closed.add(token);
      },
    };
  }

  /** The state machine that a token was issued for, also when it is answered: its ARN is what IAM is asked about. */
  machineOf(token: string): string | undefined {
    return this.machines.get(token);
  }

  /** Answers a token for good. */
  answer(token: string, outcome: TokenOutcome): TokenAnswer {
    const entry = this.open.get(token);
    if (entry === undefined) return this.missing(token);
    this.open.delete(token);
    this.closed.add(token);
    entry.settle(outcome);
    return 'accepted';
  }

  /** Keeps a waiting task alive for another HeartbeatSeconds. */
  heartbeat(token: string): TokenAnswer {
    const entry = this.open.get(token);
    if (entry === undefined) return this.missing(token);
    entry.beat();
    return 'accepted';
  }

  private missing(token: string): TokenAnswer {
    return this.closed.has(token) ? 'timed-out' : 'invalid';
  }
}
