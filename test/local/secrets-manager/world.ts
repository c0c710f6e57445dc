import { randomUUID } from 'node:crypto';
import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Access, type Call, type Principal } from '../../../local/kernel/service';
import type {
  RepeatPolicy,
  RotationEvent,
  RotationFunctions,
  RotationInvocation,
  StepError,
} from '../../../local/secrets-manager/rotation-driver';
import type { SecretLabelUpdated } from '../../../local/secrets-manager/secret-store';
import { createSecretsManager, type SecretsManagerOptions } from '../../../local/secrets-manager/service';

export const account = '111122223333';
export const region = 'us-east-1';
export const lambdaArn = `arn:aws:lambda:${region}:${account}:function:rotate`;

/** What a rotation function does in one step; an error that it returns fails the step. */
export type Step = (event: RotationInvocation, world: World) => Promise<StepError | undefined>;

export type World = ReturnType<typeof createWorld>;

/** A Secrets Manager with real IAM on a virtual clock; `step` plays the rotation function under a role of its own. */
export function createWorld(
  options: {
    readonly step?: Step;
    readonly repeatPolicy?: Partial<RepeatPolicy>;
    readonly mayInvoke?: () => boolean;
    readonly authorizeKeyUse?: SecretsManagerOptions['authorizeKeyUse'];
  } = {},
) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 1, 10, 30));
  const where = { account, region, partition: 'aws', clock };
  const roles = new RoleStore(where);
  const trustPolicy = {
    Statement: { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
  };
  const policies = {
    all: { Statement: { Effect: 'Allow', Action: 'secretsmanager:*', Resource: '*' } },
  };
  const functionRole = roles.put({ name: 'rotate', trustPolicy, policies });
  const functionPrincipal = roles.assume(functionRole, 'lambda.amazonaws.com', 'rotate').principal;
  const asked: Access[] = [];
  const events: RotationEvent[] = [];
  const labels: SecretLabelUpdated[] = [];
  const invocations: RotationInvocation[] = [];
  const functions: RotationFunctions = {
    mayInvoke: () => Promise.resolve(options.mayInvoke?.() ?? true),
    roleOf: () => Promise.resolve(functionRole),
    invoke: (_functionArn, _secretArn, event) => {
      invocations.push(event);
      return (options.step ?? usualStep)(event, world);
    },
  };
  const evaluate = createAuthorize({ ...where, roles });
  const service = createSecretsManager(
    {
      ...where,
      authorize: (call, access) => {
        asked.push(access);
        evaluate(call, access);
      },
      callService: () => Promise.reject(new Error('this world has one service')),
    },
    {
      functions,
      onRotation: (event) => events.push(event),
      onLabelUpdated: (event) => labels.push(event),
      ...(options.repeatPolicy && { repeatPolicy: options.repeatPolicy }),
      ...(options.authorizeKeyUse && { authorizeKeyUse: options.authorizeKeyUse }),
    },
  );

  const world = {
    clock,
    roles,
    service,
    asked,
    events,
    labels,
    invocations,
    functionPrincipal,
    /** Ends in the operation's answer, as text values by name, or in its ServiceError. */
    async run(
      op: string,
      input: Readonly<Record<string, unknown>>,
      as: Principal = roles.operator.principal,
    ) {
      const operation = service.operations[op];
      if (operation === undefined) throw new Error(`no operation ${op}`);
      const call: Call = { principal: as, requestId: 'r', userAgent: 'u', conditions: {} };
      const answer: Readonly<Record<string, unknown>> = { ...(await operation(input, call)) };
      return answer;
    },
    /** `Code: message` of the error that an operation ends in. */
    async refusal(op: string, input: Readonly<Record<string, unknown>>, as?: Principal): Promise<string> {
      try {
        await world.run(op, input, as);
      } catch (error) {
        if (error instanceof ServiceError) return `${error.code}: ${error.message}`;
        throw error;
      }
      return 'no error';
    },
    /** A secret with one value, AWSCURRENT; answers its version id. */
    async seed(name = 'app', value = 'first'): Promise<string> {
      const ClientRequestToken = randomUUID();
      await world.run('CreateSecret', { Name: name, ClientRequestToken, SecretString: value });
      return ClientRequestToken;
    },
    async put(name: string, value: string, more: object = {}): Promise<string> {
      const ClientRequestToken = randomUUID();
      await world.run('PutSecretValue', { SecretId: name, ClientRequestToken, SecretString: value, ...more });
      return ClientRequestToken;
    },
    rotate(more: object = {}) {
      const request = { SecretId: 'app', ClientRequestToken: randomUUID(), RotationLambdaARN: lambdaArn };
      return world.run('RotateSecret', { ...request, ...more });
    },
    async stages(name = 'app'): Promise<unknown> {
      return (await world.run('DescribeSecret', { SecretId: name }))['VersionIdsToStages'];
    },
    /** Lets time and promises go on until an event of this kind was told `times` times. */
    async until(kind: RotationEvent['kind'], times = 1): Promise<void> {
      for (let turn = 0; turn < 1000; turn++) {
        await world.settle();
        if (events.filter((event) => event.kind === kind).length >= times) return;
        clock.advance();
      }
      throw new Error(`${kind} was not told ${times} times: ${events.map((event) => event.kind).join(', ')}`);
    },
    /** Lets every promise that can go on do so, without any time. */
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    /** Jumps over timers until the clock shows at least `time`. */
    async travelTo(time: number): Promise<void> {
      clock.after(time - clock.now(), () => undefined);
      while (clock.now() < time) {
        await world.settle();
        clock.advance();
      }
      await world.settle();
    },
  };
  return world;
}

/** The four steps as AWS's templates do them. */
export const usualStep: Step = async (event, world) => {
  const { SecretId, ClientRequestToken, Step: step } = event;
  if (step === 'createSecret')
    await world.run(
      'PutSecretValue',
      {
        SecretId,
        ClientRequestToken,
        SecretString: `made-${ClientRequestToken}`,
        VersionStages: ['AWSPENDING'],
      },
      world.functionPrincipal,
    );
  if (step === 'finishSecret') await promote(SecretId, ClientRequestToken, world);
  return undefined;
};

/** Moves AWSCURRENT to a version from wherever it is. */
export async function promote(SecretId: string, MoveToVersionId: string, world: World): Promise<void> {
  const current = await world.run('GetSecretValue', { SecretId });
  const RemoveFromVersionId = current['VersionId'];
  const move = { SecretId, VersionStage: 'AWSCURRENT', MoveToVersionId, RemoveFromVersionId };
  await world.run('UpdateSecretVersionStage', move, world.functionPrincipal);
}
