import { task, taskError, Tasks, Workbench } from './workbench';

const retried = { A: task({ Retry: [{ ErrorEquals: ['Injected'], MaxAttempts: 1 }] }) };

describe('an observer', () => {
  it('sees every event as it is recorded', async () => {
    const seen: unknown[] = [];
    const bench = new Workbench({ observer: { onHistoryEvent: (arn, event) => seen.push([arn, event]) } });
    const arn = await bench.start({ S: { Type: 'Succeed' } });
    await bench.finish(arn);
    expect(seen).toEqual((await bench.history(arn)).map((event) => [arn, event]));
  });

  it('can fail an attempt before it has its effect', async () => {
    const tasks = new Tasks({ A: () => 'done' });
    const bench = new Workbench({
      tasks,
      observer: {
        beforeTask: async (state, _, attempt) => {
          if (state === 'A' && attempt === 1) throw taskError('Injected', 'before');
        },
      },
    });
    expect(await bench.run(retried)).toMatchObject({ status: 'SUCCEEDED', output: '"done"' });
    expect(tasks.calls).toHaveLength(1);
  });

  it('can fail an attempt after it had its effect', async () => {
    const tasks = new Tasks({ A: () => 'done' });
    const bench = new Workbench({
      tasks,
      observer: {
        afterTask: async (_state, _arn, attempt) => {
          if (attempt === 1) throw taskError('Injected', 'after');
        },
      },
    });
    const arn = await bench.start(retried);
    expect(await bench.finish(arn)).toMatchObject({ status: 'SUCCEEDED' });
    expect(tasks.calls).toHaveLength(2);
    const failed = (await bench.history(arn)).find(({ type }) => type === 'TaskFailed');
    expect(failed?.['taskFailedEventDetails']).toMatchObject({ error: 'Injected', cause: 'after' });
  });

  it('can make an attempt run out of time', async () => {
    const bench = new Workbench({
      tasks: new Tasks({ A: () => 'done' }),
      observer: { beforeTask: () => new Promise(() => undefined) },
    });
    const arn = await bench.start({ A: task({ TimeoutSeconds: 30 }) });
    expect(await bench.finish(arn)).toMatchObject({ error: 'States.Timeout' });
    expect(await bench.types(arn)).toContain('TaskTimedOut');
  });
});
