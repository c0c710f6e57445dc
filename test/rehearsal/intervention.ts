import type { ExecutionObserver } from '../../local/step-functions/task-port';

/** Lets a test act around the tasks of a workflow, which waits until that is done. */
export class Intervention implements ExecutionObserver {
  act: (state: string, moment: 'before' | 'after') => Promise<void> = () => Promise.resolve();

  beforeTask(state: string): Promise<void> {
    return this.act(state, 'before');
  }

  afterTask(state: string): Promise<void> {
    return this.act(state, 'after');
  }

  /** Does something once, before the first attempt of a state. */
  onceBefore(wanted: string, what: () => Promise<unknown>): void {
    this.act = async (state) => {
      if (state !== wanted) return;
      this.stop();
      await what();
    };
  }

  stop(): void {
    this.act = () => Promise.resolve();
  }
}
