import { lambdaContext } from './lambda-environment';
import * as z from 'zod/mini';
import { TargetRefused } from '../../domain/errors';
import { deadlineOf, task } from '../../functions/task';
import { collectLog, parsed } from './log-lines';

const log = collectLog();
afterAll(log.restore);
beforeEach(() => (log.lines.length = 0));

const schema = z.object({ secretArn: z.string(), password: z.optional(z.string()) });
const context = lambdaContext('plan');

test('the line of the log holds ids and the time taken, and nothing else of the input', async () => {
  const handler = task('plan', schema, async ({ secretArn }) => ({ seen: secretArn }));
  await expect(handler({ secretArn: 'arn', password: 'hunter2' }, context)).resolves.toEqual({ seen: 'arn' });
  expect(parsed(log.lines)).toEqual([
    { level: 'info', message: 'done', function: 'plan', secretArn: 'arn', ms: expect.any(Number) as number },
  ]);
});

test('an error passes as it is, and the log holds its name and not its message', async () => {
  const refused = new TargetRefused('the server said hunter2');
  const handler = task('plan', schema, () => Promise.reject(refused));
  await expect(handler({ secretArn: 'arn' }, context)).rejects.toBe(refused);
  expect(parsed(log.lines)).toEqual([
    {
      level: 'error',
      message: 'failed',
      function: 'plan',
      secretArn: 'arn',
      error: 'TargetRefused',
      ms: expect.any(Number) as number,
    },
  ]);
});

test('an input of another shape is refused with its fields and never quoted', async () => {
  const handler = task('plan', schema, async () => ({}));
  await expect(handler({ password: ['hunter2'] }, context)).rejects.toMatchObject({
    name: 'InvocationMalformed',
    message: 'plan: wrong or missing: secretArn, password',
  });
  await expect(handler('hunter2', context)).rejects.toMatchObject({
    message: 'plan: wrong or missing: (whole input)',
  });
  expect(log.lines).toEqual([]);
});

test('a function without its environment says so at once', async () => {
  delete process.env['RUNBOOK_URL'];
  const handler = task('alert', schema, async () => ({}));
  await expect(handler({ secretArn: 'arn' }, context)).rejects.toMatchObject({
    name: 'EnvironmentInvalid',
    message: 'function alert lacks RUNBOOK_URL',
  });
});

test('the deadline lies before the one of Lambda, and is never in the past', () => {
  const timeouts: number[] = [];
  const spy = jest.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    timeouts.push(ms);
    return new AbortController().signal;
  });
  deadlineOf(lambdaContext('plan', 30_000));
  deadlineOf(lambdaContext('plan', 1000));
  spy.mockRestore();
  expect(timeouts).toEqual([28_500, 1]);
});
