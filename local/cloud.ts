import { AssetStore } from './cloudformation/assets';
import { deployAssembly } from './cloudformation/deploy-assembly';
import type { DeployedResource, DeployedStack } from './cloudformation/deploy-stack';
import type { Event } from './events/event';
import { type ContainersOptions, createContainerService } from './ecs/ecs-service';
import { createEvents } from './events/events-service';
import { allExecutions, childrenOf, eventsOf } from './executions';
import { createCallService, Dispatcher } from './gateway/dispatch';
import { startGateway } from './gateway/gateway';
import { Journal } from './gateway/journal';
import { createAuthorize } from './iam/authorize';
import { RoleStore, type Session } from './iam/role-store';
import { createIdentityManagement } from './iam/service';
import { UserStore, type AccessKeyTiming } from './iam/user-store';
import { ScaledClock, type Clock } from './kernel/clock';
import type { Principal, Service, Surroundings } from './kernel/service';
import { createKeyManagement } from './kms/service';
import { LambdaService } from './lambda/lambda-service';
import type { Fault, InvocationRecord, Moment } from './lambda/ports';
import { createLogs } from './logs/logs-service';
import type { ProxyStore } from './rds/proxy-store';
import { createRelationalDatabases } from './rds/service';
import type { RepeatPolicy, RotationEvent } from './secrets-manager/rotation-driver';
import type { ReplicationTiming } from './secrets-manager/replication';
import { createSecretsManager } from './secrets-manager/service';
import { createSns } from './sns/sns-service';
import { createSqs } from './sqs/sqs-service';
import type { Fleet } from './ssm/fleet';
import { createSystemsManager } from './ssm/systems-manager';
import { createStepFunctions } from './step-functions/service';
import { Neighbours } from './neighbours';
import type { ExecutionObserver } from './step-functions/task-port';
import { createTokenService } from './sts/service';

/** How a cloud is to be started; everything has a default. */
export interface CloudOptions {
  /** Port on 127.0.0.1; 0 or absent takes a free one. */
  readonly port?: number;
  /** Waits and deadlines of the services go by it; functions run in real time. */
  readonly clock?: Clock;
  readonly observers?: readonly ExecutionObserver[];
  readonly interfere?: (
    functionName: string,
    event: unknown,
    moment: Moment,
  ) => Fault | undefined | Promise<Fault | undefined>;
  readonly onRotation?: (event: RotationEvent) => void;
  /** Told of every event on every bus. */
  readonly onEvent?: (event: Event) => void;
  readonly repeatPolicy?: Partial<RepeatPolicy>;
  /** Whether and how fast the tasks of Amazon ECS come up; each does in half a minute by default. */
  readonly containers?: ContainersOptions;
  /** How late IAM is with new access keys and with their last use. */
  readonly accessKeys?: Partial<AccessKeyTiming>;
  /** How fast replicas of secrets follow in other regions, and which are held back. */
  readonly replication?: Partial<ReplicationTiming>;
  /** 111122223333 by default. */
  readonly account?: string;
  /** us-east-1 by default. */
  readonly region?: string;
  /** The organisation of the account, `o-…`; none by default. */
  readonly organizationId?: string;
  /** Other accounts and regions that it can reach; the same object is given to each of them. */
  readonly neighbours?: Neighbours;
}

/** A text that somebody can read, and where it stands. */
export interface Readable {
  readonly place: string;
  readonly text: string;
}

