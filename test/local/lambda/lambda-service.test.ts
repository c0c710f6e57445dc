import { existsSync } from 'node:fs';
import { VirtualClock } from '../../../local/kernel/clock';
import type { Fault } from '../../../local/lambda/ports';
import { account, operator, roleArn, Stage } from './stage';

let stage: Stage;
beforeEach(() => (stage = new Stage()));
afterEach(() => stage.close());

const arn = (name: string) => `arn:aws:lambda:us-east-1:${account}:function:${name}`;
const echo = `export const handler = async (event: unknown) => event;`;

test('Invoke asks for leave on the function, with its resource policy', async () => {
  await stage.deploy('asked', echo);
  await stage.lambda.operations.AddPermission(
    {
      FunctionName: 'asked',
      StatementId: 'sm',
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: account,
      SourceArn: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:app-??????',
    },
    operator,
  );
  await stage.invoke(`${arn('asked')}:$LATEST`, { a: 1 });
  const statement = {
    Sid: 'sm',
    Effect: 'Allow',
    Principal: { Service: 'secretsmanager.amazonaws.com' },
    Action: 'lambda:InvokeFunction',
    Resource: arn('asked'),
    Condition: {
      StringEquals: { 'AWS:SourceAccount': account },
      ArnLike: { 'AWS:SourceArn': 'arn:aws:secretsmanager:us-east-1:111122223333:secret:app-??????' },
    },
  };
  const policy = { Version: '2012-10-17', Id: 'default', Statement: [statement] };
  const asked = stage.asked.find(({ access }) => access.action === 'lambda:InvokeFunction');
  expect(asked?.access).toEqual({
    action: 'lambda:InvokeFunction',
    resource: arn('asked'),
    resourcePolicy: policy,
  });
  const answer = await stage.lambda.operations.GetPolicy({ FunctionName: 'asked' }, operator);
  expect(JSON.parse(answer.Policy)).toEqual(policy);
});

test('a caller without leave is refused before it learns whether the function exists', async () => {
  stage.denied = () => true;
  await expect(stage.invoke('absent')).rejects.toMatchObject({ code: 'AccessDeniedException' });
});

test('a function that does not exist is named in the error', async () => {
  await expect(stage.invoke('absent')).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
    message: `Function not found: ${arn('absent')}`,
    statusCode: 404,
  });
});

test('DryRun checks and does not run', async () => {
  await stage.deploy('dry', echo);
  expect(await stage.invoke('dry', {}, { InvocationType: 'DryRun' })).toEqual({
    StatusCode: 204,
    Payload: '',
  });
  expect(stage.lambda.workers().all).toBe(0);
});

test('a payload that is not JSON is refused without being quoted', async () => {
  await stage.deploy('picky', echo);
  await expect(stage.invoke('picky', {}, { Payload: '{"password":"hunter2"' })).rejects.toMatchObject({
    code: 'InvalidRequestContentException',
    message: 'Could not parse request body into json',
  });
});

test('bytes and an empty payload are taken as the SDK sends them', async () => {
  await stage.deploy('bytes', echo);
  const answer = await stage.invoke('bytes', {}, { Payload: new TextEncoder().encode('{"a":"ä"}') });
  expect(answer.Payload).toBe('{"a":"ä"}');
  expect((await stage.invoke('bytes', {}, { Payload: '' })).Payload).toBe('{}');
});

test('what is not implemented is refused by name', async () => {
  await stage.deploy('named', echo);
  await expect(stage.invoke('named', {}, { ClientContext: 'e30=' })).rejects.toMatchObject({
    code: 'UnsupportedParameter',
    message: expect.stringContaining('ClientContext') as string,
  });
  await expect(stage.create('layered', { Layers: ['arn:layer'] })).rejects.toMatchObject({
    message: expect.stringContaining('Layers') as string,
  });
  await expect(stage.create('snake', { Runtime: 'python3.13' })).rejects.toMatchObject({
    message: expect.stringContaining('python3.13') as string,
  });
});

