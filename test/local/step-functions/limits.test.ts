import { historyLimit } from '../../../local/step-functions/history';
import { task, Tasks, Workbench } from './workbench';

const caught = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'S' }] };
const succeed = { Type: 'Succeed' };

describe('the limits of an execution', () => {
  it('end it when a result is beyond 256 KiB, whatever is caught', async () => {
    const bench = new Workbench({ tasks: new Tasks({ T: () => 'x'.repeat(262_143) }) });
    const end = await bench.run({ T: task(caught), S: succeed });
    expect(end).toMatchObject({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause:
        "The state/task 'T' returned a result with a size exceeding the maximum number of bytes service limit.",
    });
  });

  it('let a result of exactly 256 KiB pass', async () => {
    const bench = new Workbench({ tasks: new Tasks({ T: () => 'x'.repeat(262_142) }) });
    expect(await bench.run({ T: task({ ...caught, Output: 1 }), S: succeed })).toMatchObject({ output: '1' });
  });

  it('end it when a variable is beyond 256 KiB', async () => {
    const bench = new Workbench();
    const end = await bench.run({
      P: { Type: 'Pass', Assign: { big: "{% $pad('', 262145, 'x') %}" }, End: true },
    });
    expect(end).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
  });

  it('end it with event 25,000', async () => {
    const bench = new Workbench();
    const arn = await bench.start({
      P: { Type: 'Pass', Next: 'C' },
      C: { Type: 'Choice', Choices: [{ Condition: false, Next: 'S' }], Default: 'P' },
      S: succeed,
    });
    expect(await bench.finish(arn)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: 'The execution reached the maximum number of history events (25000).',
    });
    const { events } = await bench.operate('GetExecutionHistory', {
      executionArn: arn,
      reverseOrder: true,
      maxResults: 1,
    });
    expect(events).toMatchObject([{ id: historyLimit, type: 'ExecutionFailed' }]);
  });

  it('refuse an input beyond 256 KiB or not JSON', async () => {
    const bench = new Workbench();
    const stateMachineArn = await bench.create({ S: succeed });
    for (const input of [JSON.stringify('x'.repeat(262_143)), 'no json'])
      await expect(bench.operate('StartExecution', { stateMachineArn, input })).rejects.toMatchObject({
        code: 'InvalidExecutionInput',
      });
  });
});
