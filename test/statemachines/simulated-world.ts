import { movesToRevert, type Labels, type LabelMove } from '../../domain/labels';
import type { AskedConsumer } from '../../domain/waves';
import { VirtualClock } from '../../local/kernel/clock';
import type { Call } from '../../local/kernel/service';
import type { Json } from '../../local/step-functions/json';
import { createStepFunctions } from '../../local/step-functions/service';
import type { TaskCaller, TaskPort } from '../../local/step-functions/task-port';
import { readWorkflow } from '../../infra/workflow';

const account = '111122223333';
const region = 'us-east-1';
const secretArn = `arn:aws:secretsmanager:${region}:${account}:secret:shop/app-AbCdEf`;
export const previous = 'version-previous';
export const token = 'version-token';
const operator: Call = {
  principal: { kind: 'operator', arn: `arn:aws:iam::${account}:user/operator`, account },
  requestId: 'request',
  userAgent: 'test',
  conditions: {},
};

/** What one consumer answers when it is asked for the nth time (from 1): `refuse` refuses, undefined stays silent. */
export type Answer = (ask: number, versionId: string) => Json | undefined;

/** An error that a task's attempt is to end with. */
export interface Strike {
  readonly state: string;
  readonly moment: 'before' | 'after';
  readonly error: string;
  /** The cause, where it is not what Lambda writes. */
  readonly cause?: string;
  /** How many attempts it strikes. */
  readonly times: number;
}

/** What a simulation is set up with; the defaults make a rotation that succeeds. */
export interface World {
  readonly overlap: 'two-principals' | 'none';
  readonly consumers: readonly (readonly AskedConsumer[])[];
  readonly informed: number;
  readonly policy: Readonly<Record<string, Json>>;
  readonly answers: Readonly<Record<string, Answer>>;
  readonly strikes: readonly Strike[];
  readonly mode: 'rotate' | 'test';
  readonly held: string | null;
  /** Logins with the old credential that AwaitDrain sees, look by look. */
  readonly logins: readonly number[];
  /** Runs after a state's task has had its effect. */
  readonly meanwhile: (state: string, world: Simulation) => void;
}

/** A consumer that is enrolled as most are. */
export function consumer(name: string, wave = 1, more: Partial<AskedConsumer> = {}): AskedConsumer {
  return { name, wave, account, required: true, askSeconds: 60, reminders: 1, ...more };
}

/** What a task is answered with by a consumer that has loaded a version. */
export function loaded(name: string, versionId: string, from = account): Json {
  return { consumer: name, versionId, account: from };
}

/**
 * One rotation on a virtual clock: the workflow as it is deployed, in the interpreter that is held against AWS's recordings,
 * with functions that behave as the real ones do towards labels and target.
 */
export class Simulation implements TaskPort {
  readonly clock = new VirtualClock();
  readonly events: { readonly type: string; readonly detail: Record<string, Json> }[] = [];
  readonly alerts: Record<string, Json>[] = [];
  readonly published: Json[] = [];
  readonly history: { readonly type: string; readonly [name: string]: unknown }[] = [];
  /** Names of states and, behind each failure, the error: what the tests read. */
  readonly path: string[] = [];
  readonly retried: string[] = [];
  labels: Record<string, string> = { AWSCURRENT: previous, AWSPENDING: token };
  /** Versions whose credential the target accepts. */
  readonly accepted = new Set([previous]);
  /** Whenever AWSCURRENT named a credential that did not work. */
  readonly outages: string[] = [];
  status = 'RUNNING';
  cause: Record<string, Json> = {};
  private looks = 0;
  private readonly asked = new Map<string, number>();
  private readonly struck = new Map<Strike, number>();
  private readonly world: World;

  constructor(world: Partial<World> = {}) {
    this.world = {
      overlap: 'two-principals',
      consumers: [[consumer('orders')], [consumer('billing', 2)]],
      informed: 0,
      policy: {},
      answers: {},
      strikes: [],
      mode: 'rotate',
      held: null,
      logins: [],
      meanwhile: () => undefined,
      ...world,
    };
  }

