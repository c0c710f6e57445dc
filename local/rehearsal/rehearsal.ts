import { setTimeout as pause } from 'node:timers/promises';
import type { Decision } from '../../domain/events';
import { executionName } from '../../domain/names';
import { rotators } from '../../rotators/registry';
import { startCloud, type Cloud } from '../cloud';
import type { DeployedStack } from '../cloudformation/deploy-stack';
import type { Clock } from '../kernel/clock';
import type { SessionKeys } from '../lambda/ports';
import { targets } from '../targets/registry';
import type { ExecutionObserver } from '../step-functions/task-port';
import type { RehearsalTarget, TargetKind, TargetServer } from '../targets/target';
import { repeat, type Application } from './applications';
import { costOf } from './cost';
import { countCalls, functionsByRole } from './count-calls';
import { FaultPlan } from './faults';
import { type Ended, endOf, givenUp, heldAt, sessionsAtEnd, waitsFor, wayOf, withHolds } from './history';
import { commandIn, decideBy, holdAlerts, tokenIn } from './hold';
import { LastUses } from './last-uses';
import { findLeaks, type Leak } from './leaks';
import { Narrator } from './narrator';
import { PortTaken, type RehearsalOptions } from './options';
import type { Progress } from './progress';
import type { Report, RotationReport } from './report';
import { secretName, Seeding, setDeadlines, shortenDeadline, testOfCurrent } from './seeding';
import { startApplications } from './start-applications';
import { keepSession } from './kept-session';
import { operatorAddress, synthesise } from './synthesise';
import { Understudy } from './understudy';

/** How long an application rests between two queries, so that three of them leave the processors some air. */
const usualRestMs = 5;
/** How many such rests the probe makes between two logins: a login costs more than a query. */
const probeRests = 3;
/** How long a rotation may take before the rehearsal gives it up. */
const patienceMs = 180_000;
/** How long Secrets Manager may take after the workflow. It asks for finishSecret's answer at growing intervals. */
const usualSettleMs = 15_000;
/** How long the policy watches for late logins. */
const usualQuietSeconds = 1;

/** What tests change to be quick; the command line does not. */
export interface RehearsalSettings {
  readonly clock?: Clock;
  readonly quietSeconds?: number;
  /** How long to wait at most, after the workflow's end, until Secrets Manager has seen it too. */
  readonly settleMs?: number;
  /** How long each application is waited for; a scaled clock makes few seconds of what the example says. */
  readonly deadlineSeconds?: number;
  /** How long `billing` works on a request before it answers. */
  readonly slowMs?: number;
  /** How long an application rests between two queries; the probe rests three times as long. */
  readonly restMs?: number;
  /** The target to start, where a test keeps a hand on it. */
  readonly target?: TargetKind;
  /** Told of the workflow's tasks beside the rehearsal's own observers. */
  readonly observers?: readonly ExecutionObserver[];
}

/** A cloud with a target and three applications in it, ready to rotate. */
export interface Rehearsal {
  readonly endpoint: string;
  /** The operator's, for the AWS CLI. */
  readonly keys: SessionKeys;
  readonly stateMachineArn: string;
  readonly cloud: Cloud;
  readonly target: RehearsalTarget;
  readonly server: TargetServer;
  /** What works with the secret meanwhile. */
  readonly applications: readonly Application[];
  /** What is to fail; may be changed between rotations. */
  readonly faults: FaultPlan;
  /** Plays the function `reports`; may be told to refuse between rotations. */
  readonly understudy: Understudy;
  /** Rotates as often as the options say, and tells what was found. `startedAt`: when the command began. */
  run(startedAt: number): Promise<Report>;
  /** Rotates once through RotateSecret and waits for the end. */
  rotate(): Promise<RotationReport>;
  /** Decides about the rotation that is held, by the command in its alert, and waits for its end or the next hold. */
  decide(decision: Decision, skip?: readonly string[]): Promise<RotationReport>;
  /** The command that decides about the rotation that is held; undefined where none is. */
  readonly deciding: string | undefined;
  /** Text of every alert that the operator has been sent by now. */
  readonly alerts: readonly string[];
  /** Where secret values were found where none may be. */
  leaks(): Promise<readonly Leak[]>;
  /** Starts a client that logs in with what AWSCURRENT names at that moment, all the time. */
  startProbe(): Probe;
  stop(): Promise<void>;
}

