import './lambda-environment';
import type { EventBridgeEvent } from 'aws-lambda';
import type { Run } from '../../aws/runs';
import type { Labels } from '../../domain/labels';
import { executionName, followName, heldLabel } from '../../domain/names';
import { handler } from '../../functions/follow';
import { followMove, type FollowPorts } from '../../functions/follow-move';
import { refusal } from '../domain/label-store';
import { AwsEndpoint } from './aws-endpoint';
import { collectLog, parsed } from './log-lines';

const [written, before, third] = [
  '0e1b8a3c-5d8e-4b6a-9a3e-2f1d6c7b8a90',
  '7c2d9f10-1b2c-4d5e-8f60-a1b2c3d4e5f6',
  '5a4b3c2d-1e0f-4a9b-8c7d-6e5f4a3b2c1d',
];
const time = '2026-01-01T00:00:05Z';
const later = '2026-01-01T09:00:00Z';
const moved: Labels = { [written]: ['AWSCURRENT'], [before]: ['AWSPREVIOUS'] };

describe('the handler', () => {
  let aws: AwsEndpoint;
  let secretArn: string;
  const log = collectLog();
  beforeAll(async () => (aws = await AwsEndpoint.listen()));
  afterAll(async () => {
    log.restore();
    await aws.close();
  });
  beforeEach(() => {
    log.lines.length = 0;
    aws.clear();
    secretArn = aws.keep('app', moved).arn;
  });

  const event = (changes: object = {}): EventBridgeEvent<string, unknown> => ({
    id: 'event',
    version: '0',
    account: '111122223333',
    time,
    region: 'eu-central-1',
    resources: [secretArn],
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    detail: { name: 'app', labelUpdated: 'AWSCURRENT', versionId: written },
    ...changes,
  });
  const executionArn = (name: string) =>
    `arn:aws:states:eu-central-1:111122223333:execution:rotor-rotation:${name}`;

  test('a version that somebody else has put in use is followed, by an execution that is given ids alone', async () => {
    await expect(handler(event())).resolves.toEqual({ outcome: 'followed' });
    const [[arn, started] = ['', undefined], ...others] = aws.executions;
    expect(others).toEqual([]);
    expect(arn).toBe(executionArn(followName(secretArn, written, time)));
    expect(JSON.parse(started?.input ?? '')).toEqual({
      secretArn,
      versionId: written,
      previousVersionId: before,
      heldVersionId: null,
      mode: 'follow',
      movedAt: time,
    });
  });

  test('its labels and executions are looked at, and nothing else of the secret', async () => {
    await handler(event());
    expect([...new Set(aws.operations())]).toEqual(['DescribeSecret', 'DescribeExecution', 'StartExecution']);
  });

  test('a second delivery starts nothing, while the execution runs and after it has ended', async () => {
    await handler(event());
    await expect(handler(event({ id: 'again' }))).resolves.toEqual({ outcome: 'followed' });
    for (const execution of aws.executions.values()) execution.status = 'SUCCEEDED';
    await expect(handler(event())).resolves.toEqual({ outcome: 'followed before' });
    expect(aws.executions.size).toBe(1);
  });

  test('while the rotation that brought the version in runs, there is nothing to follow', async () => {
    const name = executionName(secretArn, written, 1, 'rotate');
    aws.executions.set(executionArn(name), {
      input: JSON.stringify({ secretArn, versionId: written, previousVersionId: before }),
      status: 'RUNNING',
    });
    await expect(handler(event())).resolves.toEqual({ outcome: 'by Rotor' });
    expect(aws.operations()).not.toContain('StartExecution');
  });

  test('an event that is heard late finds how long the rotation ran', async () => {
    const name = executionName(secretArn, written, 1, 'rotate');
    const run = { input: JSON.stringify({ previousVersionId: before }), status: 'SUCCEEDED' };
    aws.executions.set(executionArn(name), { ...run, stopDate: Date.parse(time) / 1000 + 1 });
    await expect(handler(event())).resolves.toEqual({ outcome: 'by Rotor' });
    aws.executions.set(executionArn(name), { ...run, stopDate: Date.parse(time) / 1000 - 1 });
    await expect(handler(event())).resolves.toEqual({ outcome: 'followed' });
  });

  test.each([
    ['no ARN of a secret', { resources: [] }, ['resources']],
    ['another label', { detail: { labelUpdated: heldLabel, versionId: written } }, ['detail.labelUpdated']],
    ['no version', { detail: { labelUpdated: 'AWSCURRENT' } }, ['detail.versionId']],
    [
      'a version that is none',
      { detail: { labelUpdated: 'AWSCURRENT', versionId: 'x'.repeat(65) } },
      ['detail.versionId'],
    ],
    ['no detail', { detail: 'text' }, ['detail']],
    ['no time', { time: 'yesterday' }, ['time']],
  ])('an event with %s is dropped, the field named, nothing called', async (_, changes, fields) => {
    await expect(handler(event(changes))).resolves.toEqual({ outcome: 'dropped' });
    expect(aws.received).toEqual([]);
    expect(parsed(log.lines)).toEqual([
      { level: 'warn', message: 'dropped a malformed event about a label', fields },
    ]);
  });

  test.each(['DescribeSecret', 'DescribeExecution', 'StartExecution'])(
    'a failure of %s is thrown, so that Lambda tries again',
    async (operation) => {
      aws.failNext(operation, 'AccessDeniedException');
      await expect(handler(event())).rejects.toMatchObject({ name: 'AccessDeniedException' });
      await expect(handler(event())).resolves.toEqual({ outcome: 'followed' });
    },
  );

  test('one line of the log says what became of it', async () => {
    await handler(event());
    expect(parsed(log.lines)).toEqual([
      { level: 'info', message: 'AWSCURRENT has moved', secretArn, versionId: written, outcome: 'followed' },
    ]);
  });
});

