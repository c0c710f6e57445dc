import { covers } from '../../../local/step-functions/failure';
import { retryDelayMs } from '../../../local/step-functions/retry';
import { VirtualClock } from '../../../local/kernel/clock';
import { task, taskError, Tasks, waitingTask, Workbench } from './workbench';

describe('ErrorEquals', () => {
  it.each([
    [['Mine'], 'Mine', true],
    [['Mine'], 'Other', false],
    [['States.ALL'], 'Mine', true],
    [['States.ALL'], 'States.Timeout', true],
    [['States.ALL'], 'States.QueryEvaluationError', true],
    [['States.ALL'], undefined, true],
    [['States.ALL'], 'States.DataLimitExceeded', false],
    [['States.ALL'], 'States.Runtime', false],
    [['States.TaskFailed'], 'Mine', true],
    [['States.TaskFailed'], 'States.Timeout', false],
    [['States.HeartbeatTimeout'], 'States.Timeout', false],
  ])('%j covers %s: %s', (list, error, covered) => {
    expect(covers(list, error)).toBe(covered);
  });
});

describe('the delay before a retry', () => {
  const seconds = (retrier: object, retries: number, random = 0.5) =>
    retryDelayMs({ ErrorEquals: ['X'], ...retrier }, retries, () => random) / 1000;

  it('is one second, doubled each time, by default', () => {
    expect([0, 1, 2, 3].map((retries) => seconds({}, retries))).toEqual([1, 2, 4, 8]);
  });

  it('grows by BackoffRate up to MaxDelaySeconds', () => {
    const retrier = { IntervalSeconds: 2, BackoffRate: 3, MaxDelaySeconds: 10 };
    expect([0, 1, 2].map((retries) => seconds(retrier, retries))).toEqual([2, 6, 10]);
  });

  it('is anything from nothing to itself with full jitter', () => {
    const retrier = { IntervalSeconds: 8, JitterStrategy: 'FULL' };
    expect([0, 0.25, 0.999].map((random) => seconds(retrier, 0, random))).toEqual([0, 2, 7.992]);
  });
});

describe('Retry', () => {
  const failing = (errors: readonly string[]) => {
    const rest = [...errors];
    return new Tasks({
      T: () => {
        const error = rest.shift();
        if (error !== undefined) throw taskError(error);
        return 'done';
      },
    });
  };

  it('counts for each of its entries', async () => {
    const tasks = failing(['A', 'B', 'A', 'A']);
    const end = await new Workbench({ tasks }).run({
      T: task({
        Retry: [
          { ErrorEquals: ['A'], MaxAttempts: 2 },
          { ErrorEquals: ['B'], MaxAttempts: 2 },
        ],
      }),
    });
    expect(tasks.calls).toHaveLength(4);
    expect(end).toMatchObject({ status: 'FAILED', error: 'A' });
  });

  it('is switched off for an error by MaxAttempts 0', async () => {
    const tasks = failing(['A']);
    const end = await new Workbench({ tasks }).run({
      T: task({ Retry: [{ ErrorEquals: ['A'], MaxAttempts: 0 }, { ErrorEquals: ['States.ALL'] }] }),
    });
    expect(tasks.calls).toHaveLength(1);
    expect(end).toMatchObject({ error: 'A' });
  });

  it('tries three times more by default, and tells the state how often', async () => {
    const tasks = failing(['A', 'A', 'A']);
    const end = await new Workbench({ tasks }).run({
      T: task({
        Arguments: { FunctionName: 'f', Payload: '{% $states.context.State.RetryCount %}' },
        Retry: [{ ErrorEquals: ['States.ALL'] }],
      }),
    });
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: '"done"' });
    expect(tasks.calls.map(({ input }) => input)).toEqual(
      [0, 1, 2, 3].map((Payload) => ({ FunctionName: 'f', Payload })),
    );
  });
});

describe('a task without an answer', () => {
  it('times out after TimeoutSeconds, and its late answer changes nothing', async () => {
    let answer: (value: string) => void = () => undefined;
    const bench = new Workbench({
      tasks: new Tasks({ T: () => new Promise((resolve) => (answer = resolve)) }),
    });
    const arn = await bench.start(
      { T: task({ TimeoutSeconds: '{% $states.input.seconds %}' }) },
      { seconds: 7 },
    );
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    expect(bench.clock.now() - Date.UTC(2026, 0, 1)).toBe(7000);
    answer('late');
    await bench.settle();
    expect((await bench.types(arn)).at(-1)).toBe('ExecutionFailed');
  });

  it('has its TimeoutSeconds on a clock of its own, unless it waits for a token', async () => {
    const taskClock = new VirtualClock();
    const tasks = new Tasks({ T: () => new Promise(() => undefined) });
    const bench = new Workbench({ tasks, taskClock });
    const arn = await bench.start({ T: task({ TimeoutSeconds: 7 }) });
    expect(await bench.finish(arn)).toMatchObject({ status: 'RUNNING' });
    taskClock.advance();
    expect(await bench.finish(arn)).toMatchObject({ error: 'States.Timeout' });
    const waiting = await bench.start({ T: waitingTask({ TimeoutSeconds: 7 }) });
    expect(await bench.finish(waiting)).toMatchObject({ error: 'States.Timeout' });
  });

  it('ends the execution by the machine’s own TimeoutSeconds, uncaught', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { W: { Type: 'Wait', Seconds: 100, End: true } },
      {},
      { TimeoutSeconds: 10 },
    );
    expect(await bench.finish(arn)).toMatchObject({ status: 'TIMED_OUT', error: 'States.Timeout' });
    expect((await bench.types(arn)).slice(-2)).toEqual(['WaitStateAborted', 'ExecutionTimedOut']);
  });
});

describe('a Choice in which nothing holds', () => {
  it('ends the execution as AWS words it', async () => {
    const bench = new Workbench();
    const end = await bench.run({
      C: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'S' }] },
      S: { Type: 'Succeed' },
    });
    expect(end).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause:
        "An error occurred while executing the state 'C' (entered at the event id #2). Failed to transition out of the state. The state does not point to a next state.",
    });
  });
});

describe('an expression that fails in a task', () => {
  it('can be caught, and says where it stands', async () => {
    const bench = new Workbench({ tasks: new Tasks({ T: () => ({}) }) });
    const arn = await bench.start({
      T: task({
        Output: { list: ['{% $states.result.missing %}'] },
        Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'S' }],
      }),
      S: { Type: 'Succeed' },
    });
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED' });
    const failed = (await bench.history(arn)).find(({ type }) => type === 'EvaluationFailed');
    expect(failed?.['evaluationFailedEventDetails']).toMatchObject({
      location: 'Output/list[0]',
      state: 'T',
      cause:
        "An error occurred while executing the state 'T' (entered at the event id #2). The JSONata expression '$states.result.missing' specified for the field 'Output/list[0]' returned nothing (undefined).",
    });
  });
});
