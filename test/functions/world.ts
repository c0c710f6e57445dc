import type { CalendarState } from '../../aws/change-calendars';
import type { Executions } from '../../aws/executions';
import type { LabelMove, Labels } from '../../domain/labels';
import type { ReplicaStatus, Secrets } from '../../aws/secrets';
import { GroupTurns } from '../../functions/group-turns';
import { PermissionToBegin } from '../../functions/permission-to-begin';
import { afterMove, refusal } from '../domain/label-store';
import { TurnTable } from './turn-table';

/** One execution as the fake remembers it. */
interface FakeExecution {
  readonly input: string;
  status: string;
  cause: string | undefined;
  stoppedAt?: number;
}

export const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
export const token = '0e1b8a3c-5d8e-4b6a-9a3e-2f1d6c7b8a90';
export const previous = '7c2d9f10-1b2c-4d5e-8f60-a1b2c3d4e5f6';

/**
 * A secret, the executions of a state machine and the time, as the steps of a rotation meet them: labels move by AWS's
 * conditions, StartExecution is idempotent as AWS's is, and time passes only while somebody sleeps.
 */
export class World {
  labels: Labels = { [previous]: ['AWSCURRENT'], [token]: ['AWSPENDING'] };
  readonly values = new Map([[previous, 'value in use']]);
  /** Text of the policy parameter; undefined where there is none. */
  policy: string | undefined;
  replicas: readonly ReplicaStatus[] = [];
  calendar: CalendarState = { open: true, until: undefined };
  /** Turns of all groups. */
  readonly turns = new TurnTable(() => this.time);
  readonly started = new Map<string, FakeExecution>();
  /** Every call by name, in order, with the time at which it was made. */
  readonly calls: { readonly name: string; readonly at: number }[] = [];
  /** What the function's time limit leaves. */
  limitMs = 900_000;
  /** Runs when an execution starts: the workflow's own doing. */
  onStart: (execution: FakeExecution, name: string) => void = () => undefined;
  /** Until when the last execution might be started. */
  startUntil: number | undefined;
  private time = 0;
  private plans: { readonly at: number; readonly run: () => void }[] = [];

  readonly now = () => this.time;

  readonly remaining = () => this.limitMs - this.time;

  readonly sleep = async (ms: number) => {
    const until = this.time + ms;
    for (;;) {
      const next = this.plans.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.plans = this.plans.filter((plan) => plan !== next);
      this.time = next.at;
      next.run();
    }
    this.time = until;
  };

  /** Makes something happen while somebody sleeps. */
  after(ms: number, run: () => void): void {
    this.plans.push({ at: this.time + ms, run });
  }

  readonly move = (move: LabelMove) => {
    this.labels = afterMove(this.labels, move);
  };

  /** What FinishSecret does. */
  readonly finish = () => this.move({ stage: 'AWSCURRENT', to: token, from: previous });

  /** What going back does. */
  readonly goBack = () => this.move({ stage: 'AWSPENDING', from: token });

  readonly secrets: Secrets = {
    describe: async () => {
      this.record('describe');
      return {
        arn: secretArn,
        name: 'app',
        labels: this.labels,
        ...(this.replicas.length === 0 ? {} : { replicas: this.replicas }),
      };
    },
    read: async (_, versionId = previous) => {
      this.record('read');
      const text = this.values.get(versionId);
      if (text === undefined) throw refusal('ResourceNotFoundException', 'no value');
      return { text, versionId, createdAt: undefined };
    },
    putPending: async (_, versionId, text) => {
      this.record('putPending');
      const there = this.values.get(versionId);
      if (there !== undefined && there !== text) throw refusal('ResourceExistsException', 'in use');
      this.values.set(versionId, text);
    },
    move: async (_, move) => this.move(move),
  };

  readonly executions: Executions = {
    start: async (name, input, until) => {
      this.record('start');
      this.startUntil = until;
      const text = JSON.stringify(input);
      const there = this.started.get(name);
      if (there !== undefined)
        return there.status === 'RUNNING' && there.input === text ? 'started' : 'exists';
      const execution: FakeExecution = { input: text, status: 'RUNNING', cause: undefined };
      this.started.set(name, execution);
      this.onStart(execution, name);
      return 'started';
    },
    describe: async (name) => {
      this.record('describeExecution');
      const there = this.started.get(name);
      return there === undefined
        ? undefined
        : { status: there.status, cause: there.cause, stoppedAt: there.stoppedAt };
    },
  };

  readonly permission = new PermissionToBegin({
    policies: {
      read: async () => {
        this.record('readPolicy');
        return this.policy;
      },
    },
    calendars: {
      ask: async () => {
        this.record('askCalendars');
        return this.calendar;
      },
    },
    turns: new GroupTurns({
      turns: this.turns,
      executions: this.executions,
      now: () => this.time,
      sleep: (ms) => this.sleep(ms),
    }),
    executions: this.executions,
  });

  /** How often a call was made. */
  count(name: string): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  private record(name: string): void {
    this.calls.push({ name, at: this.time });
  }
}

/** The cause that the workflow's Fail state writes. */
export function causeOf(state: string, error: string): string {
  return JSON.stringify({ state, error, cause: 'why', outcome: 'reverted', current: previous, held: null });
}
