import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { ServiceError, type Call, type Surroundings } from '../kernel/service';
import { VirtualClock } from '../kernel/clock';
import type { RotationFunctions, StepError } from '../secrets-manager/rotation-driver';
import { createSecretsManager } from '../secrets-manager/service';
import { compareRecorded } from './compare-recorded';

/** How one recorded case came out. */
export interface ConformanceResult {
  /** What the case is about, for a report feature by feature. */
  readonly feature: string;
  readonly case: string;
  /** `refused` is a case that needs something which the embedded service declines by name. */
  readonly outcome: 'passed' | 'failed' | 'refused';
  readonly detail?: string;
}

const stepShape = z.object({
  op: z.string(),
  request: z.record(z.string(), z.unknown()),
  plainHttp: z.optional(z.boolean()),
  response: z.optional(z.record(z.string(), z.unknown())),
  error: z.optional(z.object({ code: z.string(), message: z.string() })),
});
const caseShape = z.object({
  case: z.string(),
  names: z.optional(z.record(z.string(), z.string())),
  steps: z.array(stepShape),
});
const fileShape = z.object({ cases: z.array(caseShape) });

type Step = z.infer<typeof stepShape>;
type Case = z.infer<typeof caseShape>;

const account = '111111111111';
const region = 'us-east-1';
const partition = 'aws';
const lambdaArn = `arn:aws:lambda:${region}:${account}:function:rotate`;

/** Operations to whose requests the SDK adds a random ClientRequestToken. */
const tokenAdded = new Set(['CreateSecret', 'PutSecretValue', 'UpdateSecret', 'RotateSecret']);

/** Replays what was recorded on AWS against the embedded Secrets Manager, each case on a fresh one. */
export async function replaySecretsManager(file: string): Promise<ConformanceResult[]> {
  const { cases } = fileShape.parse(JSON.parse(await readFile(file, 'utf8')));
  const results: ConformanceResult[] = [];
  for (const recorded of cases) results.push(await replay(recorded));
  return results;
}

async function replay(recorded: Case): Promise<ConformanceResult> {
  const feature = featureOf(recorded);
  const world = createWorld();
  const bindings = new Map<string, string>([
    ['<partition>', partition],
    ['<region>', region],
    ['<lambda-arn:1>', lambdaArn],
    ...Object.entries(recorded.names ?? {}),
  ]);
  const answers: unknown[] = [];
  try {
    for (const [index, step] of recorded.steps.entries()) {
      const { answer, error } = await world.call(step, fillRequest(step, bindings, answers));
      answers.push(answer);
      if (error?.code === 'UnsupportedParameter' || error?.code === 'UnknownOperationException')
        return { feature, case: recorded.case, outcome: 'refused', detail: error.message };
      const wrong = difference(step, answer, error, bindings);
      if (wrong !== undefined)
        return {
          feature,
          case: recorded.case,
          outcome: 'failed',
          detail: `step ${index} ${step.op}: ${wrong}`,
        };
      if (step.op === 'RotateSecret' && error === undefined) await world.settle();
    }
    return { feature, case: recorded.case, outcome: 'passed' };
  } finally {
    world.stop();
  }
}

/** The first of these operations in a case says what it is about. */
const features = [
  ['ValidateResourcePolicy', 'names'],
  ['RotateSecret', 'rotation'],
  ['UpdateSecretVersionStage', 'labels and versions'],
  ['ListSecretVersionIds', 'labels and versions'],
  ['TagResource', 'tags'],
  ['PutResourcePolicy', 'resource policies'],
  ['RestoreSecret', 'deletion'],
] as const;

function featureOf(recorded: Case): string {
  const found = features.find(([op]) => recorded.steps.some((step) => step.op === op))?.[1];
  return `Secrets Manager: ${found ?? 'secrets and values'}`;
}

function difference(
  step: Step,
  answer: unknown,
  error: ServiceError | undefined,
  bindings: Map<string, string>,
): string | undefined {
  if (step.error !== undefined) {
    if (error === undefined) return `expected ${step.error.code}, got an answer`;
    return compareRecorded(step.error, { code: error.code, message: error.message }, bindings);
  }
  if (error !== undefined) return `${error.code}: ${error.message}`;
  return step.response === undefined ? undefined : compareRecorded(step.response, answer, bindings);
}