/** A mail that left the account. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** The embedded cloud: one account in one region, behind one endpoint; `neighbours` are others of its kind. */
export interface Cloud {
  /** What AWS_ENDPOINT_URL is set to. */
  readonly endpoint: string;
  readonly account: string;
  readonly region: string;
  /** Credentials that may do everything. */
  readonly operator: Session;
  readonly journal: Journal;
  /** Every invocation of every function, in order. */
  readonly invocations: readonly InvocationRecord[];
  readonly mails: readonly Mail[];
  /** The managed nodes that Run Command reaches, and its documents. */
  readonly fleet: Fleet;
  /** The proxies of RDS. */
  readonly proxies: ProxyStore;
  /** Calls an operation as the operator. */
  call<Answer extends object>(
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<Answer>;
  /** Calls an operation with a role that trusts `trusted`. */
  callAs(
    roleArn: string,
    trusted: string,
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<object>;
  /** Credentials of a role, as the service that it trusts would get them. */
  assume(roleArn: string, trusted: string, sessionName: string): Session;
  /** Deploys a synthesised cloud assembly; `onResource` is awaited after each resource. */
  deploy(
    directory: string,
    onResource?: (resource: DeployedResource) => Promise<void>,
  ): Promise<ReadonlyMap<string, DeployedStack>>;
  /** Every event of an execution. */
  history(executionArn: string): Promise<readonly object[]>;
  /** The executions that the distributed Maps of an execution have started, and those that these have, by ARN. */
  children(executionArn: string): Promise<readonly string[]>;
  /** How many custom events were put so far. */
  customEvents(): number;
  /** Every text of every secret that was ever stored. */
  secretValues(): readonly string[];
  /** Everything that somebody with access can read: histories, events, messages, mails, logs, and the journal of calls. */
  readables(): Promise<readonly Readable[]>;
  /** Resolves when events and notifications have been delivered; what functions do with them may go on, and be retried. */
  idle(): Promise<void>;
  /** Ends it; nothing keeps the process alive afterwards. */
  stop(): Promise<void>;
}

/** Error codes of services that do not say AccessDeniedException. */
const refusals: Readonly<Record<string, { readonly code: string; readonly statusCode: number }>> = {
  iam: { code: 'AccessDenied', statusCode: 403 },
  rds: { code: 'AccessDenied', statusCode: 403 },
  sns: { code: 'AuthorizationError', statusCode: 403 },
  sqs: { code: 'AccessDenied', statusCode: 403 },
  sts: { code: 'AccessDenied', statusCode: 403 },
  lambda: { code: 'AccessDeniedException', statusCode: 403 },
};

/** Starts an empty account. */
export async function startCloud(options: CloudOptions = {}): Promise<Cloud> {
  const { account = '111122223333', region = 'us-east-1', neighbours = new Neighbours() } = options;
  const where = { account, region, partition: 'aws' } as const;
  const clock = options.clock ?? new ScaledClock();
  // Identities belong to the account, whichever of its regions is asked.
  const { roles, users } = neighbours.account(account, () => {
    const timing = options.accessKeys === undefined ? {} : { timing: options.accessKeys };
    const made = new UserStore({ ...where, clock, realTime: new ScaledClock(1), ...timing });
    return {
      users: made,
      roles: new RoleStore({ ...where, clock, users: made }),
      organizationId: options.organizationId,
    };
  });
  const journal = new Journal(clock);
  const services: Service[] = [];
  const defects: string[] = [];
  const dispatcher = new Dispatcher(services, journal, (error, service, operation) => {
    // Neither the message nor the input is kept: either may hold a value.
    defects.push(`${service}:${operation}: ${error instanceof Error ? error.name : 'unknown'}`);
  });
  const callService = createCallService(dispatcher);
  const surroundingsOf = (service: string): Surroundings => ({
    ...where,
    clock,
    callService,
    authorize: createAuthorize({
      ...where,
      clock,
      roles: neighbours,
      organisationOf: (of) => neighbours.organisationOf(of),
      ...refusals[service],
    }),
  });

  const heard: Event[] = [];
  const messages: Readable[] = [];
  const invocations: InvocationRecord[] = [];
  const assets = new AssetStore();
  const operator: Principal = roles.operator.principal;
  let endpoint = '';

  const kms = createKeyManagement(surroundingsOf('kms'));
  const authorizeKeyUse = kms.authorizeKeyUse.bind(kms);
  const logs = createLogs(surroundingsOf('logs'));
  const sqs = createSqs({
    surroundings: surroundingsOf('sqs'),
    endpoint: () => endpoint,
    authorizeKeyUse,
    onMessage: (queueArn, { body }) => messages.push({ place: `queue ${queueArn}`, text: body }),
  });
  const sns = createSns({
    surroundings: surroundingsOf('sns'),
    authorizeKeyUse,
    onPublish: ({ topicArn, message, subject }) =>
      messages.push({ place: `topic ${topicArn}`, text: `${subject ?? ''}\n${message}` }),
  });
  const events = createEvents({
    surroundings: surroundingsOf('eventbridge'),
    assumeRole: (roleArn, sessionName) =>
      roles.assume(roleArn, 'events.amazonaws.com', sessionName).principal,
    elsewhere: (of, there) => neighbours.at(of, there)?.events,
    observer: {
      accepted: (event) => {
        heard.push(event);
        options.onEvent?.(event);
      },
    },
  });
  const lambda = new LambdaService(surroundingsOf('lambda'), {
    endpoint: () => endpoint,
    assume: async (roleArn, service, sessionName) => roles.assume(roleArn, service, sessionName),
    appendLog: logs.append,
    locateCode: (bucket, key) => assets.locateCode(bucket, key),
    observe: (record) => invocations.push(record),
    ...(options.interfere === undefined ? {} : { interfere: options.interfere }),
  });
  const observers = options.observers ?? [];
  const stepFunctions = createStepFunctions(surroundingsOf('sfn'), {
    assumeRole: (roleArn, session) => roles.assume(roleArn, 'states.amazonaws.com', session).principal,
    // Functions run in real time, so what limits them must too, whatever the services' clock does.
    taskClock: new ScaledClock(1),
    publishStatus: ({ time, 'detail-type': detailType, ...event }) =>
      events.publish({ ...event, detailType, time: time.getTime() }),
    observer: {
      onHistoryEvent: (arn, event) => observers.forEach((observer) => observer.onHistoryEvent?.(arn, event)),
      beforeTask: async (...task) => {
        for (const observer of observers) await observer.beforeTask?.(...task);
      },
      afterTask: async (...task) => {
        for (const observer of observers) await observer.afterTask?.(...task);
      },
    },
  });
  const secretsManager = createSecretsManager(surroundingsOf('secretsmanager'), {
    authorizeKeyUse,
    regionAt: (there) => neighbours.at(account, there)?.secrets,
    ...(options.replication === undefined ? {} : { replication: options.replication }),
    onLabelUpdated: (event) => events.publish(event),
    ...(options.onRotation === undefined ? {} : { onRotation: options.onRotation }),
    ...(options.repeatPolicy === undefined ? {} : { repeatPolicy: options.repeatPolicy }),
  });
  const systemsManager = createSystemsManager(surroundingsOf('ssm'));
  const databases = createRelationalDatabases(surroundingsOf('rds'));
  const containers = createContainerService(surroundingsOf('ecs'), options.containers);
  services.push(
    secretsManager,
    stepFunctions,
    lambda,
    events,
    sns,
    sqs,
    systemsManager,
    databases,
    containers,
    logs,
    kms,
    createTokenService(surroundingsOf('sts'), roles),
    createIdentityManagement(surroundingsOf('iam'), users),
  );
  const own = { account, region, dispatcher, events, secrets: secretsManager.replicas };
  neighbours.join(own);
  const gateway = await startGateway({
    dispatcher,
    ...(options.neighbours === undefined
      ? {}
      : { route: (...request) => neighbours.answering(own, ...request) }),
    port: options.port ?? 0,
    identities: {
      identify: (accessKeyId) => roles.principalOf(accessKeyId) ?? users.principalOf(accessKeyId),
      secretFor: (accessKeyId) =>
        roles.sessionOf(accessKeyId)?.secretAccessKey ?? users.secretOf(accessKeyId),
      sessionTokenFor: (accessKeyId) =>
        accessKeyId.startsWith('ASIA') ? roles.sessionOf(accessKeyId)?.sessionToken : undefined,
      used: (accessKeyId, service, region) => users.noteUse(accessKeyId, service, region),
    },
  });
  endpoint = gateway.endpoint;

  const call: Cloud['call'] = async <Answer extends object>(
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ) => (await callService(service, operation, input, { principal: operator })) as Answer;
  const history = (executionArn: string) => eventsOf(call, executionArn);

  return {
    endpoint,
    account,
    region,
    operator: roles.operator,
    journal,
    invocations,
    fleet: systemsManager.fleet,
    proxies: databases.proxies,
    get mails() {
      return sns.outbox.map(({ endpoint: to, subject, body }) => ({ to, subject, text: body }));
    },
    call,
    callAs: async (roleArn, trusted, service, operation, input) =>
      callService(service, operation, input, {
        principal: roles.assume(roleArn, trusted, 'rehearsal').principal,
      }),
    assume: (roleArn, trusted, sessionName) => roles.assume(roleArn, trusted, sessionName),
    deploy: async (directory, onResource) => {
      const deployment = await deployAssembly(directory, {
        surroundings: surroundingsOf('cloudformation'),
        operator,
        roles,
        assets,
        observe: async (_stack, _logicalId, resource) => onResource?.(resource),
      });
      return deployment.stacks;
    },
    history,
    children: (executionArn) => childrenOf(call, executionArn),
    customEvents: () => heard.filter(({ source }) => !source.startsWith('aws.')).length,
    secretValues: () =>
      secretsManager
        .storedValues()
        .flatMap(({ value }) => ('SecretString' in value ? [value.SecretString] : [])),
    readables: async () => {
      const executions = await allExecutions(call);
      const histories = await Promise.all(
        executions.map(async (arn) => ({
          place: `history ${arn}`,
          text: JSON.stringify(await history(arn)),
        })),
      );
      return [
        ...histories,
        ...heard.map((event) => ({ place: `event ${event['detail-type']}`, text: JSON.stringify(event) })),
        ...messages,
        ...sns.outbox.map(({ endpoint: to, body, subject }) => ({
          place: `mail to ${to}`,
          text: `${subject}\n${body}`,
        })),
        ...logs.groups().flatMap((group) =>
          group.streams.map((stream) => ({
            place: `log ${group.name}`,
            text: stream.events.map(({ message }) => message).join('\n'),
          })),
        ),
        { place: 'journal', text: JSON.stringify(journal.entries) },
      ];
    },
    idle: async () => {
      await events.idle();
      await sns.idle();
    },
    stop: async () => {
      secretsManager.stop();
      await stepFunctions.close();
      events.stop();
      sns.stop();
      sqs.stop();
      systemsManager.stop();
      containers.stop();
      await lambda.close();
      await gateway.stop();
    },
  };
}
