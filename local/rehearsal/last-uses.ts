import type { ExecutionObserver } from '../step-functions/task-port';

/** The tasks that stop a credential which applications have had. */
const stops: readonly string[] = ['RetirePrevious', 'RetireNew'];

/** Somebody who takes a value and logs in with it. */
export interface User {
  underWay(): Promise<void>;
}

/**
 * Has a credential stopped only when the uses have ended that were under way: in place of the drain, where a policy watches
 * for no late login (`quietSeconds` 0). Rotor speaks for the values that are handed out, and nobody for how long a login
 * with one of them takes on a busy machine.
 */
export class LastUses implements ExecutionObserver {
  private readonly users: User[] = [];

  waitFor(user: User): void {
    this.users.push(user);
  }

  async beforeTask(state: string): Promise<void> {
    if (stops.includes(state)) await Promise.all(this.users.map((user) => user.underWay()));
  }
}
