import * as z from 'zod';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError } from '../../../local/kernel/service';
import { operator, Stage } from './stage';

const source = `let n = 0;
exports.handler = async (_event, context) => ({ n: ++n, color: process.env.COLOR, version: context.functionVersion });`;
const fn = { FunctionName: 'f' };
const blue = { Environment: { Variables: { COLOR: 'blue' } } };
const configurationShape = z.object({ RevisionId: z.string(), CodeSha256: z.string() });

let clock: VirtualClock;
let stage: Stage;
let refuses: boolean;
beforeEach(async () => {
  clock = new VirtualClock();
  refuses = false;
  const refuseUpdate = () => (refuses ? { code: 'InvalidSubnet', reason: 'It is gone.' } : undefined);
  stage = new Stage({ refuseUpdate }, clock);
  await stage.deploy('f', source, { Environment: { Variables: { COLOR: 'red' } } });
});
afterEach(() => stage.close());

type OperationName = keyof typeof stage.lambda.operations;
const run = (operation: OperationName, input: object = {}): Promise<object> =>
  stage.lambda.operations[operation]({ ...fn, ...input }, operator);
const configuration = async () => configurationShape.parse(await run('GetFunctionConfiguration'));
async function failure(promise: Promise<object>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof ServiceError ? `${error.code}: ${error.message}` : String(error)),
  );
}

test('callers run the configuration from before until the new one is applied, and then a new environment', async () => {
  expect(await stage.result('f')).toMatchObject({ n: 1, color: 'red' });
  expect(await run('UpdateFunctionConfiguration', blue)).toMatchObject({ LastUpdateStatus: 'InProgress' });
  expect(await stage.result('f')).toMatchObject({ n: 2, color: 'red' });
  clock.advance();
  expect(await run('GetFunctionConfiguration')).toMatchObject({ LastUpdateStatus: 'Successful' });
  expect(await stage.result('f')).toMatchObject({ n: 1, color: 'blue' });
});

test('while a change is under way no other is taken', async () => {
  await run('UpdateFunctionConfiguration', blue);
  const conflict =
    /^ResourceConflictException: The operation cannot be performed at this time\. An update is in progress/;
  expect(await failure(run('UpdateFunctionConfiguration', blue))).toMatch(conflict);
  expect(await failure(run('PublishVersion'))).toMatch(conflict);
});

test('a change that was made on something older is refused, also where only applying has come between', async () => {
  const { RevisionId } = await configuration();
  await run('UpdateFunctionConfiguration', blue);
  const between = await configuration();
  clock.advance();
  for (const revision of [RevisionId, between.RevisionId])
    expect(await failure(run('UpdateFunctionConfiguration', { ...blue, RevisionId: revision }))).toMatch(
      /^PreconditionFailedException: /,
    );
});

test('a change that fails says why, and callers go on as before', async () => {
  refuses = true;
  await run('UpdateFunctionConfiguration', blue);
  clock.advance();
  expect(await run('GetFunctionConfiguration')).toMatchObject({
    LastUpdateStatus: 'Failed',
    LastUpdateStatusReasonCode: 'InvalidSubnet',
    LastUpdateStatusReason: 'It is gone.',
  });
  expect(await stage.result('f')).toMatchObject({ color: 'red' });
});

test('an alias leads to its version, whatever becomes of $LATEST', async () => {
  expect(await run('PublishVersion')).toMatchObject({ Version: '1', State: 'Pending' });
  await run('CreateAlias', { Name: 'live', FunctionVersion: '1' });
  expect(await failure(run('Invoke', { Qualifier: 'live' }))).toMatch(
    /^ResourceConflictException: .*Pending$/,
  );
  clock.advance();
  await run('UpdateFunctionConfiguration', blue);
  clock.advance();
  const served = async () =>
    JSON.parse((await stage.invoke('f', {}, { Qualifier: 'live' })).Payload) as unknown;
  expect(await served()).toMatchObject({ color: 'red', version: '1' });
  await run('PublishVersion');
  clock.advance();
  await run('UpdateAlias', { Name: 'live', FunctionVersion: '2' });
  expect(await served()).toMatchObject({ n: 1, color: 'blue', version: '2' });
});

test('what has not changed is not published again', async () => {
  const { CodeSha256 } = await configuration();
  await run('PublishVersion', { CodeSha256 });
  expect(await run('PublishVersion', { Description: 'again' })).toMatchObject({ Version: '1' });
  expect(await failure(run('PublishVersion', { CodeSha256: 'other' }))).toMatch(
    /^InvalidParameterValueException: /,
  );
});

test('aliases and versions that are not there are named', async () => {
  const missing = 'arn:aws:lambda:us-east-1:111122223333:function:f:7';
  expect(await failure(run('GetFunctionConfiguration', { Qualifier: '7' }))).toBe(
    `ResourceNotFoundException: Function not found: ${missing}`,
  );
  expect(await failure(run('CreateAlias', { Name: 'live', FunctionVersion: '7' }))).toContain(missing);
  expect(await failure(run('GetAlias', { Name: 'live' }))).toContain(
    'ResourceNotFoundException: Cannot find alias',
  );
  expect(await failure(run('Invoke', { FunctionName: 'f:live', Qualifier: '1' }))).toMatch(
    /^InvalidParameterValueException: The derived qualifier/,
  );
});
