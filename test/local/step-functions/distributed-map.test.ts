import { ServiceError } from '../../../local/kernel/service';
import type { StatusEvent } from '../../../local/step-functions/status-event';
import { account, task, taskError, Tasks, tokenIn, waitingTask, Workbench } from './workbench';

const where = `arn:aws:states:eu-central-1:${account}`;
const machine = `${where}:stateMachine:machine-1`;

/** A distributed Map with a label over the input's items. */
function map(processor: object, rest: object = {}): object {
  return {
    Type: 'Map',
    Label: 'Each',
    Items: '{% $states.input.items %}',
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: Object.keys(processor)[0],
      States: processor,
    },
    End: true,
    ...rest,
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Fails for the items below `bad`, and passes the others on after a second. */
const failBelow = (bad: number) => ({
  C: { Type: 'Choice', Choices: [{ Condition: `{% $states.input < ${bad} %}`, Next: 'F' }], Default: 'W' },
  F: { Type: 'Fail', Error: 'TooSmall', Cause: 'it is small' },
  W: { Type: 'Wait', Seconds: 1, End: true },
});

async function mapRun(bench: Workbench, executionArn: string): Promise<Readonly<Record<string, unknown>>> {
  const { mapRuns } = await bench.operate('ListMapRuns', { executionArn });
  const [first] = mapRuns as { mapRunArn: string }[];
  return bench.operate('DescribeMapRun', { mapRunArn: first?.mapRunArn ?? '' });
}

async function children(bench: Workbench, executionArn: string, rest: object = {}) {
  const { mapRunArn } = await mapRun(bench, executionArn);
  const { executions } = await bench.operate('ListExecutions', { mapRunArn, maxResults: 1000, ...rest });
  return executions as { executionArn: string; name: string; status: string; stateMachineArn: string }[];
}

describe('a distributed Map', () => {
  it('gives the outputs in the order of the items, and only the Map Run in the parent’s history', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ W: { Type: 'Wait', Seconds: '{% $states.input %}', End: true } }) },
      { items: [3, 1, 2] },
    );
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED', output: '[3,1,2]' });
    const events = await bench.history(arn);
    // As recorded on AWS, predecessors too.
    expect(events.map(({ type, previousEventId }) => [type, previousEventId])).toEqual([
      ['ExecutionStarted', 0],
      ['MapStateEntered', 0],
      ['MapStateStarted', 2],
      ['MapRunStarted', 3],
      ['MapRunSucceeded', 4],
      ['MapStateSucceeded', 5],
      ['MapStateExited', 5],
      ['ExecutionSucceeded', 7],
    ]);
    expect(events[2]?.['mapStateStartedEventDetails']).toEqual({ length: 3 });
    expect(events[3]?.['mapRunStartedEventDetails']).toEqual({
      mapRunArn: expect.stringMatching(`^${where}:mapRun:machine-1/Each:[0-9a-f-]{36}$`) as string,
    });
  });

  it('runs every item as an execution with its own history, name and context', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ P: { Type: 'Pass', Output: '{% $states.context %}', End: true } }) },
      { items: ['a'] },
    );
    const { output } = await bench.finish(arn);
    const [child] = await children(bench, arn);
    expect(child?.executionArn).toBe(`${where}:execution:machine-1/Each:${child?.name ?? ''}`);
    expect(child?.name).toMatch(/^[0-9a-f-]{36}$/);
    expect(child?.stateMachineArn).toBe(`${machine}/Each`);
    expect(JSON.parse(String(output))).toEqual([
      {
        Execution: {
          Id: child?.executionArn,
          Input: 'a',
          Name: child?.name,
          RoleArn: `arn:aws:iam::${account}:role/machine`,
          StartTime: '2026-01-01T00:00:00.000Z',
          RedriveCount: 0,
        },
        StateMachine: { Id: `${machine}/Each`, Name: 'machine-1/Each' },
        State: { Name: 'P', EnteredTime: '2026-01-01T00:00:00.000Z', RetryCount: 0 },
      },
    ]);
    expect(await bench.types(child?.executionArn ?? '')).toEqual([
      'ExecutionStarted',
      'PassStateEntered',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
    expect(await bench.describe(child?.executionArn ?? '')).toMatchObject({
      mapRunArn: (await mapRun(bench, arn))['mapRunArn'],
      input: '"a"',
    });
  });

  it('evaluates ItemSelector outside, where the variables and the item are', async () => {
    const bench = new Workbench();
    const end = await bench.run(
      {
        A: { Type: 'Pass', Assign: { wave: 7 }, Next: 'M' },
        M: map(
          { S: { Type: 'Succeed' } },
          {
            ItemSelector: {
              wave: '{% $wave %}',
              item: '{% $states.context.Map.Item %}',
              parent: '{% $states.context.Execution.Name %}',
            },
          },
        ),
      },
      { items: ['a', 'b'] },
    );
    expect(JSON.parse(String(end['output']))).toEqual([
      { wave: 7, item: { Index: 0, Value: 'a', Source: 'STATE_DATA' }, parent: 'run' },
      { wave: 7, item: { Index: 1, Value: 'b', Source: 'STATE_DATA' }, parent: 'run' },
    ]);
  });

  it.each([
    [undefined, 41, 1000],
    [40, 41, 2000],
  ])('with MaxConcurrency %s runs %i items of a second in %i ms', async (MaxConcurrency, count, took) => {
    const bench = new Workbench();
    const startedAt = bench.clock.now();
    await bench.run(
      { M: map({ W: { Type: 'Wait', Seconds: 1, End: true } }, { MaxConcurrency }) },
      { items: numbers(count) },
    );
    expect(bench.clock.now() - startedAt).toBe(took);
  });

  it('succeeds with no items', async () => {
    const bench = new Workbench();
    const arn = await bench.start({ M: map({ S: { Type: 'Succeed' } }) }, { items: [] });
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED', output: '[]' });
  });

  it('can stand in a distributed Map', async () => {
    const bench = new Workbench();
    const inner = map({ S: { Type: 'Succeed' } }, { Label: 'Inner', Items: '{% $states.input.of %}' });
    const arn = await bench.start({ M: map({ I: inner }) }, { items: [{ of: [1, 2] }, { of: [3] }] });
    expect(await bench.finish(arn)).toMatchObject({ output: '[[1,2],[3]]' });
    const [last] = await children(bench, arn);
    const [grandchild] = await children(bench, last?.executionArn ?? '');
    expect(grandchild?.executionArn).toMatch(`${where}:execution:machine-1/Inner:`);
  });
});