describe('following a move', () => {
  const secretArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
  const runs = new Map<string, Run>();
  const started = new Map<string, object>();
  /** What DescribeSecret answers, look by look; the last answer stays. */
  let looks: (Labels | Error)[] = [];
  beforeEach(() => {
    runs.clear();
    started.clear();
    looks = [moved];
  });

  const ports: FollowPorts = {
    secrets: {
      describe: async () => {
        const labels = looks.length > 1 ? looks.shift() : looks[0];
        if (labels instanceof Error) throw labels;
        return { arn: secretArn, name: 'app', labels: labels ?? {} };
      },
    },
    runs: { find: async (name) => runs.get(name) },
    executions: {
      start: async (name, input) => {
        if (started.has(name)) return 'exists';
        started.set(name, input);
        return 'started';
      },
    },
    sleep: async () => undefined,
  };
  const follow = (versionId = written, at = time) => followMove(ports, { secretArn, versionId, time: at });
  const rotation = (token: string, previousVersionId: string, attempt: number, more: Partial<Run> = {}) =>
    runs.set(executionName(secretArn, token, attempt, 'rotate'), {
      status: 'RUNNING',
      startedAt: Date.parse(time) - 3000,
      endedAt: undefined,
      input: JSON.stringify({ previousVersionId }),
      ...more,
    });

  test('the regions that have a replica are told to the workflow, which waits for them', async () => {
    const replicas = [{ region: 'eu-west-1', status: 'InProgress' as const, message: '' }];
    const describe = async (arn: string) => ({ ...(await ports.secrets.describe(arn)), replicas });
    const told = { secretArn, versionId: written, time };
    await expect(followMove({ ...ports, secrets: { describe } }, told)).resolves.toBe('followed');
    expect([...started.values()]).toMatchObject([{ replicaRegions: ['eu-west-1'] }]);
  });

  test('a version that AWSCURRENT comes back to is followed anew', async () => {
    await expect(follow(written, time)).resolves.toBe('followed');
    looks = [{ [before]: ['AWSCURRENT'], [written]: ['AWSPREVIOUS'] }];
    await expect(follow(before, '2026-01-01T00:10:00Z')).resolves.toBe('followed');
    looks = [moved];
    await expect(follow(written, later)).resolves.toBe('followed');
    expect(started.size).toBe(3);
  });

  test('labels that show the time before the move are read again', async () => {
    looks = [{ [before]: ['AWSCURRENT'] }, { [before]: ['AWSCURRENT'] }, moved];
    await expect(follow()).resolves.toBe('followed');
  });

  test('a move that another one has overtaken is left to the event of that one', async () => {
    looks = [{ [third]: ['AWSCURRENT'], [written]: ['AWSPREVIOUS'] }];
    await expect(follow()).resolves.toBe('moved on');
    expect(started.size).toBe(0);
  });

  test('the first version of a secret is nothing to follow', async () => {
    looks = [{ [written]: ['AWSCURRENT'] }];
    await expect(follow()).resolves.toBe('first version');
    expect(started.size).toBe(0);
  });

  test('a secret that was deleted meanwhile is let go', async () => {
    looks = [refusal('ResourceNotFoundException', 'gone')];
    await expect(follow()).resolves.toBe('secret gone');
  });

  test.each([1, 2, 3])('attempt %i of a rotation counts as the others do', async (attempt) => {
    for (let earlier = 1; earlier < attempt; earlier++)
      rotation(written, before, earlier, { status: 'ABORTED', endedAt: Date.parse(time) - 2000 });
    rotation(written, before, attempt);
    await expect(follow()).resolves.toBe('by Rotor');
    expect(started.size).toBe(0);
  });

  test('a rotation that goes back is not followed to the version that a person had written', async () => {
    rotation(written, before, 1);
    looks = [{ [before]: ['AWSCURRENT'], [written]: ['AWSPREVIOUS', heldLabel] }];
    await expect(follow(before)).resolves.toBe('by Rotor');
    expect(started.size).toBe(0);
  });

  test('a person who puts AWSCURRENT back while a rotation waits is followed', async () => {
    rotation(written, before, 1);
    looks = [{ [before]: ['AWSCURRENT', heldLabel], [written]: ['AWSPREVIOUS'] }];
    await expect(follow(before)).resolves.toBe('followed');
  });

  test('a value that a person writes while a rotation waits is followed', async () => {
    rotation(written, before, 1);
    looks = [{ [third]: ['AWSCURRENT'], [written]: ['AWSPREVIOUS'], [before]: [heldLabel] }];
    await expect(follow(third)).resolves.toBe('followed');
  });

  test('a version of an earlier rotation, which a person puts back in use, is followed', async () => {
    const endedAt = Date.parse(time) + 60_000;
    rotation(before, third, 1, { status: 'SUCCEEDED', endedAt });
    rotation(written, before, 1, { status: 'SUCCEEDED', endedAt });
    looks = [{ [before]: ['AWSCURRENT'], [written]: ['AWSPREVIOUS'] }];
    await expect(follow(before, later)).resolves.toBe('followed');
  });
});
