import type { Call } from '../../../local/kernel/service';
import type { Json } from '../../../local/step-functions/json';
import { account, operator, taskError, Tasks, tokenIn, waitingTask, Workbench } from './workbench';

const wait = { A: waitingTask({ HeartbeatSeconds: 60, TimeoutSeconds: 600 }) };

function waiting(rest: { readonly services?: (input: Json) => Json } = {}) {
  const tasks = new Tasks({ A: rest.services ?? (() => ({ handed: 'over' })) });
  return { tasks, bench: new Workbench({ tasks }) };
}

describe('a task that waits for its token', () => {
  it('goes on with the output that its token came back with', async () => {
    const { tasks, bench } = waiting();
    const arn = await bench.start(wait);
    await bench.settle();
    await bench.operate('SendTaskSuccess', {
      taskToken: tokenIn(tasks.calls[0]?.input),
      output: '{"ok":true}',
    });
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED', output: '{"ok":true}' });
    expect(await bench.types(arn)).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'TaskScheduled',
      'TaskStarted',
      'TaskSubmitted',
      'TaskSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
    const submitted = (await bench.history(arn)).find(({ type }) => type === 'TaskSubmitted');
    expect(submitted?.['taskSubmittedEventDetails']).toEqual({
      resourceType: 'lambda',
      resource: 'invoke.waitForTaskToken',
      output: '{"handed":"over"}',
      outputDetails: { truncated: false },
    });
  });

  it('fails with the error and the cause that its token came back with', async () => {
    const { tasks, bench } = waiting();
    const arn = await bench.start(wait);
    await bench.settle();
    const taskToken = tokenIn(tasks.calls[0]?.input);
    await bench.operate('SendTaskFailure', { taskToken, error: 'ConsumerRefused', cause: 'cannot log in' });
    expect(await bench.finish(arn)).toMatchObject({
      status: 'FAILED',
      error: 'ConsumerRefused',
      cause: 'cannot log in',
    });
    expect(await bench.types(arn)).toContain('TaskFailed');
  });

  it('takes an answer that comes before its call has returned', async () => {
    const bench: Workbench = new Workbench({
      tasks: new Tasks({
        A: async (input) => {
          await bench.operate('SendTaskSuccess', { taskToken: tokenIn(input), output: '1' });
          return {};
        },
      }),
    });
    expect(await bench.run(wait)).toMatchObject({ status: 'SUCCEEDED', output: '1' });
  });

  it('times out without heartbeats, as States.Timeout', async () => {
    const { bench } = waiting();
    const startedAt = bench.clock.now();
    const arn = await bench.start(wait);
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(bench.clock.now() - startedAt).toBe(60_000);
    const timedOut = (await bench.history(arn)).find(({ type }) => type === 'TaskTimedOut');
    expect(timedOut?.['taskTimedOutEventDetails']).toEqual({
      resourceType: 'lambda',
      resource: 'invoke.waitForTaskToken',
      error: 'States.Timeout',
    });
  });

  it('lives on by heartbeats, which leave no event, until its TimeoutSeconds', async () => {
    const { tasks, bench } = waiting();
    const startedAt = bench.clock.now();
    const arn = await bench.start(wait);
    await bench.settle();
    const taskToken = tokenIn(tasks.calls[0]?.input);
    const beat = (): void => {
      void bench.operate('SendTaskHeartbeat', { taskToken }).catch(() => undefined);
      bench.clock.after(50_000, beat);
    };
    beat();
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(bench.clock.now() - startedAt).toBe(600_000);
    expect(await bench.types(arn)).toHaveLength(7);
  });

  it('gets a new token when it is tried again, and the old one answers that it timed out', async () => {
    const { tasks, bench } = waiting();
    const arn = await bench.start({
      A: waitingTask({ HeartbeatSeconds: 60, Retry: [{ ErrorEquals: ['States.Timeout'], MaxAttempts: 1 }] }),
    });
    await bench.settle();
    bench.clock.advance();
    await bench.settle();
    bench.clock.advance();
    await bench.settle();
    const [first, second] = tasks.calls.map(({ input }) => tokenIn(input));
    expect(second).not.toBe(first);
    await expect(bench.operate('SendTaskSuccess', { taskToken: first, output: '{}' })).rejects.toMatchObject({
      code: 'TaskTimedOut',
      message: "Task Timed Out: 'Provided task does not exist anymore'",
    });
    await bench.operate('SendTaskSuccess', { taskToken: second, output: '2' });
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED', output: '2' });
  });

  it('takes one answer only', async () => {
    const { tasks, bench } = waiting();
    const arn = await bench.start(wait);
    await bench.settle();
    const taskToken = tokenIn(tasks.calls[0]?.input);
    await bench.operate('SendTaskSuccess', { taskToken, output: '1' });
    for (const operation of ['SendTaskSuccess', 'SendTaskFailure', 'SendTaskHeartbeat'])
      await expect(
        bench.operate(operation, { taskToken, ...(operation === 'SendTaskSuccess' ? { output: '2' } : {}) }),
      ).rejects.toMatchObject({ code: 'TaskTimedOut' });
    expect(await bench.finish(arn)).toMatchObject({ output: '1' });
  });

  it('is closed with its execution', async () => {
    const { tasks, bench } = waiting();
    const arn = await bench.start(wait);
    await bench.settle();
    await bench.operate('StopExecution', { executionArn: arn });
    await expect(
      bench.operate('SendTaskHeartbeat', { taskToken: tokenIn(tasks.calls[0]?.input) }),
    ).rejects.toMatchObject({ code: 'TaskTimedOut' });
  });

  it('leaves TaskSubmitFailed when it could not be handed over', async () => {
    const { bench } = waiting({
      services: () => {
        throw taskError('Lambda.TooManyRequestsException', 'Rate Exceeded.');
      },
    });
    const arn = await bench.start(wait);
    expect(await bench.finish(arn)).toMatchObject({ error: 'Lambda.TooManyRequestsException' });
    expect(await bench.types(arn)).toContain('TaskSubmitFailed');
  });
});