test('reserved concurrency refuses the one too many, and lets it in when there is room', async () => {
  await stage.deploy(
    'narrow',
    `export const handler = async () => { await new Promise((done) => setTimeout(done, 100)); return 1; };`,
  );
  await stage.lambda.operations.PutFunctionConcurrency(
    { FunctionName: 'narrow', ReservedConcurrentExecutions: 2 },
    operator,
  );
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => stage.invoke('narrow')));
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(outcomes[2]).toMatchObject({
    reason: {
      code: 'TooManyRequestsException',
      message: 'Rate Exceeded.',
      statusCode: 429,
      members: { Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
    },
  });
  expect(await stage.result('narrow')).toBe(1);
});

test('reserved concurrency must leave a hundred to the other functions', async () => {
  await stage.deploy('greedy', echo);
  await expect(
    stage.lambda.operations.PutFunctionConcurrency(
      { FunctionName: 'greedy', ReservedConcurrentExecutions: 901 },
      operator,
    ),
  ).rejects.toMatchObject({ code: 'InvalidParameterValueException' });
});

describe('an event', () => {
  const counting = `
    import { appendFileSync, existsSync, readFileSync } from 'node:fs';
    export const handler = async (event: { file: string; failures: number }) => {
      const before = existsSync(event.file) ? readFileSync(event.file, 'utf8').length : 0;
      appendFileSync(event.file, 'x');
      if (before < event.failures) throw new Error('attempt ' + (before + 1));
    };`;

  /** Runs timers of the cloud's clock until the queue is empty, noting when each attempt began. */
  async function drain(clock: VirtualClock): Promise<void> {
    const state = { done: false };
    const settled = stage.lambda.settled().then(() => (state.done = true));
    while (!state.done) {
      await new Promise((resolve) => setImmediate(resolve));
      const { all, idle } = stage.lambda.workers();
      if (all === idle) clock.advance();
    }
    await settled;
  }

  test('is accepted at once and tried twice more, after one minute and after two', async () => {
    const clock = new VirtualClock();
    const begun: number[] = [];
    stage = new Stage(
      {
        appendLog: (_group, _stream, line) => {
          if (line.startsWith('START')) begun.push(clock.now());
        },
      },
      clock,
    );
    await stage.deploy('stubborn', counting, {
      DeadLetterConfig: { TargetArn: 'arn:aws:sqs:us-east-1:111122223333:dead' },
    });
    const start = clock.now();
    const event = { file: `${stage.folder}/attempts`, failures: 9 };
    expect(await stage.invoke('stubborn', event, { InvocationType: 'Event' })).toEqual({
      StatusCode: 202,
      Payload: '',
    });
    await drain(clock);
    expect(begun.map((time) => time - start)).toEqual([0, 60_000, 180_000]);
    expect(stage.sent.map(({ operation }) => operation)).toEqual(['sqs:GetQueueUrl', 'sqs:SendMessage']);
    expect(stage.sent[1]?.input).toMatchObject({
      QueueUrl: 'http://queue/dead',
      MessageBody: JSON.stringify(event),
      MessageAttributes: { ErrorMessage: { StringValue: 'attempt 3' }, ErrorCode: { StringValue: '200' } },
    });
  });

  test('is not tried again once it succeeded', async () => {
    const clock = new VirtualClock();
    stage = new Stage({}, clock);
    await stage.deploy('recovers', counting);
    await stage.invoke('recovers', { file: `${stage.folder}/a`, failures: 1 }, { InvocationType: 'Event' });
    await drain(clock);
    expect(stage.records.map(({ errorType }) => errorType)).toEqual(['Error', undefined]);
  });

  test('is tried as often as the event invoke configuration says', async () => {
    const clock = new VirtualClock();
    stage = new Stage({}, clock);
    await stage.deploy('once', counting, {
      DeadLetterConfig: { TargetArn: 'arn:aws:sns:us-east-1:111122223333:dead' },
    });
    await stage.lambda.operations.PutFunctionEventInvokeConfig(
      { FunctionName: 'once', MaximumRetryAttempts: 0 },
      operator,
    );
    await stage.invoke('once', { file: `${stage.folder}/b`, failures: 9 }, { InvocationType: 'Event' });
    await drain(clock);
    expect(stage.records).toHaveLength(1);
    expect(stage.sent.map(({ operation }) => operation)).toEqual(['sns:Publish']);
  });

  test('waits while the function is throttled, for as long as the event may live', async () => {
    const clock = new VirtualClock();
    stage = new Stage({}, clock);
    await stage.deploy('closed', echo, {
      DeadLetterConfig: { TargetArn: 'arn:aws:sns:us-east-1:111122223333:dead' },
    });
    await stage.lambda.operations.PutFunctionConcurrency(
      { FunctionName: 'closed', ReservedConcurrentExecutions: 0 },
      operator,
    );
    const start = clock.now();
    await stage.invoke('closed', {}, { InvocationType: 'Event' });
    await drain(clock);
    expect((clock.now() - start) / 3_600_000).toBeCloseTo(6, 0);
    expect(stage.sent[0]?.input).toMatchObject({ MessageAttributes: { ErrorCode: { StringValue: '429' } } });
  });
});

