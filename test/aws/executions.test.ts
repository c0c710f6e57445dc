import '../functions/lambda-environment';
import { executionsOf, taskTokens, type Executions } from '../../aws/executions';
import { AwsEndpoint } from '../functions/aws-endpoint';

const machine = 'arn:aws:states:eu-central-1:111122223333:stateMachine:rotor-rotation';
const execution = 'arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:app-1';
let aws: AwsEndpoint;
let executions: Executions;
beforeAll(async () => {
  aws = await AwsEndpoint.listen();
  executions = executionsOf(machine);
});
afterAll(() => aws.close());
beforeEach(() => aws.clear());

test('starting again with the same input while it runs is a start', async () => {
  await expect(executions.start('app-1', { a: 1 })).resolves.toBe('started');
  await expect(executions.start('app-1', { a: 1 })).resolves.toBe('started');
  expect([...aws.executions.keys()]).toEqual([execution]);
});

test('a name that is taken, by other input or by one that has ended, is told and no error', async () => {
  await executions.start('app-1', { a: 1 });
  await expect(executions.start('app-1', { a: 2 })).resolves.toBe('exists');
  aws.executions.set(execution, { input: '{"a":1}', status: 'FAILED' });
  await expect(executions.start('app-1', { a: 1 })).resolves.toBe('exists');
});

test('it is started within the time that it has, and nothing is sent afterwards', async () => {
  await expect(executions.start('app-1', { a: 1 }, Date.now() + 60_000)).resolves.toBe('started');
  const sent = aws.received.length;
  await expect(executions.start('app-2', { a: 1 }, Date.now() - 1)).rejects.toMatchObject({
    name: 'RotationInProgress',
    message: expect.stringContaining('app-2') as string,
  });
  expect(aws.received).toHaveLength(sent);
});

test('what is tried again is given up when its time is over', async () => {
  for (let tries = 0; tries < 5; tries++) aws.failNext('StartExecution', 'ThrottlingException');
  await expect(executions.start('app-1', {}, Date.now() + 30)).rejects.toMatchObject({
    name: 'RotationInProgress',
  });
  expect(aws.executions.size).toBe(0);
});

test('any other refusal passes by its own name', async () => {
  aws.failNext('StartExecution', 'StateMachineDoesNotExist');
  await expect(executions.start('app-1', {})).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
  aws.failNext('DescribeExecution', 'AccessDeniedException');
  await expect(executions.describe('app-1')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});

test('describe tells how an execution ended, and undefined where there is none', async () => {
  await expect(executions.describe('app-1')).resolves.toBeUndefined();
  aws.executions.set(execution, { input: '{}', status: 'FAILED', cause: 'why' });
  await expect(executions.describe('app-1')).resolves.toEqual({ status: 'FAILED', cause: 'why' });
});

describe('a task token', () => {
  const tokens = taskTokens();

  test('that waits is completed once', async () => {
    aws.waitingTokens.add('token-1');
    await expect(tokens.heartbeat('token-1')).resolves.toBe(true);
    await expect(tokens.succeed('token-1', {})).resolves.toBe(true);
    await expect(tokens.fail('token-1', 'ConsumerRefused', {})).resolves.toBe(false);
  });

  test.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])(
    'that answers %s no longer waits',
    async (name) => {
      aws.failNext('SendTaskSuccess', name);
      await expect(tokens.succeed('token-1', {})).resolves.toBe(false);
    },
  );

  test('that could not be completed for another reason is an error', async () => {
    aws.failNext('SendTaskHeartbeat', 'AccessDeniedException');
    await expect(tokens.heartbeat('token-1')).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});
