import { movesToRevert, type Labels, type LabelMove } from '../../domain/labels';
import type { AskedConsumer, Quorum } from '../../domain/waves';
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
  /** How many attempts come through before; none by default. */
  readonly after?: number;
}

/** What a simulation is set up with; the defaults make a rotation that succeeds. */
export interface World {
  readonly overlap: 'two-principals' | 'none';
  readonly consumers: readonly (readonly AskedConsumer[])[];
  readonly informed: number;
  /** Who tries the new version before AWSCURRENT names it. */
  readonly verifiers: readonly AskedConsumer[];
  readonly quorums: readonly Quorum[];
  readonly policy: Readonly<Record<string, Json>>;
  readonly answers: Readonly<Record<string, Answer>>;
  /** Every how many seconds a consumer says `working` about each request, for ever. */
  readonly heartbeats: Readonly<Record<string, number>>;
  readonly strikes: readonly Strike[];
  readonly mode: 'rotate' | 'test' | 'follow';
  readonly held: string | null;
  /** Logins with the old credential that AwaitDrain sees, look by look. */
  readonly logins: readonly number[];
  /** Whether an application keeps a session of the old credential open for as long as nobody ends it. */
  readonly pooled: boolean;
  /** Regions with a replica, and what each look there finds, the last of them for ever: `behind`, `served` or `failed`. */
  readonly replicas: Readonly<Record<string, readonly ('behind' | 'served' | 'failed')[]>>;
  /** What operators decide, hold by hold: `wait` lets seven days pass; a hold beyond the list ends the simulation. */
  readonly decisions: readonly Json[];
  /** Runs after a state's task has had its effect. */
  readonly meanwhile: (state: string, world: Simulation) => void;
}

