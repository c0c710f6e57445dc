import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { consumerParameter, executionName, secretNameOf, secretPolicyParameter } from '../../domain/names';
import { startCloud, type Cloud } from '../cloud';
import type { DeployedResource, DeployedStack } from '../cloudformation/deploy-stack';
import type { Clock } from '../kernel/clock';
import type { SessionKeys } from '../lambda/ports';
import type { RotatorName } from '../../rotators/registry';
import { targets } from '../targets/registry';
import type { ExecutionObserver } from '../step-functions/task-port';
import type { RehearsalTarget, TargetKind, TargetServer } from '../targets/target';
import { repeat, startFunction, startService, type Application } from './applications';
import { costOf } from './cost';
import { FaultPlan } from './faults';
import { endOf, wayOf } from './history';
import { findLeaks, type Leak } from './leaks';
import { Narrator } from './narrator';
import { applicationNames, type ApplicationName, type RehearsalOptions } from './options';
import type { Progress } from './progress';
import type { Calls, Report, RotationReport } from './report';
import { operatorAddress, synthesise } from './synthesise';
import { Understudy } from './understudy';

/** Names that the example app gives; the rehearsal finds everything else through the stacks' outputs. */
const secretName = 'example/app';
const adminName = 'example/app-admin';
/** Pause between two logins of the probe. */
const probePauseMs = 15;
/** How long a rotation may take before the rehearsal gives it up. */
const patienceMs = 180_000;

/** What the application that is to stay silent is enrolled with, so that nobody waits for a quarter of an hour. */
const shortDeadline = { deadlineSeconds: 4, reminders: 1 };

/** What tests change to be quick; the command line does not. */
export interface RehearsalSettings {
  readonly clock?: Clock;
  readonly quietSeconds?: number;
  /** Whether to wait, after the workflow's end, until Secrets Manager has seen it too; true by default. */
  readonly settle?: boolean;
  /** How long `billing` works on a request before it answers. */
  readonly slowMs?: number;
  /** The target to start, where a test keeps a hand on it. */
  readonly target?: TargetKind;
  /** Told of the workflow's tasks beside the rehearsal's own observers. */
  readonly observers?: readonly ExecutionObserver[];
}

/** A cloud with a database and three applications in it, ready to rotate. */
export interface Rehearsal {
  readonly endpoint: string;
  /** The operator's, for the AWS CLI. */
  readonly keys: SessionKeys;
  readonly stateMachineArn: string;
  readonly cloud: Cloud;
  readonly target: RehearsalTarget;
  /** What is to fail; may be changed between rotations. */
  readonly faults: FaultPlan;
  /** Plays the function `reports`; may be told to refuse between rotations. */
  readonly understudy: Understudy;
  /** Rotates as often as the options say, and tells what was found. `startedAt`: when the command began. */
  run(startedAt: number): Promise<Report>;
  /** Rotates once through RotateSecret and waits for the end. */
  rotate(): Promise<RotationReport>;
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
  const folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-rehearsal-'));
  const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const faults = new FaultPlan(...(options.fault === undefined ? [] : [options.fault]));
    const narrator = new Narrator(progress);
    const understudy = new Understudy(options);
    const starting = {
      synthesis: timed(progress, 'synthesised the stacks that are deployed', () =>
        synthesise(folder, options.rotator),
      ),
      server: timed(progress, 'started the database', () =>
        (settings.target ?? targets[options.rotator]).start(),
      ),
      cloud: startCloud({
        port: options.port,
        ...(settings.clock === undefined ? {} : { clock: settings.clock }),
        observers: [faults, narrator, ...(settings.observers ?? [])],
        interfere: async (name, event, moment) =>
          (await understudy.interfere(name, event, moment)) ?? faults.interfere(name, event, moment),
        onRotation: (event) => narrator.onRotation(event),
        onEvent: (event) => narrator.onEvent(event),
      }),
    };
    // Whatever has started must be ended, also where its neighbour fails.
    closing.push(
      () => starting.server.then((server) => server.stop()).catch(() => undefined),
      () => starting.cloud.then((cloud) => cloud.stop()).catch(() => undefined),
    );
    const [server, cloud] = await Promise.all([starting.server, starting.cloud, starting.synthesis]);
    const seeding = new Seeding(cloud, server, options.rotator);
    const stacks = await timed(progress, 'deployed them into the embedded cloud', () =>
      cloud.deploy(folder, (resource) => seeding.seed(resource)),
    );
    const { target } = seeding;
    await enrol(cloud, options, settings);
    understudy.connect(cloud);
    const applications = await timed(progress, 'started orders, reports and billing', () =>
      startApplications(cloud, stacks, options, settings),
    );
    closing.push(() => Promise.all(applications.map((application) => application.stop())));
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
        settle: settings.settle ?? true,
      },
      stop,
    );
    progress.prepared('ready', Date.now() - begun);
    return running;
  } catch (error) {
    await stop();
    throw error;
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
  readonly settle: boolean;
}

