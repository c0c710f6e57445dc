import { task, taskError, Tasks, Workbench } from './workbench';

function map(processor: object, rest: object = {}): object {
  return {
    Type: 'Map',
    Items: '{% $states.input.items %}',
    ItemProcessor: { StartAt: Object.keys(processor)[0], States: processor },
    End: true,
    ...rest,
  };
}

describe('a Map', () => {
  it('keeps the order of its items, whichever ends first', async () => {
    const bench = new Workbench();
    const end = await bench.run(
      { M: map({ W: { Type: 'Wait', Seconds: '{% $states.input %}', End: true } }) },
      { items: [3, 1, 2] },
    );
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: '[3,1,2]' });
  });

  it('runs no more iterations at a time than MaxConcurrency says', async () => {
    let running = 0;
    let most = 0;
    const bench: Workbench = new Workbench({
      tasks: new Tasks({
        T: async () => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => bench.clock.after(1000, resolve));
          running -= 1;
          return null;
        },
      }),
    });
    await bench.run({ M: map({ T: task() }, { MaxConcurrency: 2 }) }, { items: [1, 2, 3, 4, 5] });
    expect(most).toBe(2);
  });

  it('runs 40 iterations at a time at most', async () => {
    const bench = new Workbench();
    const startedAt = bench.clock.now();
    await bench.run(
      { M: map({ W: { Type: 'Wait', Seconds: 1, End: true } }) },
      { items: Array.from({ length: 41 }, (_, index) => index) },
    );
    expect(bench.clock.now() - startedAt).toBe(2000);
  });

  it('fails with the first iteration that fails, and breaks the others off', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      {
        M: map({
          C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 2 %}', Next: 'F' }], Default: 'W' },
          F: { Type: 'Fail', Error: 'Two', Cause: 'it is two' },
          W: { Type: 'Wait', Seconds: 10, End: true },
        }),
      },
      { items: [1, 2] },
    );
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', error: 'Two', cause: 'it is two' });
    const types = await bench.types(arn);
    expect(types.slice(-5)).toEqual([
      'MapIterationFailed',
      'WaitStateAborted',
      'MapIterationAborted',
      'MapStateFailed',
      'ExecutionFailed',
    ]);
    expect(bench.clock.now()).toBe(Date.UTC(2026, 0, 1));
  });

  it('is tried again with all its iterations, and then caught', async () => {
    const tasks = new Tasks({
      T: (_, { stateName }) => {
        throw taskError('Always', stateName);
      },
    });
    const bench = new Workbench({ tasks });
    const arn = await bench.start(
      {
        M: map(
          { T: task() },
          {
            MaxConcurrency: 1,
            Retry: [{ ErrorEquals: ['Always'], MaxAttempts: 1 }],
            Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S', Output: '{% $states.errorOutput.Error %}' }],
          },
        ),
        S: { Type: 'Succeed' },
      },
      { items: [1, 2] },
    );
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED', output: '"Always"' });
    expect(tasks.calls).toHaveLength(2);
    expect((await bench.types(arn)).filter((type) => /^Map/.test(type))).toEqual([
      'MapStateEntered',
      'MapStateStarted',
      'MapIterationStarted',
      'MapIterationFailed',
      'MapStateStarted',
      'MapIterationStarted',
      'MapIterationFailed',
      'MapStateFailed',
      'MapStateExited',
    ]);
  });

  it('shows each iteration its item, and keeps what it assigns to itself', async () => {
    const bench = new Workbench();
    const end = await bench.run(
      {
        O: { Type: 'Pass', Assign: { outer: 'seen' }, Next: 'M' },
        M: map(
          {
            I: { Type: 'Pass', Assign: { inner: '{% $states.context.Map.Item.Index %}' }, Next: 'J' },
            J: { Type: 'Pass', Output: '{% $outer & $inner & $states.context.Map.Item.Value %}', End: true },
          },
          { End: undefined, Next: 'L' },
        ),
        L: {
          Type: 'Pass',
          Output: { items: '{% $states.input %}', gone: '{% $not($exists($inner)) %}' },
          End: true,
        },
      },
      { items: ['a', 'b'] },
    );
    expect(end).toMatchObject({ output: '{"items":["seen0a","seen1b"],"gone":true}' });
  });
});

describe('a Parallel', () => {
  it('gives its branches their own variables and its result in their order', async () => {
    const bench = new Workbench();
    const branch = (seconds: number) => ({
      StartAt: `W${String(seconds)}`,
      States: {
        [`W${String(seconds)}`]: {
          Type: 'Wait',
          Seconds: seconds,
          Assign: { waited: seconds },
          Next: `P${String(seconds)}`,
        },
        [`P${String(seconds)}`]: { Type: 'Pass', Output: '{% $waited %}', End: true },
      },
    });
    const end = await bench.run({ P: { Type: 'Parallel', Branches: [branch(2), branch(1)], End: true } });
    expect(end).toMatchObject({ status: 'SUCCEEDED', output: '[2,1]' });
  });

  it('breaks off the other branches when one fails', async () => {
    const bench = new Workbench({
      tasks: new Tasks({
        T: () => {
          throw taskError('Broken');
        },
      }),
    });
    const arn = await bench.start({
      P: {
        Type: 'Parallel',
        Branches: [
          { StartAt: 'T', States: { T: task() } },
          { StartAt: 'W', States: { W: { Type: 'Wait', Seconds: 5, End: true } } },
        ],
        End: true,
      },
    });
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', error: 'Broken' });
    expect((await bench.types(arn)).slice(-4)).toEqual([
      'TaskStateAborted',
      'WaitStateAborted',
      'ParallelStateFailed',
      'ExecutionFailed',
    ]);
  });
});