describe('failures of a distributed Map’s children', () => {
  const failing = (bad: number, count: number, rest: object = {}) =>
    [{ M: map(failBelow(bad), rest) }, { items: numbers(count) }] as const;

  it('end it with the first one, and break the others off', async () => {
    const bench = new Workbench();
    const arn = await bench.start(...failing(1, 4, { MaxConcurrency: 3 }));
    const failure = {
      error: 'States.ExceedToleratedFailureThreshold',
      cause: 'The specified tolerated failure threshold was exceeded',
    };
    expect(await bench.finish(arn)).toMatchObject({ status: 'FAILED', ...failure });
    const events = await bench.history(arn);
    expect(events.slice(4).map(({ type, previousEventId }) => [type, previousEventId])).toEqual([
      ['MapRunFailed', 4],
      ['MapStateFailed', 5],
      ['ExecutionFailed', 6],
    ]);
    expect(events[4]?.['mapRunFailedEventDetails']).toEqual(failure);
    expect(await mapRun(bench, arn)).toMatchObject({
      status: 'FAILED',
      executionCounts: { total: 4, pending: 1, failed: 1, aborted: 2, succeeded: 0, running: 0 },
    });
    const [aborted] = await children(bench, arn, { statusFilter: 'ABORTED' });
    expect((await bench.types(aborted?.executionArn ?? '')).slice(-2)).toEqual([
      'WaitStateAborted',
      'ExecutionAborted',
    ]);
  });

  it.each<[object, number, string]>([
    [{ ToleratedFailureCount: 2 }, 2, 'SUCCEEDED'],
    [{ ToleratedFailureCount: 2 }, 3, 'FAILED'],
    [{ ToleratedFailurePercentage: 50 }, 5, 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 50 }, 6, 'FAILED'],
    [{ ToleratedFailurePercentage: 100 }, 10, 'SUCCEEDED'],
    [{ ToleratedFailurePercentage: 50, ToleratedFailureCount: 2 }, 3, 'FAILED'],
    [{ ToleratedFailureCount: '{% 1 + 1 %}' }, 2, 'SUCCEEDED'],
  ])('with %j of 10 may be %i: %s', async (tolerated, bad, status) => {
    const bench = new Workbench();
    expect(await bench.run(...failing(bad, 10, tolerated))).toMatchObject({ status });
  });

  it('leave in the result what became of the child', async () => {
    const bench = new Workbench();
    const arn = await bench.start(...failing(1, 2, { ToleratedFailureCount: 1 }));
    const { output } = await bench.finish(arn);
    const [failed] = await children(bench, arn, { statusFilter: 'FAILED' });
    expect(JSON.parse(String(output))).toEqual([
      {
        ExecutionArn: failed?.executionArn,
        Error: 'TooSmall',
        Cause: 'it is small',
        Input: '0',
        InputDetails: { Included: true },
        Name: failed?.name,
        RedriveCount: 0,
        RedriveStatus: 'REDRIVABLE_BY_MAP_RUN',
        StartDate: '2026-01-01T00:00:00.000Z',
        StateMachineArn: `${machine}/Each`,
        Status: 'FAILED',
        StopDate: '2026-01-01T00:00:00.000Z',
      },
      1,
    ]);
  });

  it('can be caught, and tried again with a new Map Run', async () => {
    const bench = new Workbench();
    const [states, input] = failing(1, 2, {
      Retry: [{ ErrorEquals: ['States.ExceedToleratedFailureThreshold'], MaxAttempts: 1 }],
      Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $states.errorOutput.Error %}', Next: 'S' }],
    });
    const arn = await bench.start({ ...states, S: { Type: 'Succeed' } }, input);
    expect(await bench.finish(arn)).toMatchObject({ output: '"States.ExceedToleratedFailureThreshold"' });
    expect(await bench.operate('ListMapRuns', { executionArn: arn })).toMatchObject({
      mapRuns: [{ stateMachineArn: `${machine}/Each` }, { stateMachineArn: `${machine}/Each` }],
    });
  });

  it.each([
    [{ ToleratedFailureCount: '{% -1 %}' }, 'ToleratedFailureCount cannot be negative.'],
    [{ ToleratedFailurePercentage: '{% 100.1 %}' }, 'ToleratedFailurePercentage must be between 0 and 100.'],
  ])('are not counted where %j is out of range', async (tolerated, words) => {
    const bench = new Workbench();
    const arn = await bench.start(...failing(0, 1, tolerated));
    expect(await bench.finish(arn)).toMatchObject({
      error: 'States.Runtime',
      cause: `An error occurred while executing the state 'M' (entered at the event id #2). ${words}`,
    });
    expect((await bench.types(arn)).slice(2)).toEqual(['MapStateStarted', 'ExecutionFailed']);
  });
});

