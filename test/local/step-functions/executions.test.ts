import { ServiceError } from '../../../local/kernel/service';
import type { StatusEvent } from '../../../local/step-functions/status-event';
import { account, operator, task, Tasks, Workbench } from './workbench';

const succeed = { S: { Type: 'Succeed' } };
const wait = { W: { Type: 'Wait', Seconds: 60, End: true } };
const machine = (n = 1) => `arn:aws:states:eu-central-1:${account}:stateMachine:machine-${String(n)}`;
const execution = `arn:aws:states:eu-central-1:${account}:execution:machine-1:run`;

describe('StartExecution', () => {
  it('answers again what it answered while the execution runs with the same input', async () => {
    const bench = new Workbench();
    const stateMachineArn = await bench.create(wait);
    const input = { stateMachineArn, name: 'run', input: '{"a":1}' };
    const first = await bench.operate('StartExecution', input);
    bench.clock.after(5000, () => undefined);
    bench.clock.advance();
    expect(await bench.operate('StartExecution', input)).toEqual(first);
    expect(first).toEqual({ executionArn: execution, startDate: new Date(Date.UTC(2026, 0, 1)) });
    await bench.service.close();
  });

  it('refuses a name that runs with another input, or has ended', async () => {
    const bench = new Workbench();
    const stateMachineArn = await bench.create(wait);
    const exists = { code: 'ExecutionAlreadyExists', message: `Execution Already Exists: '${execution}'` };
    await bench.operate('StartExecution', { stateMachineArn, name: 'run', input: '{}' });
    await expect(
      bench.operate('StartExecution', { stateMachineArn, name: 'run', input: '{"a":1}' }),
    ).rejects.toMatchObject(exists);
    await bench.finish(execution);
    await expect(
      bench.operate('StartExecution', { stateMachineArn, name: 'run', input: '{}' }),
    ).rejects.toMatchObject(exists);
  });

  it('refuses names with forbidden characters, and names of more than 80', async () => {
    const bench = new Workbench();
    const stateMachineArn = await bench.create(succeed);
    for (const name of ['a b', 'a:b', 'a/b', 'a*'])
      await expect(bench.operate('StartExecution', { stateMachineArn, name })).rejects.toMatchObject({
        code: 'InvalidName',
        message: `Invalid Name: '${name}'`,
      });
    await expect(
      bench.operate('StartExecution', { stateMachineArn, name: 'a'.repeat(81) }),
    ).rejects.toMatchObject({ code: 'ValidationException' });
    await expect(
      bench.operate('StartExecution', { stateMachineArn, name: 'a'.repeat(80) }),
    ).resolves.toHaveProperty('executionArn');
  });

  it('names what does not exist, and what is no state machine', async () => {
    const bench = new Workbench();
    await expect(bench.operate('StartExecution', { stateMachineArn: machine() })).rejects.toMatchObject({
      code: 'StateMachineDoesNotExist',
      message: `State Machine Does Not Exist: '${machine()}'`,
    });
    await expect(bench.operate('StartExecution', { stateMachineArn: execution })).rejects.toMatchObject({
      code: 'InvalidArn',
    });
    await expect(bench.operate('DescribeExecution', { executionArn: execution })).rejects.toMatchObject({
      code: 'ExecutionDoesNotExist',
      message: `Execution Does Not Exist: '${execution}'`,
    });
  });
});

describe('StopExecution', () => {
  it('aborts at once, with error and cause, and does nothing the second time', async () => {
    const bench = new Workbench();
    await bench.start(wait);
    const input = { executionArn: execution, error: 'Mine', cause: 'enough' };
    const stopDate = new Date(Date.UTC(2026, 0, 1));
    expect(await bench.operate('StopExecution', input)).toEqual({ stopDate });
    expect(await bench.describe(execution)).toMatchObject({
      status: 'ABORTED',
      error: 'Mine',
      cause: 'enough',
      stopDate,
    });
    expect((await bench.types(execution)).slice(-2)).toEqual(['WaitStateAborted', 'ExecutionAborted']);
    await bench.operate('StopExecution', { ...input, error: 'Other' });
    expect(await bench.describe(execution)).toMatchObject({ error: 'Mine' });
  });

  it('tells a running task by its signal', async () => {
    const tasks = new Tasks({ T: () => new Promise(() => undefined) });
    const bench = new Workbench({ tasks });
    await bench.start({ T: task() });
    await bench.settle();
    expect(tasks.calls[0]?.caller.signal.aborted).toBe(false);
    await bench.operate('StopExecution', { executionArn: execution });
    expect(tasks.calls[0]?.caller.signal.aborted).toBe(true);
  });
});