/** Prepares a rehearsal: synthesis and servers side by side, then the deployment, then the applications. */
export async function startRehearsal(
  options: RehearsalOptions,
  progress: Progress,
  settings: RehearsalSettings = {},
): Promise<Rehearsal> {
  const begun = Date.now();
  const { restMs = usualRestMs } = settings;
  const closing: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const faults = new FaultPlan(...(options.fault === undefined ? [] : [options.fault]));
    const narrator = new Narrator(progress);
    const understudy = new Understudy(options);
    const lastUses = new LastUses();
    const { quietSeconds = usualQuietSeconds } = settings;
    const startingCloud = startCloud({
      port: options.port,
      ...(settings.clock === undefined ? {} : { clock: settings.clock }),
      observers: [faults, narrator, ...(quietSeconds === 0 ? [lastUses] : []), ...(settings.observers ?? [])],
      interfere: async (name, event, moment) =>
        (await understudy.interfere(name, event, moment)) ?? faults.interfere(name, event, moment),
      onRotation: (event) => narrator.onRotation(event),
      onEvent: (event) => narrator.onEvent(event),
    });
    const starting = {
      synthesis: timed(progress, 'synthesised the stacks that are deployed', () =>
        synthesise(options.rotator),
      ),
      cloud: startingCloud,
      // Some targets lie inside of the cloud.
      server: timed(progress, 'started the target', async () =>
        (settings.target ?? targets[options.rotator]).start(await startingCloud),
      ),
    };
    // Whatever has started must be ended, also where its neighbour fails.
    closing.push(
      () => starting.server.then((server) => server.stop()).catch(() => undefined),
      () => starting.cloud.then((cloud) => cloud.stop()).catch(() => undefined),
    );
    const [server, cloud, assembly] = await Promise.all([
      starting.server,
      starting.cloud,
      starting.synthesis,
    ]);
    const seeding = new Seeding(cloud, server, options, quietSeconds);
    const stacks = await timed(progress, 'deployed them into the embedded cloud', () =>
      cloud.deploy(assembly, (resource) => seeding.seed(resource)),
    );
    const target = await seeding.target();
    if (settings.deadlineSeconds !== undefined) await setDeadlines(cloud, settings.deadlineSeconds);
    await shortenDeadline(cloud, options);
    understudy.connect(cloud);
    const applications = await timed(progress, 'started orders, reports and billing', () =>
      startApplications(cloud, stacks, target, options, restMs, settings.slowMs),
    );
    closing.push(() => Promise.all(applications.map((application) => application.stop())));
    // The client of a service lets logins end by itself; a function has many instances, and none knows of the others'.
    for (const application of applications) if (application.name === 'reports') lastUses.waitFor(application);
    await timed(progress, 'tested the credential in use, as setting a schedule does', () =>
      testOfCurrent(cloud),
    );
    const { secretArn, stateMachineArn } = outputs(stacks);
    const running = new RunningRehearsal(
      {
        cloud,
        server,
        target,
        applications,
        faults,
        understudy,
        narrator,
        options,
        secretArn,
        stateMachineArn,
        lastUses,
        settleMs: settings.settleMs ?? usualSettleMs,
        restMs,
      },
      stop,
    );
    progress.prepared('ready', Date.now() - begun);
    return running;
  } catch (error) {
    await stop();
    throw isPortTaken(error, options.port) ? new PortTaken(options.port) : error;
  }
}

/** A client that logs in again and again, and keeps nothing. */
export interface Probe {
  logins(): number;
  refused(): number;
  stop(): Promise<void>;
}

interface Parts {
  readonly cloud: Cloud;
  readonly server: TargetServer;
  readonly target: RehearsalTarget;
  readonly applications: readonly Application[];
  readonly faults: FaultPlan;
  readonly understudy: Understudy;
  readonly narrator: Narrator;
  readonly options: RehearsalOptions;
  readonly secretArn: string;
  readonly stateMachineArn: string;
  readonly lastUses: LastUses;
  readonly settleMs: number;
  readonly restMs: number;
}

/** One rotation on its way. */
interface FollowedRotation {
  readonly executionArn: string;
  readonly token: string;
  readonly startedAt: number;
}

class RunningRehearsal implements Rehearsal {
  private decided = 0;
  private held: (FollowedRotation & { readonly alert: string; readonly holds: number }) | undefined;
  readonly endpoint: string;
  readonly keys: SessionKeys;
  readonly stateMachineArn: string;
  readonly cloud: Cloud;
  readonly target: RehearsalTarget;
  readonly server: TargetServer;
  readonly applications: readonly Application[];
  readonly faults: FaultPlan;
  readonly understudy: Understudy;