describe('a task token', () => {
  it('is opaque and at most 2,048 characters long', async () => {
    const { tasks, bench } = waiting();
    await bench.start(wait);
    await bench.settle();
    const token = tokenIn(tasks.calls[0]?.input);
    expect(token).toMatch(/^[\w-]{600,2048}$/);
    await bench.service.close();
  });

  it('is invalid when made up, cut off or sent from another account', async () => {
    const { tasks, bench } = waiting();
    await bench.start(wait);
    await bench.settle();
    const token = tokenIn(tasks.calls[0]?.input);
    const stranger: Call = {
      ...operator,
      principal: { kind: 'operator', arn: 'arn:aws:iam::222222222222:root', account: '222222222222' },
    };
    const invalid = { code: 'InvalidToken', message: "Invalid Token: 'Invalid token'" };
    for (const taskToken of ['made-up', token.slice(0, -1)])
      await expect(bench.operate('SendTaskHeartbeat', { taskToken })).rejects.toMatchObject(invalid);
    await expect(
      bench.operate('SendTaskSuccess', { taskToken: token, output: '1' }, stranger),
    ).rejects.toMatchObject(invalid);
    await bench.service.close();
  });

  it('is answered under the permission on its state machine', async () => {
    const asked: object[] = [];
    const tasks = new Tasks({ A: () => ({}) });
    const bench = new Workbench({ tasks, authorize: (_, access) => void asked.push(access) });
    await bench.start(wait);
    await bench.settle();
    await bench.operate('SendTaskSuccess', { taskToken: tokenIn(tasks.calls[0]?.input), output: '1' });
    expect(asked.at(-1)).toEqual({
      action: 'states:SendTaskSuccess',
      resource: `arn:aws:states:eu-central-1:${account}:stateMachine:machine-1`,
    });
  });

  it('refuses an output that is not JSON, without repeating it', async () => {
    const { tasks, bench } = waiting();
    await bench.start(wait);
    await bench.settle();
    const taskToken = tokenIn(tasks.calls[0]?.input);
    await expect(bench.operate('SendTaskSuccess', { taskToken, output: 'pa55word' })).rejects.toMatchObject({
      code: 'InvalidOutput',
      message: expect.not.stringContaining('pa55word') as string,
    });
    await bench.service.close();
  });
});