describe('the limits of a distributed Map', () => {
  it('end the execution when the results are beyond 256 KiB together, whatever is caught', async () => {
    const bench = new Workbench({ tasks: new Tasks({ T: () => 'x'.repeat(100_000) }) });
    const arn = await bench.start(
      {
        M: map({ T: task() }, { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S' }] }),
        S: { Type: 'Succeed' },
      },
      { items: [1, 2, 3] },
    );
    expect(await bench.finish(arn)).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'M' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
    expect(await bench.types(arn)).toContain('MapRunFailed');
  });

  it('are each child’s own: 25,000 events in one do not touch the parent', async () => {
    const bench = new Workbench();
    const loop = {
      P: { Type: 'Pass', Next: 'C' },
      C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input < 0 %}', Next: 'P' }], Default: 'S' },
      S: { Type: 'Succeed' },
    };
    const arn = await bench.start({ M: map(loop, { ToleratedFailureCount: 1 }) }, { items: [-1, 1] });
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED' });
    const [failed] = await children(bench, arn, { statusFilter: 'FAILED' });
    expect(await bench.describe(failed?.executionArn ?? '')).toMatchObject({
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    expect(await bench.history(arn)).toHaveLength(8);
  });
});

describe('a child execution', () => {
  it('waits for its token, which is the labelled machine’s, with heartbeats and timeouts of its own', async () => {
    const asked: unknown[] = [];
    const tasks = new Tasks({ T: () => ({}) });
    const bench = new Workbench({
      tasks,
      authorize: (_, access) => asked.push([access.action, access.resource]),
    });
    const waits = waitingTask({
      HeartbeatSeconds: 60,
      Catch: [{ ErrorEquals: ['States.Timeout'], Output: 'silent', Next: 'S' }],
    });
    const arn = await bench.start({ M: map({ T: waits, S: { Type: 'Succeed' } }) }, { items: [1, 2] });
    await bench.settle();
    const taskToken = tokenIn(tasks.calls[0]?.input);
    asked.length = 0;
    await bench.operate('SendTaskHeartbeat', { taskToken });
    await bench.operate('SendTaskSuccess', { taskToken, output: '"heard"' });
    expect(asked).toEqual([
      ['states:SendTaskHeartbeat', `${machine}/Each`],
      ['states:SendTaskSuccess', `${machine}/Each`],
    ]);
    expect(await bench.finish(arn)).toMatchObject({ output: '["heard","silent"]' });
  });

  it('is stopped with its parent', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ W: { Type: 'Wait', Seconds: 60, End: true } }) },
      { items: [1, 2] },
    );
    await bench.settle();
    await bench.operate('StopExecution', { executionArn: arn });
    expect((await bench.types(arn)).slice(-3)).toEqual([
      'MapRunAborted',
      'MapStateAborted',
      'ExecutionAborted',
    ]);
    expect((await children(bench, arn)).map(({ status }) => status)).toEqual(['ABORTED', 'ABORTED']);
    expect(await mapRun(bench, arn)).toMatchObject({ status: 'ABORTED', stopDate: expect.any(Date) as Date });
  });

  it('can be stopped alone, which is no failure that counts', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ W: { Type: 'Wait', Seconds: 60, End: true } }) },
      { items: [1, 2] },
    );
    await bench.settle();
    const [last] = await children(bench, arn);
    await bench.operate('StopExecution', { executionArn: last?.executionArn ?? '', error: 'Mine' });
    const { output } = await bench.finish(arn);
    expect(JSON.parse(String(output))).toMatchObject([1, { Status: 'ABORTED', Error: 'Mine' }]);
  });

  it('is seen by observers, and its status by the default bus, under its own ARN', async () => {
    const tasks = new Tasks({ T: () => 1 });
    const seen: string[] = [];
    const published: StatusEvent[] = [];
    const bench = new Workbench({
      tasks,
      publishStatus: (event) => published.push(event),
      observer: {
        onHistoryEvent: (arn, { type }) => seen.push(`${arn} ${type}`),
        beforeTask: async (state, arn, attempt) => {
          if (attempt === 1) throw taskError('Injected', `${state} ${arn}`);
        },
      },
    });
    const retried = task({ Retry: [{ ErrorEquals: ['Injected'] }] });
    const arn = await bench.start({ M: map({ T: retried }) }, { items: [1] });
    expect(await bench.finish(arn)).toMatchObject({ output: '[1]' });
    const [child] = await children(bench, arn);
    const childArn = child?.executionArn ?? '';
    expect(seen).toContain(`${childArn} TaskStateExited`);
    expect(tasks.calls[0]?.caller).toMatchObject({
      executionArn: childArn,
      stateMachineArn: `${machine}/Each`,
      stateName: 'T',
    });
    expect(published.map(({ detail }) => [detail['executionArn'], detail['status']])).toEqual([
      [arn, 'RUNNING'],
      [childArn, 'RUNNING'],
      [childArn, 'SUCCEEDED'],
      [arn, 'SUCCEEDED'],
    ]);
  });

  it('shows its part of the definition, its Map Run and its label', async () => {
    const bench = new Workbench();
    const arn = await bench.start({ M: map({ S: { Type: 'Succeed' } }) }, { items: [1] });
    await bench.finish(arn);
    const [child] = await children(bench, arn);
    const { definition, ...shown } = await bench.operate('DescribeStateMachineForExecution', {
      executionArn: child?.executionArn ?? '',
    });
    expect(JSON.parse(String(definition))).toMatchObject({
      StartAt: 'S',
      States: { S: { Type: 'Succeed' } },
    });
    expect(shown).toMatchObject({
      stateMachineArn: `${machine}/Each`,
      label: 'Each',
      mapRunArn: (await mapRun(bench, arn))['mapRunArn'],
    });
  });

  it('is not listed with the machine’s executions, and cannot be started by hand', async () => {
    const bench = new Workbench();
    const arn = await bench.start({ M: map({ S: { Type: 'Succeed' } }) }, { items: [1] });
    await bench.finish(arn);
    expect(await bench.operate('ListExecutions', { stateMachineArn: machine })).toMatchObject({
      executions: [{ executionArn: arn }],
    });
    await expect(
      bench.operate('StartExecution', { stateMachineArn: `${machine}/Each` }),
    ).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('a Map Run', () => {
  it('is refused to a role that may not start its own machine', async () => {
    const asked: unknown[] = [];
    const bench = new Workbench({
      authorize: ({ principal }, { action, resource }) => {
        if (principal.kind !== 'role') return;
        asked.push([principal.roleArn, action, resource]);
        throw new ServiceError('AccessDeniedException', 'User: … is not authorized');
      },
    });
    const arn = await bench.start({ M: map({ S: { Type: 'Succeed' } }) }, { items: [1] });
    expect(await bench.finish(arn)).toMatchObject({
      status: 'FAILED',
      error: 'StepFunctions.AWSStepFunctionsException',
      cause: expect.stringMatching(
        /^User: … is not authorized \(Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException; /,
      ) as string,
    });
    expect(asked).toEqual([[`arn:aws:iam::${account}:role/machine`, 'states:StartExecution', machine]]);
  });

  it('is described with its settings and its counts, as recorded on AWS', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ S: { Type: 'Succeed' } }, { MaxConcurrency: 1, ToleratedFailureCount: 3 }) },
      { items: [1, 2] },
    );
    await bench.finish(arn);
    const counts = {
      aborted: 0,
      failed: 0,
      pending: 0,
      resultsWritten: 2,
      running: 0,
      succeeded: 2,
      timedOut: 0,
      total: 2,
    };
    expect(await mapRun(bench, arn)).toEqual({
      mapRunArn: expect.any(String) as string,
      executionArn: arn,
      status: 'SUCCEEDED',
      startDate: new Date(Date.UTC(2026, 0, 1)),
      stopDate: new Date(Date.UTC(2026, 0, 1)),
      maxConcurrency: 1,
      toleratedFailureCount: 3,
      toleratedFailurePercentage: 0,
      executionCounts: counts,
      itemCounts: counts,
      redriveCount: 0,
    });
  });

  it('has a label of its own making where the definition has none', async () => {
    const bench = new Workbench();
    const arn = await bench.start(
      { M: map({ S: { Type: 'Succeed' } }, { Label: undefined }) },
      { items: [1] },
    );
    await bench.finish(arn);
    expect(await mapRun(bench, arn)).toMatchObject({
      mapRunArn: expect.stringMatching(/:mapRun:machine-1\/[0-9a-f-]{36}:[0-9a-f-]{36}$/) as string,
    });
  });

  it('that nobody knows, or is none, is AWS’s error', async () => {
    const bench = new Workbench();
    const gone = `${where}:mapRun:machine-1/Each:0`;
    await expect(bench.operate('DescribeMapRun', { mapRunArn: gone })).rejects.toMatchObject({
      code: 'ResourceNotFound',
    });
    await expect(bench.operate('DescribeMapRun', { mapRunArn: machine })).rejects.toMatchObject({
      code: 'InvalidArn',
    });
    await expect(bench.operate('ListExecutions', {})).rejects.toMatchObject({ code: 'ValidationException' });
  });
});