  constructor(
    private readonly parts: Parts,
    readonly stop: () => Promise<void>,
  ) {
    this.cloud = parts.cloud;
    this.target = parts.target;
    this.server = parts.server;
    this.applications = parts.applications;
    this.faults = parts.faults;
    this.understudy = parts.understudy;
    this.endpoint = parts.cloud.endpoint;
    this.keys = parts.cloud.operator;
    this.stateMachineArn = parts.stateMachineArn;
  }

  async run(startedAt: number): Promise<Report> {
    const { cloud, server, target, applications, options } = this.parts;
    const before = await this.measure();
    const probe = this.startProbe();
    const rotations: RotationReport[] = [];
    let firstRotationMs = 0;
    for (let count = 1; count <= options.rotations; count++) {
      this.parts.narrator.begin(
        options.rotations === 1 ? 'Rotation' : `Rotation ${count} of ${options.rotations}`,
      );
      const kept = options.drain === undefined ? undefined : await keepSession(cloud, target);
      rotations.push(await this.rotate());
      await kept?.close();
      if (count === 1) firstRotationMs = Math.round(Date.now() - startedAt);
    }
    await probe.stop();
    await cloud.idle();
    const logins = await server.logins();
    const after = await this.measure();
    const last = rotations.at(-1);
    if (last === undefined) throw new RangeError('a rehearsal has at least one rotation');
    const traits = rotators[options.rotator].traits(target.settings ?? {});
    const functions = await functionsByRole(cloud);
    const made = cloud.journal.entries
      .slice(before.journal)
      .filter(({ roleArn }) => functions.has(roleArn ?? ''));
    const isPoll = ({ userAgent }: { readonly userAgent: string }) => userAgent.includes('app/rotor-waiting');
    const transitions = rotations.reduce((sum, rotation) => sum + rotation.transitions, 0);
    return {
      ...last,
      secret: secretName,
      rotator: options.rotator,
      overlap: traits.overlap,
      endsSessions: traits.endsSessions,
      rotations: rotations.map(({ outcome, transitions, gapMs, workflowMs, wallMs }) => ({
        outcome,
        transitions,
        gapMs,
        workflowMs,
        wallMs,
      })),
      calls: countCalls(made.filter((entry) => !isPoll(entry))),
      polls: countCalls(made.filter(isPoll)),
      callsByFunction: Object.fromEntries(
        [...functions].map(([role, name]) => [
          name,
          countCalls(made.filter((entry) => entry.roleArn === role && !isPoll(entry))),
        ]),
      ),
      connections: logins.accepted.slice(before.accepted).filter(({ application }) => application === 'rotor')
        .length,
      refusedLogins: logins.refused.length - before.refused - probe.refused(),
      refusedByRotation: rotations.reduce((sum, rotation) => sum + rotation.refusedTasks, 0),
      apps: applications.map((application) => ({ name: application.name, ...application.counts() })),
      faultStrikes: options.fault === undefined ? null : this.faults.strikes(options.fault),
      probe: { logins: probe.logins(), refused: probe.refused() },
      costUsd: costOf({
        transitions,
        secretsManagerCalls: made.filter(({ service }) => service === 'secretsmanager').length,
        invocations: cloud.invocations
          .slice(before.invocations)
          .filter(({ functionName }) => functionName.startsWith('rotor-')),
        customEvents: after.events - before.events,
        snsPublishes: made.filter(({ service }) => service === 'sns').length,
      }),
      decided: options.decide === undefined ? null : { decision: options.decide, times: this.decided },
      alerts: this.alerts,
      leaks: (await this.leaks()).reduce((sum, { count }) => sum + count, 0),
      firstRotationMs,
    };
  }