describe('a fault', () => {
  const writes = `
    import { writeFileSync } from 'node:fs';
    export const handler = async (event: { file: string }) => { writeFileSync(event.file, 'done'); return 'done'; };`;

  async function strike(fault: Fault, moment: 'before' | 'after') {
    stage = new Stage({ interfere: (_name, _event, at) => (at === moment ? fault : undefined) });
    await stage.deploy('struck', writes);
    const file = `${stage.folder}/effect`;
    const answer = await stage.invoke('struck', { file });
    return { failure: JSON.parse(answer.Payload) as object, happened: existsSync(file) };
  }

  test.each([
    ['before', false],
    ['after', true],
  ] as const)('crash %s the effect ends the worker', async (moment, happened) => {
    const struck = await strike({ kind: 'crash' }, moment);
    expect(struck).toMatchObject({ happened, failure: { errorType: 'Runtime.ExitError' } });
    expect(stage.lambda.workers().all).toBe(0);
  });

  test.each([
    ['before', false],
    ['after', true],
  ] as const)('timeout %s the effect ends the worker', async (moment, happened) => {
    const struck = await strike({ kind: 'timeout' }, moment);
    expect(struck).toMatchObject({ happened, failure: { errorType: 'Sandbox.Timedout' } });
    expect(stage.lambda.workers().all).toBe(0);
  });

  test('error is answered as if the handler had thrown it', async () => {
    const fault = { kind: 'error', errorType: 'TargetUnreachable', errorMessage: 'injected' } as const;
    expect(await strike(fault, 'before')).toMatchObject({
      happened: false,
      failure: { errorType: 'TargetUnreachable', errorMessage: 'injected' },
    });
  });

  test('throttle is refused before anything runs', async () => {
    await expect(strike({ kind: 'throttle' }, 'before')).rejects.toMatchObject({
      code: 'TooManyRequestsException',
    });
    expect(stage.lambda.workers().all).toBe(0);
  });
});

test('a function is shown as AWS shows it, and is gone when it was deleted', async () => {
  await stage.deploy('shown', echo, {
    Architectures: ['arm64'],
    TracingConfig: { Mode: 'Active' },
    Environment: { Variables: { A: 'b' } },
  });
  const shown = await stage.lambda.operations.GetFunctionConfiguration({ FunctionName: 'shown' }, operator);
  expect(shown).toMatchObject({
    FunctionArn: arn('shown'),
    Role: roleArn,
    Architectures: ['arm64'],
    TracingConfig: { Mode: 'Active' },
    Environment: { Variables: { A: 'b' } },
    State: 'Active',
    Timeout: 30,
  });
  expect(await stage.lambda.operations.ListFunctions({}, operator)).toEqual({ Functions: [shown] });
  await stage.result('shown');
  await stage.lambda.operations.DeleteFunction({ FunctionName: 'shown' }, operator);
  expect(stage.lambda.workers().all).toBe(0);
  await expect(stage.invoke('shown')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});