describe('an execution', () => {
  it('runs the definition and the role that were there at its start', async () => {
    const bench = new Workbench();
    await bench.start({
      W: { Type: 'Wait', Seconds: 60, Next: 'P' },
      P: { Type: 'Pass', Output: 'old', End: true },
    });
    await bench.operate('UpdateStateMachine', {
      stateMachineArn: machine(),
      roleArn: `arn:aws:iam::${account}:role/other`,
      definition: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'S', States: succeed }),
    });
    expect(await bench.finish(execution)).toMatchObject({ output: '"old"' });
    const of = await bench.operate('DescribeStateMachineForExecution', { executionArn: execution });
    expect(of).toMatchObject({ roleArn: `arn:aws:iam::${account}:role/machine`, name: 'machine-1' });
  });

  it('tells the default bus when it starts and when it ends', async () => {
    const events: StatusEvent[] = [];
    const bench = new Workbench({ publishStatus: (event) => events.push(event) });
    await bench.run({ F: { Type: 'Fail', Error: 'Mine', Cause: 'because' } }, { a: 1 });
    expect(events.map(({ source, resources }) => ({ source, resources }))).toEqual([
      { source: 'aws.states', resources: [execution] },
      { source: 'aws.states', resources: [execution] },
    ]);
    expect(events.map(({ detail }) => detail)).toMatchObject([
      { status: 'RUNNING', input: '{"a":1}', inputDetails: { included: true }, stopDate: null, output: null },
      {
        executionArn: execution,
        stateMachineArn: machine(),
        name: 'run',
        status: 'FAILED',
        startDate: Date.UTC(2026, 0, 1),
        stopDate: Date.UTC(2026, 0, 1),
        error: 'Mine',
        cause: 'because',
      },
    ]);
  });

  it('shows where it is in its context object', async () => {
    const bench = new Workbench();
    const end = await bench.run(
      { P: { Type: 'Pass', Output: '{% $states.context %}', End: true } },
      { a: 1 },
    );
    expect(JSON.parse(String(end['output']))).toEqual({
      Execution: {
        Id: execution,
        Input: { a: 1 },
        Name: 'run',
        RoleArn: `arn:aws:iam::${account}:role/machine`,
        StartTime: '2026-01-01T00:00:00.000Z',
        RedriveCount: 0,
      },
      StateMachine: { Id: machine(), Name: 'machine-1' },
      State: { Name: 'P', EnteredTime: '2026-01-01T00:00:00.000Z', RetryCount: 0 },
    });
  });

  it('assigns after the output is computed: both see the values from before', async () => {
    const bench = new Workbench();
    const end = await bench.run({
      A: { Type: 'Pass', Assign: { n: 1 }, Next: 'B' },
      B: { Type: 'Pass', Assign: { n: '{% $n + 1 %}' }, Output: '{% $n %}', Next: 'C' },
      C: { Type: 'Pass', Output: ['{% $states.input %}', '{% $n %}'], End: true },
    });
    expect(end).toMatchObject({ output: '[1,2]' });
  });
});

