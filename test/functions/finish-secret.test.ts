import { lambdaContext } from './lambda-environment';
import { heldLabel } from '../../domain/names';
import { handler } from '../../functions/finish-secret';
import { AwsEndpoint, type StoredSecret } from './aws-endpoint';
import { collectLog, parsed } from './log-lines';

let aws: AwsEndpoint;
let secret: StoredSecret;
const log = collectLog();
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(async () => {
  log.restore();
  await aws.close();
});
beforeEach(() => {
  log.lines.length = 0;
  aws.clear();
  secret = aws.keep('app', { old: ['AWSCURRENT'], new: ['AWSPENDING'], other: [] });
});

const run = (request: object) =>
  handler({ secretArn: secret.arn, ...request }, lambdaContext('finish-secret'));
const finish = (hold = true) => run({ action: 'finish', from: 'old', to: 'new', hold, late: false });

describe('finish', () => {
  test('the hold goes onto the version in use, then AWSCURRENT moves, in two calls without a look before', async () => {
    await expect(finish()).resolves.toEqual({ current: 'new', held: 'old' });
    expect(secret.labels).toEqual({
      old: ['AWSPREVIOUS', heldLabel],
      new: ['AWSCURRENT', 'AWSPENDING'],
      other: [],
    });
    expect(aws.received.map(({ input }) => input['VersionStage'])).toEqual([heldLabel, 'AWSCURRENT']);
  });

  test('without overlap nothing is held', async () => {
    await expect(finish(false)).resolves.toEqual({ current: 'new', held: null });
    expect(secret.labels['old']).toEqual(['AWSPREVIOUS']);
  });

  test('a repeat after a crash between hold and move makes the move', async () => {
    secret.labels = { ...secret.labels, old: ['AWSCURRENT', heldLabel] };
    await expect(finish()).resolves.toEqual({ current: 'new', held: 'old' });
    expect(secret.labels['new']).toContain('AWSCURRENT');
  });

  test('a repeat after a crash after the move succeeds and moves nothing', async () => {
    await finish();
    const after = secret.labels;
    await expect(finish()).resolves.toEqual({ current: 'new', held: 'old' });
    expect(secret.labels).toEqual(after);
  });

  test('a store that refuses to put a label where it is already does not stop the repeat', async () => {
    secret.labels = { ...secret.labels, old: ['AWSCURRENT', heldLabel] };
    aws.failNext('UpdateSecretVersionStage', 'InvalidParameterException');
    await expect(finish()).resolves.toEqual({ current: 'new', held: 'old' });
    expect(secret.labels['new']).toContain('AWSCURRENT');
  });

  test('a manual write of AWSCURRENT meanwhile stays in use: RotationAbandoned', async () => {
    secret.labels = { old: ['AWSPREVIOUS'], new: ['AWSPENDING'], other: ['AWSCURRENT'] };
    await expect(finish()).rejects.toMatchObject({
      name: 'RotationAbandoned',
      message: 'AWSCURRENT is on version other, not on old, from which it was to move',
    });
    expect(secret.labels['other']).toEqual(['AWSCURRENT']);
  });

  test('a version that no longer exists is RotationAbandoned too', async () => {
    secret.labels = { new: ['AWSPENDING'], other: ['AWSCURRENT'] };
    await expect(finish()).rejects.toMatchObject({ name: 'RotationAbandoned' });
  });

  test('a hold that was put on a third version meanwhile is left there: PreviousStillHeld', async () => {
    secret.labels = { ...secret.labels, other: [heldLabel] };
    await expect(finish()).rejects.toMatchObject({ name: 'PreviousStillHeld' });
    expect(secret.labels).toEqual({ old: ['AWSCURRENT'], new: ['AWSPENDING'], other: [heldLabel] });
  });

  test('a denied call is no answer about the labels and passes by its own name', async () => {
    aws.failNext('UpdateSecretVersionStage', 'AccessDeniedException');
    await expect(finish()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('inspect', () => {
  test('it says where AWSCURRENT and the hold are, and changes nothing', async () => {
    secret.labels = { old: [heldLabel], new: ['AWSCURRENT'] };
    await expect(run({ action: 'inspect' })).resolves.toEqual({ current: 'new', held: 'old' });
    expect(aws.operations()).toEqual(['DescribeSecret']);
  });

  test('a secret without labels has neither', async () => {
    secret.labels = {};
    await expect(run({ action: 'inspect' })).resolves.toEqual({ current: null, held: null });
  });
});

describe('revert', () => {
  const revert = (holdToken: boolean) =>
    run({ action: 'revert', previous: 'old', token: 'new', holdToken, ownHold: true });

  test('after FinishSecret everything goes back, and the new version is held for those who have it', async () => {
    await finish();
    await expect(revert(true)).resolves.toEqual({ current: 'old', held: 'new' });
    expect(secret.labels).toEqual({ old: ['AWSCURRENT'], new: ['AWSPREVIOUS', heldLabel], other: [] });
  });

  test('before FinishSecret only AWSPENDING goes, so that the secret is not left stuck', async () => {
    await expect(revert(false)).resolves.toEqual({ current: 'old', held: null });
    expect(secret.labels).toEqual({ old: ['AWSCURRENT'], new: [], other: [] });
  });

  test('a hold left by a FinishSecret that found another AWSCURRENT is taken off', async () => {
    secret.labels = { old: [heldLabel], new: ['AWSPENDING'], other: ['AWSCURRENT'] };
    await expect(revert(false)).resolves.toEqual({ current: 'other', held: null });
    expect(secret.labels).toEqual({ old: [], new: [], other: ['AWSCURRENT'] });
  });

  test('a repeat makes no call but two looks', async () => {
    await finish();
    await revert(true);
    aws.received.length = 0;
    await expect(revert(true)).resolves.toEqual({ current: 'old', held: 'new' });
    expect(aws.operations()).toEqual(['DescribeSecret', 'DescribeSecret']);
  });
});

describe('release', () => {
  const release = () => run({ action: 'release', versionId: 'old' });

  test('it takes the hold off in one call', async () => {
    secret.labels = { old: [heldLabel], new: ['AWSCURRENT'] };
    await release();
    expect(secret.labels['old']).toEqual([]);
    expect(aws.operations()).toEqual(['UpdateSecretVersionStage']);
  });

  test('a repeat, and a hold that is elsewhere by now, are successes', async () => {
    secret.labels = { old: [], new: ['AWSCURRENT'], other: [heldLabel] };
    await expect(release()).resolves.toEqual({ current: null, held: null });
    expect(secret.labels['other']).toEqual([heldLabel]);
  });

  test('a hold that will not go is an error', async () => {
    secret.labels = { old: [heldLabel], new: ['AWSCURRENT'] };
    aws.failNext('UpdateSecretVersionStage', 'InvalidRequestException');
    await expect(release()).rejects.toMatchObject({ name: 'InvalidRequestException' });
  });
});

test('no action reads a value', async () => {
  await finish();
  await run({ action: 'inspect' });
  await run({ action: 'revert', previous: 'old', token: 'new', holdToken: true, ownHold: true });
  await run({ action: 'release', versionId: 'new' });
  expect(aws.operations()).not.toContain('GetSecretValue');
});

test('an unknown action is refused before anything is called', async () => {
  await expect(run({ action: 'delete' })).rejects.toMatchObject({ name: 'InvocationMalformed' });
  expect(aws.received).toEqual([]);
});

test('one line of the log says what was done', async () => {
  await finish();
  expect(parsed(log.lines)).toEqual([
    {
      level: 'info',
      message: 'done',
      function: 'finish-secret',
      action: 'finish',
      secretArn: secret.arn,
      from: 'old',
      to: 'new',
      ms: expect.any(Number) as number,
    },
  ]);
});