  async rotate(): Promise<RotationReport> {
    const { cloud, secretArn, stateMachineArn, options } = this.parts;
    const startedAt = Date.now();
    const { VersionId: token } = await cloud.call<{ VersionId: string }>('secretsmanager', 'RotateSecret', {
      SecretId: secretArn,
      ClientRequestToken: crypto.randomUUID(),
    });
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(secretArn, token, 1, 'rotate')}`;
    const rotation = { executionArn, token, startedAt };
    const report = await this.follow(rotation, 0);
    if (report.outcome !== 'held' || options.decide === undefined) return report;
    return this.decide(options.decide);
  }

  async decide(decision: Decision, skip: readonly string[] = []): Promise<RotationReport> {
    const { held } = this;
    if (held === undefined) throw new RangeError('no rotation is held');
    await decideBy(this.parts.cloud, held.alert, decision, skip);
    this.decided += 1;
    return this.follow(held, held.holds);
  }

  get deciding(): string | undefined {
    return this.held === undefined ? undefined : commandIn(this.held.alert);
  }

  get alerts(): readonly string[] {
    return this.cloud.mails.filter(({ to }) => to === operatorAddress).map(({ text }) => text);
  }

  /** Waits until an execution ends, or is held once more than it was. */
  private async follow(rotation: FollowedRotation, holds: number): Promise<RotationReport> {
    const { cloud, settleMs, narrator } = this.parts;
    const { executionArn, token, startedAt } = rotation;
    this.held = undefined;
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      const ended = await cloud
        .call<Ended>('sfn', 'DescribeExecution', { executionArn })
        .catch(() => undefined);
      const alerts = holdAlerts(cloud.mails, executionArn);
      const alert = alerts.at(-1);
      const isAsked = ended?.status === 'RUNNING' && alert !== undefined && alerts.length > holds;
      // An alert whose answer was lost is followed by another with another token: only one of them is waited for.
      const isHeld = isAsked && waitsFor(await cloud.history(executionArn), tokenIn(alert) ?? alert);
      if (isHeld) this.held = { ...rotation, alert, holds: alerts.length };
      if (isHeld || (ended !== undefined && ended.status !== 'RUNNING')) {
        if (settleMs > 0) await narrator.settled(token, settleMs);
        const history = await cloud.history(executionArn);
        const end = isHeld ? heldAt(history) : endOf(ended);
        return {
          ...end,
          consumers: withHolds(end.consumers, history),
          ...sessionsAtEnd(history),
          ...wayOf(history),
          wallMs: Date.now() - startedAt,
        };
      }
      await pause(20);
    }
    const ended = await cloud
      .call<Ended>('sfn', 'DescribeExecution', { executionArn })
      .catch(() => undefined);
    const history = ended === undefined ? [] : await cloud.history(executionArn);
    const way = wayOf(history);
    return {
      ...givenUp(executionArn, ended, way, patienceMs),
      ...way,
      sessions: [],
      ended: [],
      wallMs: Date.now() - startedAt,
    };
  }

  async leaks(): Promise<readonly Leak[]> {
    const { cloud, server, target } = this.parts;
    const values = new Set(cloud.secretValues().flatMap((text) => target.sensitive(text)));
    const readables = [
      ...(await cloud.readables()),
      { place: 'log of the target', text: await server.logText() },
    ];
    return findLeaks([...values], readables);
  }

  /** Counters as they stand now. */
  private async measure() {
    const { cloud, server } = this.parts;
    const { accepted, refused } = await server.logins();
    return {
      journal: cloud.journal.entries.length,
      invocations: cloud.invocations.length,
      events: cloud.customEvents(),
      accepted: accepted.length,
      refused: refused.length,
    };
  }

  startProbe(): Probe {
    const { cloud, target, secretArn, lastUses } = this.parts;
    let refused = 0;
    const probe = repeat(async () => {
      const { SecretString: text } = await cloud.call<{ SecretString: string }>(
        'secretsmanager',
        'GetSecretValue',
        {
          SecretId: secretArn,
        },
      );
      try {
        await (await target.login(text, 'probe')).close();
      } catch (error) {
        if (target.isRefusedLogin(error)) refused += 1;
        throw error;
      }
    }, probeRests * this.parts.restMs);
    lastUses.waitFor(probe);
    return { refused: () => refused, logins: () => probe.counts().queries, stop: probe.stop };
  }
}

function outputs(stacks: ReadonlyMap<string, DeployedStack>) {
  const rotor = stacks.get('RotorStack')?.outputs ?? {};
  const of = (name: string) => {
    const value = rotor[name];
    if (value === undefined) throw new Error(`the stack RotorStack has no output ${name}`);
    return value;
  };
  return { secretArn: of('SecretArn'), stateMachineArn: of('StateMachineArn') };
}

/** Whether the one port that was asked for is in use; servers that take free ports may meet one too. */
function isPortTaken(error: unknown, port: number): boolean {
  if (!(error instanceof Error) || !('code' in error) || !('port' in error)) return false;
  return error.code === 'EADDRINUSE' && error.port === port;
}

async function timed<Result>(progress: Progress, what: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = Date.now();
  const result = await work();
  progress.prepared(what, Date.now() - startedAt);
  return result;
}