/** Puts values in the place of placeholders; one that no answer has given yet gets a value of its own. */
function fillRequest(
  step: Step,
  bindings: Map<string, string>,
  answers: readonly unknown[],
): Record<string, unknown> {
  const fill = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item)]));
    if (typeof value !== 'string') return value;
    return value.replaceAll(/<[\w-]+(?::\d+)?>|<step\d+\.\w+>/gu, (placeholder) => {
      const reference = /^<step(\d+)\.(\w+)>$/u.exec(placeholder);
      if (reference !== null) return memberOf(answers[Number(reference[1])], reference[2] ?? '');
      const known = bindings.get(placeholder) ?? invent(placeholder);
      bindings.set(placeholder, known);
      return known;
    });
  };
  const request = Object.fromEntries(Object.entries(step.request).map(([key, value]) => [key, fill(value)]));
  if (step.plainHttp !== true && tokenAdded.has(step.op)) request['ClientRequestToken'] ??= randomUUID();
  return request;
}

function invent(placeholder: string): string {
  if (placeholder.startsWith('<SecretId-') || placeholder.startsWith('<any:'))
    return `s-${randomUUID().slice(0, 8)}`;
  return randomUUID();
}

function memberOf(answer: unknown, name: string): string {
  const found: unknown =
    typeof answer === 'object' && answer !== null
      ? Object.entries(answer).find(([key]) => key === name)?.[1]
      : undefined;
  return typeof found === 'string' ? found : '';
}

/** A Secrets Manager of its own, its operator, and a rotation function that does the usual four steps. */
function createWorld() {
  const clock = new VirtualClock();
  const principal = { kind: 'operator', arn: `arn:aws:iam::${account}:user/operator`, account } as const;
  const call: Call = { principal, requestId: 'replay', userAgent: 'replay', conditions: {} };
  const role = `arn:aws:iam::${account}:role/rotate`;
  const functionCall: Call = {
    ...call,
    principal: {
      kind: 'role',
      arn: `arn:aws:sts::${account}:assumed-role/rotate/rotate`,
      account,
      roleArn: role,
    },
  };
  let settled: () => void = () => undefined;
  const surroundings: Surroundings = {
    account,
    region,
    partition,
    clock,
    authorize: () => undefined,
    callService: () => Promise.reject(new Error('the replay has one service')),
  };
  const functions: RotationFunctions = {
    mayInvoke: (functionArn) => Promise.resolve(functionArn === lambdaArn),
    roleOf: () => Promise.resolve(role),
    invoke: async (_functionArn, _secretArn, event) => {
      const { Step: step, SecretId, ClientRequestToken: token } = event;
      const run = (op: string, input: Record<string, unknown>) => operate(op, input, functionCall);
      if (step === 'createSecret') {
        const current = await run('GetSecretValue', { SecretId });
        const SecretString = `${memberOf(current, 'SecretString')}-${token}`;
        const input = { SecretId, ClientRequestToken: token, SecretString, VersionStages: ['AWSPENDING'] };
        await run('PutSecretValue', input);
      }
      if (step === 'finishSecret') {
        const current = await run('DescribeSecret', { SecretId });
        await run('UpdateSecretVersionStage', {
          SecretId,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: token,
          RemoveFromVersionId: currentVersion(current),
        });
      }
      return undefined satisfies StepError | undefined;
    },
  };
  const service = createSecretsManager(surroundings, {
    functions,
    onRotation: (event) => {
      if (event.kind === 'succeeded' || event.kind === 'failed') settled();
    },
  });

  async function operate(op: string, input: Record<string, unknown>, by: Call): Promise<object> {
    const run = service.operations[op];
    if (run === undefined) throw new ServiceError('UnknownOperationException', `${op} is not implemented`);
    return run(input, by);
  }

  return {
    async call(step: Step, request: Record<string, unknown>) {
      // Time passes between recorded requests, so that versions have an order.
      const tick = new Promise<void>((resolve) => clock.after(1000, resolve));
      clock.advance();
      await tick;
      try {
        return { answer: await operate(step.op, request, call), error: undefined };
      } catch (error) {
        if (error instanceof ServiceError) return { answer: undefined, error };
        throw error;
      }
    },
    /** Lets the rotation run to its end, as the recorder did by polling. */
    async settle() {
      const done = new Promise<void>((resolve) => (settled = resolve));
      clock.advance();
      await done;
    },
    stop: () => service.stop(),
  };
}

function currentVersion(description: object): string {
  const stages: unknown = 'VersionIdsToStages' in description ? description.VersionIdsToStages : {};
  if (typeof stages !== 'object' || stages === null) return '';
  const found = Object.entries(stages).find(
    ([, labels]) => Array.isArray(labels) && labels.includes('AWSCURRENT'),
  );
  return found?.[0] ?? '';
}