describe('1,000 items whose tasks wait for a token', () => {
  it('take eight events of the parent, and a second or two', async () => {
    const bench: Workbench = new Workbench({
      tasks: new Tasks({
        T: (input) => {
          setImmediate(() => {
            void bench.operate('SendTaskSuccess', { taskToken: tokenIn(input), output: '"loaded"' });
          });
          return {};
        },
      }),
    });
    const arn = await bench.start(
      { M: map({ T: waitingTask({ TimeoutSeconds: 3600, HeartbeatSeconds: 600 }) }) },
      { items: numbers(1000) },
    );
    for (let turns = 0; turns < 10_000; turns += 1) {
      await bench.settle();
      if ((await bench.describe(arn))['status'] !== 'RUNNING') break;
    }
    const end = await bench.describe(arn);
    expect(end).toMatchObject({ status: 'SUCCEEDED' });
    expect(JSON.parse(String(end['output']))).toEqual(numbers(1000).map(() => 'loaded'));
    expect(await bench.history(arn)).toHaveLength(8);
    const all = await children(bench, arn);
    expect(all).toHaveLength(1000);
    expect(await bench.history(all[0]?.executionArn ?? '')).toHaveLength(8);
    expect(bench.clock.now()).toBe(Date.UTC(2026, 0, 1));
    // Sixty times what it takes.
  }, 60_000);
});