class RunningRehearsal implements Rehearsal {
  readonly endpoint: string;
  readonly keys: SessionKeys;
  readonly stateMachineArn: string;
  readonly cloud: Cloud;
  readonly target: RehearsalTarget;
  readonly faults: FaultPlan;
  readonly understudy: Understudy;

  constructor(
    private readonly parts: Parts,
    readonly stop: () => Promise<void>,
  ) {
    this.cloud = parts.cloud;
    this.target = parts.target;
    this.faults = parts.faults;
    this.understudy = parts.understudy;
    this.endpoint = parts.cloud.endpoint;
    this.keys = parts.cloud.operator;
    this.stateMachineArn = parts.stateMachineArn;
  }

  async run(startedAt: number): Promise<Report> {
    const { cloud, server, applications, options } = this.parts;
    const before = await this.measure();
    const probe = this.startProbe();
    const rotations: RotationReport[] = [];
    let firstRotationMs = 0;
    for (let count = 1; count <= options.rotations; count++) {
      this.parts.narrator.begin(
        options.rotations === 1 ? 'Rotation' : `Rotation ${count} of ${options.rotations}`,
      );
      rotations.push(await this.rotate());
      if (count === 1) firstRotationMs = Math.round(Date.now() - startedAt);
    }
    await probe.stop();
    await cloud.idle();
    const logins = await server.logins();
    const after = await this.measure();
    const last = rotations.at(-1);
    if (last === undefined) throw new RangeError('a rehearsal has at least one rotation');
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
      alerts: cloud.mails.filter(({ to }) => to === operatorAddress).map(({ text }) => text),
      leaks: (await this.leaks()).reduce((sum, { count }) => sum + count, 0),
      firstRotationMs,
    };
  }

  async rotate(): Promise<RotationReport> {
    const { cloud, secretArn, stateMachineArn } = this.parts;
    const startedAt = Date.now();
    const { VersionId: token } = await cloud.call<{ VersionId: string }>('secretsmanager', 'RotateSecret', {
      SecretId: secretArn,
      ClientRequestToken: crypto.randomUUID(),
    });
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(secretArn, token, 1, 'rotate')}`;
    const ended = await this.endOfExecution(executionArn, startedAt + patienceMs);
    const wallMs = Date.now() - startedAt;
    if (ended === undefined)
      return {
        outcome: 'failed',
        states: [],
        transitions: 0,
        consumers: [],
        gapMs: 0,
        workflowMs: 0,
        refusedTasks: 0,
        wallMs,
      };
    if (this.parts.settle) await this.parts.narrator.settled(token);
    return { ...endOf(ended), ...wayOf(await cloud.history(executionArn)), wallMs };
  }

  async leaks(): Promise<readonly Leak[]> {
    const { cloud, server, target } = this.parts;
    const values = new Set(cloud.secretValues().flatMap((text) => target.sensitive(text)));
    const readables = [...(await cloud.readables()), { place: 'database log', text: await server.logText() }];
    return findLeaks([...values], readables);
  }

  private async endOfExecution(executionArn: string, until: number) {
    const { cloud } = this.parts;
    while (Date.now() < until) {
      const ended = await cloud
        .call<{ status: string; output?: string; cause?: string }>('sfn', 'DescribeExecution', {
          executionArn,
        })
        .catch(() => undefined);
      if (ended !== undefined && ended.status !== 'RUNNING') return ended;
      await pause(20);
    }
    return undefined;
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
    const { cloud, target, secretArn } = this.parts;
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
    }, probePauseMs);
    return { refused: () => refused, logins: () => probe.counts().queries, stop: probe.stop };
  }
}

/**
 * Puts the true credentials into the secrets as soon as the template has made them, as an operator must before the schedule
 * exists: setting it makes Secrets Manager test the credential in use.
 */
class Seeding {
  private provisioned: RehearsalTarget | undefined;

  constructor(
    private readonly cloud: Cloud,
    private readonly server: TargetServer,
    private readonly rotator: RotatorName,
  ) {}

  get target(): RehearsalTarget {
    if (this.provisioned === undefined) throw new Error(`the stacks hold no secret ${adminName}`);
    return this.provisioned;
  }

  async seed({ type, physicalId: ref }: DeployedResource): Promise<void> {
    if (type !== 'AWS::SecretsManager::Secret') return;
    const name = secretNameOf(ref);
    if (name === adminName) {
      const alternating = this.rotator === 'postgres-alternating';
      this.provisioned = await this.server.provision(alternating ? { adminArn: ref } : {});
      await this.put(ref, this.provisioned.admin);
    }
    if (name === secretName) await this.put(ref, this.target.secret);
  }

  private async put(SecretId: string, SecretString: string): Promise<void> {
    await this.cloud.call('secretsmanager', 'PutSecretValue', {
      SecretId,
      SecretString,
      ClientRequestToken: crypto.randomUUID(),
    });
  }
}

/** Overwrites parameters where the example's own values would make a rehearsal wait. */
async function enrol(
  cloud: Cloud,
  { rotator, silent }: RehearsalOptions,
  { quietSeconds = 1 }: RehearsalSettings,
): Promise<void> {
  const change = async (Name: string, members: object) => {
    const { Parameter } = await cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name });
    const Value = JSON.stringify({ ...(JSON.parse(Parameter.Value) as object), ...members });
    await cloud.call('ssm', 'PutParameter', { Name, Value, Type: 'String', Overwrite: true });
  };
  await change(secretPolicyParameter(secretName), { rotator, drain: { quietSeconds } });
  if (silent !== undefined) await change(consumerParameter(secretName, silent), shortDeadline);
}

async function startApplications(
  cloud: Cloud,
  stacks: ReadonlyMap<string, DeployedStack>,
  options: RehearsalOptions,
  { slowMs = 400 }: RehearsalSettings,
): Promise<readonly Application[]> {
  const consumers = stacks.get('RotorConsumers')?.outputs ?? {};
  const place = { endpoint: cloud.endpoint, region: cloud.region, secretId: secretName };
  const service = (name: ApplicationName, output: string, slowMs: number) =>
    startService(
      name,
      place,
      cloud.assume(consumers[`${output}RoleArn`] ?? '', 'ecs-tasks.amazonaws.com', name),
      consumers[`${output}QueueUrl`] ?? '',
      { slowMs, refuses: options.refuse === name, silent: options.silent === name },
    );
  const FunctionName = consumers['ReportsFunctionName'] ?? '';
  const invoke = async () => {
    const answer = await cloud.call<{ FunctionError?: string }>('lambda', 'Invoke', {
      FunctionName,
      Payload: '{}',
    });
    return { failed: answer.FunctionError !== undefined };
  };
  const applications = await Promise.all([
    service('orders', 'Orders', 0),
    Promise.resolve(startFunction('reports', invoke)),
    service('billing', 'Billing', slowMs),
  ]);
  const until = Date.now() + 20_000;
  while (applications.some((application) => application.counts().queries === 0)) {
    if (Date.now() > until)
      throw new Error(`an application does not get to its data: ${applicationNames.join(', ')}`);
    await pause(10);
  }
  return applications;
}

/** Waits for the test that setting the schedule has begun: until AWSPENDING is on no version of its own any more. */
async function testOfCurrent(cloud: Cloud): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const { VersionIdsToStages: stages } = await cloud.call<{ VersionIdsToStages: Record<string, string[]> }>(
      'secretsmanager',
      'DescribeSecret',
      { SecretId: secretName },
    );
    if (
      !Object.values(stages).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'))
    )
      return;
    if (Date.now() > until) throw new Error(`the test of the credential in ${secretName} does not end`);
    await pause(20);
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

/** Rotor's own functions by their roles, to tell their calls from the applications'. */
async function functionsByRole(cloud: Cloud): Promise<ReadonlyMap<string, string>> {
  const { Functions } = await cloud.call<{ Functions: { FunctionName: string; Role: string }[] }>(
    'lambda',
    'ListFunctions',
    {},
  );
  return new Map(
    Functions.filter(({ FunctionName }) => FunctionName.startsWith('rotor-')).map(
      ({ FunctionName, Role }) => [Role, FunctionName.slice('rotor-'.length)],
    ),
  );
}

function countCalls(entries: readonly { readonly service: string; readonly operation: string }[]): Calls {
  const counts: Record<string, Record<string, number>> = {};
  for (const { service, operation } of entries) {
    const ofService = (counts[service] ??= {});
    ofService[operation] = (ofService[operation] ?? 0) + 1;
  }
  return counts;
}

async function timed<Result>(progress: Progress, what: string, work: () => Promise<Result>): Promise<Result> {
  const startedAt = Date.now();
  const result = await work();
  progress.prepared(what, Date.now() - startedAt);
  return result;
}