/** A consumer that is enrolled as most are. */
export function consumer(name: string, wave = 1, more: Partial<AskedConsumer> = {}): AskedConsumer {
  return { name, wave, account, required: true, askSeconds: 60, reminders: 1, group: null, ...more };
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
  /** Consumers that have said to have loaded a version, as `name version`, in order. */
  readonly acknowledged: string[] = [];
  /** What was stopped, and who had acknowledged by then. */
  readonly stopped: { readonly version: string; readonly acknowledged: readonly string[] }[] = [];
  /** First requests to each consumer about each version, as `name version`, and who had acknowledged by then. */
  readonly firstAsked = new Map<string, readonly string[]>();
  /** Whenever AWSCURRENT named a credential that did not work. */
  readonly outages: string[] = [];
  /** Whether each retirement that succeeded was asked to end sessions too. */
  readonly retirements: boolean[] = [];
  status = 'RUNNING';
  cause: Record<string, Json> = {};
  private looks = 0;
  /** How many decisions were asked for and made. */
  holdCount = 0;
  /** Who had been asked to load the new version when each decision was asked for. */
  readonly askedAtHold: (readonly string[])[] = [];
  /** Each look at replicas: which regions were asked, and about which version. */
  readonly replicaLooks: string[] = [];
  private readonly replicasSeen = new Map<string, number>();
  private undecided: Record<string, Json> | undefined;
  private readonly asked = new Map<string, number>();
  private readonly struck = new Map<Strike, number>();
  private readonly world: World;

  constructor(world: Partial<World> = {}) {
    this.world = {
      overlap: 'two-principals',
      consumers: [[consumer('orders')], [consumer('billing', 2)]],
      informed: 0,
      verifiers: [],
      quorums: [],
      policy: {},
      answers: {},
      heartbeats: {},
      strikes: [],
      mode: 'rotate',
      held: null,
      logins: [],
      pooled: false,
      replicas: {},
      decisions: [],
      meanwhile: () => undefined,
      ...world,
    };
  }

  async run(): Promise<this> {
    if (this.world.mode === 'follow') {
      // Somebody else has rotated, and both credentials work.
      this.labels = { AWSCURRENT: token, AWSPREVIOUS: previous };
      this.accepted.add(token);
    }
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
      ...(Object.keys(this.world.replicas).length === 0
        ? {}
        : { replicaRegions: Object.keys(this.world.replicas) }),
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
      if (this.undecided !== undefined) {
        this.status = 'HELD';
        this.cause = this.undecided;
        break;
      }
      idle = this.clock.advance() ? 0 : idle + 1;
    }
    await sfn.close();
    return this;
  }

  async invoke(resource: string, input: Json, caller: TaskCaller): Promise<Json> {
    const request = input as Record<string, Json>;
    const service = resource.replace(/\.waitForTaskToken$/, '');
    if (service.endsWith('lambda:invoke')) {
      const name = text(request['FunctionName']).split(':').at(-1) ?? '';
      const payload = request['Payload'] as Record<string, Json>;
      const result = name === 'WhoRefused' ? await this.whoRefused(payload) : this.call(name, payload);
      this.world.meanwhile(caller.stateName, this);
      this.check();
      return { ExecutedVersion: '$LATEST', Payload: result, StatusCode: 200 };
    }
    if (service.endsWith('sns:publish')) {
      this.published.push(request['Message'] ?? null);
      const asked = /task token: (\S+)/.exec(text(request['Message']))?.[1];
      if (asked !== undefined) this.decide({ decide: { taskToken: asked } });
      return { MessageId: 'message' };
    }
    for (const entry of request['Entries'] as Record<string, Json>[]) this.hear(entry);
    return { Entries: [], FailedEntryCount: 0 };
  }

  private complete: (operation: string, input: Record<string, unknown>) => Promise<object> = () =>
    Promise.reject(new Error('not started'));

  private call(name: string, payload: Record<string, Json>): Json {
    const { overlap, informed, verifiers, quorums, policy, consumers, logins, held } = this.world;
    switch (name) {
      case 'Plan':
        if (held !== null && this.world.mode === 'rotate') throw failure('PreviousStillHeld');
        return {
          secret: { arn: secretArn, name: 'shop/app' },
          versionId: token,
          previousVersionId: previous,
          rotator: null,
          admin: null,
          settings: {},
          policy: {
            patienceSeconds: 60,
            replicaDeadlineSeconds: 300,
            pauseSeconds: 0,
            onRefusal: 'back',
            onSilence: 'hold',
            retire: 'stop',
            drain: { quietSeconds: 5, deadlineSeconds: 600, openSessions: 'report' },
            password: {},
            urgency: 'routine',
            ...policy,
          },
          waves: consumers as unknown as Json,
          verifiers: verifiers as unknown as Json,
          quorums: quorums as unknown as Json,
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
        const open = this.world.pooled ? [{ ...holder, application: 'pooled', count: 1 }] : [];
        return { begun: began === 0 ? [] : [holder], open, looks: 2 };
      }
      case 'Retire':
        if (this.labels['AWSCURRENT'] !== payload['keep']) throw failure('RotationAbandoned');
        this.accepted.delete(text(payload['stop']));
        this.stopped.push({ version: text(payload['stop']), acknowledged: [...this.acknowledged] });
        this.retirements.push(payload['endSessions'] === true);
        return {
          ended: payload['endSessions'] === true && this.world.pooled ? [{ application: 'pooled' }] : [],
        };
      case 'Replicas':
        return this.lookAtReplicas(payload);
      case 'Alert':
        this.alerts.push(payload);
        if (payload['kind'] === 'held') this.decide(payload);
        return { messageId: 'message' };
      default:
        throw new Error(`no function ${name}`);
    }
  }

  /** As the function does, from what Step Functions itself lists. */
  private async whoRefused({ executionArn }: Record<string, Json>): Promise<Json> {
    const ask = async (operation: string, input: Record<string, unknown>) =>
      (await this.complete(operation, input)) as Record<string, Json>;
    const { mapRuns } = await ask('ListMapRuns', { executionArn });
    const [{ mapRunArn } = {}] = mapRuns as Record<string, Json>[];
    const { executions } = await ask('ListExecutions', { mapRunArn, statusFilter: 'FAILED' });
    const [failed] = executions as Record<string, Json>[];
    const { error, cause } = await ask('DescribeExecution', { executionArn: failed?.['executionArn'] });
    const refusal = error === 'ConsumerRefused' ? (JSON.parse(text(cause)) as Json) : null;
    return { refusal, error: error ?? '', cause: cause ?? '' };
  }

  private lookAtReplicas({ regions, versionId }: Record<string, Json>): Json {
    this.replicaLooks.push(`${(regions as string[]).join(' ')} ${text(versionId)}`);
    const found = (regions as string[]).map((region) => {
      const looks = this.world.replicas[region] ?? [];
      const look = this.replicasSeen.get(region) ?? 0;
      this.replicasSeen.set(region, look + 1);
      return { region, state: looks[Math.min(look, looks.length - 1)] ?? 'served' };
    });
    return {
      waiting: found.filter(({ state }) => state !== 'served').map(({ region }) => region),
      failed: found
        .filter(({ state }) => state === 'failed')
        .map(({ region }) => ({ region, message: 'simulated' })),
    };
  }

  private decide(hold: Record<string, Json>): void {
    const decision = this.world.decisions[this.holdCount++];
    this.askedAtHold.push(
      [...this.firstAsked.keys()].flatMap((asking) =>
        asking.endsWith(` ${token}`) ? [asking.split(' ')[0] ?? ''] : [],
      ),
    );
    if (decision === undefined) this.undecided = hold;
    if (decision === undefined || decision === 'wait') return;
    const { taskToken } = hold['decide'] as Record<string, Json>;
    const output = JSON.stringify({ skip: [], by: 'operator', ...(decision as object) });
    // The task may have ended meanwhile; a decision that nobody waits for is lost.
    setImmediate(() => void this.complete('SendTaskSuccess', { taskToken, output }).catch(() => undefined));
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
    const asking = `${name} ${versionId}`;
    if (detail['phase'] === 'load' && !this.firstAsked.has(asking))
      this.firstAsked.set(asking, [...this.acknowledged]);
    const answer = (this.world.answers[name] ?? ((_, version) => loaded(name, version)))(ask, versionId);
    const everySeconds = this.world.heartbeats[name];
    if (everySeconds !== undefined) this.beat(detail['taskToken'], everySeconds);
    if (answer === undefined) return;
    const taskToken = detail['taskToken'];
    const isTrue = JSON.stringify(answer) === JSON.stringify(loaded(name, versionId));
    if (detail['phase'] === 'load' && isTrue) this.acknowledged.push(asking);
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

  private beat(taskToken: string, everySeconds: number): void {
    this.clock.after(everySeconds * 1000, () => {
      this.complete('SendTaskHeartbeat', { taskToken }).then(
        () => this.beat(taskToken, everySeconds),
        () => undefined,
      );
    });
  }

  private async strike(state: string, moment: 'before' | 'after'): Promise<void> {
    for (const strike of this.world.strikes) {
      const count = this.struck.get(strike) ?? 0;
      const { after = 0 } = strike;
      if (strike.state !== state || strike.moment !== moment || count >= after + strike.times) continue;
      this.struck.set(strike, count + 1);
      if (count < after) continue;
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
    'Replicas',
    'WhoRefused',
    'Alert',
    'Acknowledge',
    'Decide',
  ];
  const values: Record<string, string> = {
    ...Object.fromEntries(
      functions.map((name) => [`${name}FunctionArn`, `arn:aws:lambda:${region}:${account}:function:${name}`]),
    ),
    Partition: 'aws',
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