  async run(): Promise<this> {
    const sfn = createStepFunctions(
      {
        account,
        region,
        partition: 'aws',
        clock: this.clock,
        authorize: () => undefined,
        callService: () => Promise.reject(new Error('no other service is here')),
      },
      {
        port: this,
        random: () => 0.5,
        observer: {
          onHistoryEvent: (_arn, event) => this.note(event),
          beforeTask: (state) => this.strike(state, 'before'),
          afterTask: (state) => this.strike(state, 'after'),
        },
      },
    );
    this.complete = (name, input) =>
      sfn.operations[name]?.(input, operator) ?? Promise.reject(new Error(name));
    await this.complete('CreateStateMachine', {
      name: 'rotor-rotation',
      definition: definition(),
      roleArn: `arn:aws:iam::${account}:role/workflow`,
    });
    const stateMachineArn = `arn:aws:states:${region}:${account}:stateMachine:rotor-rotation`;
    const input = {
      secretArn,
      versionId: token,
      previousVersionId: previous,
      heldVersionId: this.world.held,
      mode: this.world.mode,
    };
    await this.complete('StartExecution', {
      stateMachineArn,
      name: 'rotation',
      input: JSON.stringify(input),
    });
    const executionArn = `arn:aws:states:${region}:${account}:execution:rotor-rotation:rotation`;
    for (let idle = 0; idle < 20;) {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      const execution = (await this.complete('DescribeExecution', { executionArn })) as {
        status: string;
        cause?: string;
      };
      if (execution.status !== 'RUNNING') {
        this.status = execution.status;
        this.cause = JSON.parse(execution.cause ?? '{}') as Record<string, Json>;
        break;
      }
      idle = this.clock.advance() ? 0 : idle + 1;
    }
    await sfn.close();
    return this;
  }

  async invoke(resource: string, input: Json, caller: TaskCaller): Promise<Json> {
    const request = input as Record<string, Json>;
    if (resource.endsWith('lambda:invoke')) {
      const name = text(request['FunctionName']).split(':').at(-1) ?? '';
      const result = this.call(name, request['Payload'] as Record<string, Json>);
      this.world.meanwhile(caller.stateName, this);
      this.check();
      return { ExecutedVersion: '$LATEST', Payload: result, StatusCode: 200 };
    }
    if (resource.endsWith('sns:publish')) {
      this.published.push(request['Message'] ?? null);
      return { MessageId: 'message' };
    }
    for (const entry of request['Entries'] as Record<string, Json>[]) this.hear(entry);
    return { Entries: [], FailedEntryCount: 0 };
  }

  private complete: (operation: string, input: Record<string, unknown>) => Promise<object> = () =>
    Promise.reject(new Error('not started'));

  private call(name: string, payload: Record<string, Json>): Json {
    const { overlap, informed, policy, consumers, logins, held } = this.world;
    switch (name) {
      case 'Plan':
        if (held !== null && this.world.mode === 'rotate') throw failure('PreviousStillHeld');
        return {
          secret: { arn: secretArn, name: 'shop/app' },
          versionId: token,
          previousVersionId: previous,
          rotator: null,
          admin: null,
          policy: {
            patienceSeconds: 60,
            onRefusal: 'back',
            onSilence: 'hold',
            retire: 'stop',
            drain: { quietSeconds: 5, deadlineSeconds: 600, openSessions: 'report' },
            password: {},
            ...policy,
          },
          waves: consumers as unknown as Json,
          informed: Array.from({ length: informed }, (_, index) => ({
            name: `watcher-${String(index)}`,
            wave: 1,
          })),
        };
      case 'Rotation':
        return {
          rotator: 'simulated',
          overlap,
          mint: 'rotator',
          usage: overlap !== 'none',
          admin: null,
          principals: { from: 'app', to: 'app_clone' },
        };
      case 'SetSecret': {
        const [from, to] = [text(payload['from']), text(payload['to'])];
        this.accepted.add(to);
        if (overlap === 'none') this.accepted.delete(from);
        return overlap === 'none' ? { gapBegan: new Date(this.clock.now()).toISOString() } : {};
      }
      case 'TestSecret':
        if (!this.accepted.has(text(payload['versionId'])) && this.world.mode === 'rotate')
          throw failure('CredentialRejected');
        return {};
      case 'FinishSecret':
        return this.finish(payload);
      case 'Usage': {
        // Watching takes the time that it was asked for.
        const began = logins[this.looks++] ?? 0;
        const holder = {
          application: 'straggler',
          clientAddress: '192.0.2.1',
          count: began,
          newestBegan: '',
          oldestBegan: '',
        };
        this.clock.after(0, () => undefined);
        return { begun: began === 0 ? [] : [holder], open: [], looks: 2 };
      }
      case 'Retire':
        if (this.labels['AWSCURRENT'] !== payload['keep']) throw failure('RotationAbandoned');
        this.accepted.delete(text(payload['stop']));
        return {};
      case 'Alert':
        this.alerts.push(payload);
        return { messageId: 'message' };
      default:
        throw new Error(`no function ${name}`);
    }
  }