describe('lists', () => {
  it('give the history in pages, in either order, with or without data', async () => {
    const bench = new Workbench();
    await bench.run(succeed, { secret: 'data' });
    const ids = async (input: object) => {
      const { events, nextToken } = await bench.operate('GetExecutionHistory', {
        executionArn: execution,
        ...input,
      });
      return { ids: Array.isArray(events) ? events.map(({ id }: { id: number }) => id) : [], nextToken };
    };
    const first = await ids({ maxResults: 3 });
    expect(first.ids).toEqual([1, 2, 3]);
    expect(await ids({ maxResults: 3, nextToken: first.nextToken })).toEqual({
      ids: [4],
      nextToken: undefined,
    });
    expect((await ids({ reverseOrder: true })).ids).toEqual([4, 3, 2, 1]);
    await expect(ids({ nextToken: 'made-up' })).rejects.toMatchObject({ code: 'InvalidToken' });
    const bare = await bench.operate('GetExecutionHistory', {
      executionArn: execution,
      includeExecutionData: false,
    });
    expect(JSON.stringify(bare)).not.toContain('data');
    expect(bare['events']).toHaveLength(4);
  });

  it('give executions by status, the newest first', async () => {
    const bench = new Workbench();
    const stateMachineArn = await bench.create(wait);
    for (const name of ['one', 'two', 'three'])
      await bench.operate('StartExecution', { stateMachineArn, name });
    await bench.operate('StopExecution', { executionArn: execution.replace(/run$/, 'two') });
    const names = async (input: object) => {
      const { executions } = await bench.operate('ListExecutions', { stateMachineArn, ...input });
      return Array.isArray(executions) ? executions.map(({ name }: { name: string }) => name) : [];
    };
    expect(await names({})).toEqual(['three', 'two', 'one']);
    expect(await names({ statusFilter: 'RUNNING' })).toEqual(['three', 'one']);
    expect(await names({ statusFilter: 'ABORTED' })).toEqual(['two']);
    await bench.service.close();
  });
});

describe('a state machine', () => {
  it('can be created twice alike, and not otherwise', async () => {
    const bench = new Workbench();
    const input = {
      name: 'm',
      roleArn: `arn:aws:iam::${account}:role/machine`,
      definition: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'S', States: succeed }),
    };
    const first = await bench.operate('CreateStateMachine', { ...input, tags: [{ key: 'a', value: 'b' }] });
    expect(await bench.operate('CreateStateMachine', input)).toEqual(first);
    await expect(
      bench.operate('CreateStateMachine', { ...input, roleArn: `${input.roleArn}-2` }),
    ).rejects.toMatchObject({ code: 'StateMachineAlreadyExists' });
    const tags = await bench.operate('ListTagsForResource', { resourceArn: first['stateMachineArn'] });
    expect(tags).toEqual({ tags: [{ key: 'a', value: 'b' }] });
  });

  it('is gone once deleted, and its executions are not', async () => {
    const bench = new Workbench();
    await bench.run(succeed);
    await bench.operate('DeleteStateMachine', { stateMachineArn: machine() });
    await expect(bench.operate('DescribeStateMachine', { stateMachineArn: machine() })).rejects.toMatchObject(
      {
        code: 'StateMachineDoesNotExist',
      },
    );
    expect(await bench.describe(execution)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await bench.operate('ListStateMachines', {})).toEqual({ stateMachines: [] });
  });

  it('needs a role that trusts Step Functions', async () => {
    const bench = new Workbench({
      assumeRole: () => {
        throw new ServiceError('AccessDenied', 'no');
      },
    });
    await expect(bench.create(succeed)).rejects.toMatchObject({
      code: 'AccessDeniedException',
      message:
        'Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.',
    });
  });

  it('needs leave for each operation, and to pass its role', async () => {
    const asked: unknown[] = [];
    const bench = new Workbench({
      authorize: (_, { action, resource }) => void asked.push([action, resource]),
    });
    await bench.run(succeed);
    expect(asked.slice(0, 4)).toEqual([
      ['states:CreateStateMachine', machine()],
      ['iam:PassRole', `arn:aws:iam::${account}:role/machine`],
      ['states:StartExecution', machine()],
      ['states:DescribeExecution', execution],
    ]);
  });

  it.each(['encryptionConfiguration', 'publish', 'made_up'])(
    'is refused with %s, by name',
    async (member) => {
      const bench = new Workbench();
      await expect(
        bench.operate(
          'CreateStateMachine',
          { name: 'm', definition: '{}', roleArn: 'r', [member]: {} },
          operator,
        ),
      ).rejects.toMatchObject({
        code: 'UnsupportedParameter',
        message: expect.stringContaining(member) as string,
      });
    },
  );
});