  private finish(payload: Record<string, Json>): Json {
    const move = ({ stage, to }: LabelMove) => {
      if (to === undefined)
        this.labels = Object.fromEntries(Object.entries(this.labels).filter(([name]) => name !== stage));
      else this.labels = { ...this.labels, [stage]: to };
    };
    switch (text(payload['action'])) {
      case 'finish':
        if (this.labels['AWSCURRENT'] !== token && this.labels['AWSCURRENT'] !== previous)
          throw failure('RotationAbandoned');
        if (payload['hold'] === true) move({ stage: 'rotor-held', to: previous });
        move({ stage: 'AWSCURRENT', to: token });
        break;
      case 'revert':
        for (const each of movesToRevert(this.stages(), {
          previous: text(payload['previous']),
          token: text(payload['token']),
          holdToken: payload['holdToken'] === true,
          ownHold: payload['ownHold'] === true,
        }))
          move(each);
        break;
      case 'release':
        if (this.labels['rotor-held'] === payload['versionId']) move({ stage: 'rotor-held' });
        break;
      default:
    }
    const { AWSCURRENT: current, 'rotor-held': held } = this.labels;
    return { current: current ?? null, held: held === undefined || held === current ? null : held };
  }

  private stages(): Labels {
    const stages: Record<string, string[]> = {};
    for (const [stage, version] of Object.entries(this.labels))
      stages[version] = [...(stages[version] ?? []), stage];
    return stages;
  }

  private hear(entry: Record<string, Json>): void {
    const detail = entry['Detail'] as Record<string, Json>;
    this.events.push({ type: text(entry['DetailType']), detail });
    const name = typeof detail['consumer'] === 'string' ? detail['consumer'] : '';
    if (typeof detail['taskToken'] !== 'string') return;
    const ask = (this.asked.get(name) ?? 0) + 1;
    this.asked.set(name, ask);
    const versionId = text(detail['versionId']);
    const answer = (this.world.answers[name] ?? ((_, version) => loaded(name, version)))(ask, versionId);
    if (answer === undefined) return;
    const taskToken = detail['taskToken'];
    setImmediate(() => {
      const answered =
        answer === 'refuse'
          ? this.complete('SendTaskFailure', {
              taskToken,
              error: 'ConsumerRefused',
              cause: JSON.stringify({ consumer: name, versionId, account, reason: 'simulated' }),
            })
          : this.complete('SendTaskSuccess', { taskToken, output: JSON.stringify(answer) });
      // Another consumer's refusal may have ended the wave meanwhile.
      answered.catch(() => undefined);
    });
  }

  private async strike(state: string, moment: 'before' | 'after'): Promise<void> {
    for (const strike of this.world.strikes) {
      const count = this.struck.get(strike) ?? 0;
      if (strike.state !== state || strike.moment !== moment || count >= strike.times) continue;
      this.struck.set(strike, count + 1);
      throw failure(strike.error, strike.cause);
    }
  }

  private note(event: object): void {
    const read = event as (typeof this.history)[number];
    this.history.push(read);
    const entered = read['stateEnteredEventDetails'] as { readonly name: string } | undefined;
    if (entered !== undefined) this.path.push(entered.name);
    const last = this.path.at(-1) ?? '';
    const scheduledBefore = this.history
      .slice(0, -1)
      .findLast(({ type }) => /^(TaskStateEntered|TaskScheduled)$/.test(type));
    if (read.type === 'TaskScheduled' && scheduledBefore?.type === 'TaskScheduled') this.retried.push(last);
  }

  private check(): void {
    const current = this.labels['AWSCURRENT'] ?? '';
    if (!this.accepted.has(current)) this.outages.push(this.path.at(-1) ?? '');
  }
}

function failure(
  error: string,
  cause = JSON.stringify({ errorType: error, errorMessage: 'simulated' }),
): Error {
  return Object.assign(new Error(error), { error, cause });
}

let deployed: string | undefined;

/** The workflow's definition with stand-ins for the deployed resources. */
export function definition(): string {
  if (deployed !== undefined) return deployed;
  const functions = [
    'Rotation',
    'Plan',
    'SetSecret',
    'TestSecret',
    'FinishSecret',
    'Usage',
    'Retire',
    'Alert',
    'Acknowledge',
  ];
  const values: Record<string, string> = {
    ...Object.fromEntries(
      functions.map((name) => [`${name}FunctionArn`, `arn:aws:lambda:${region}:${account}:function:${name}`]),
    ),
    BusName: 'rotor',
    AlertTopicArn: `arn:aws:sns:${region}:${account}:rotor-alerts`,
    RunbookUrl: 'https://example.com/runbook',
  };
  deployed = Object.entries(values).reduce(
    (rest, [name, value]) => rest.replaceAll(`\${${name}}`, value),
    readWorkflow(values).text,
  );
  return deployed;
}

/** A member that is a string; anything else is a fault of the workflow. */
export function text(value: Json | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`a string is expected, not ${typeof value}`);
  return value;
}
