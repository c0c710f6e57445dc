import { VirtualClock } from '../../../local/kernel/clock';
import { parseFilterPattern } from '../../../local/logs/filter-pattern';
import { createLogs } from '../../../local/logs/logs-service';
import { everyOperationAsks } from '../gateway/authorisation';
import { operator, pass, Stage } from '../gateway/stage';

const clock = new VirtualClock();
const stage = new Stage(clock);
const logs = createLogs(stage.surroundings);
stage.services.push(logs);

const call = (operation: string, input: object) =>
  stage.surroundings.callService('logs', operation, { ...input }, { principal: operator });

let count = 0;
async function newGroup(): Promise<string> {
  const logGroupName = `/group/${count++}`;
  await call('CreateLogGroup', { logGroupName });
  return logGroupName;
}

test('lines are put into a stream and read back in order', async () => {
  const logGroupName = await newGroup();
  const stream = { logGroupName, logStreamName: 's' };
  await call('CreateLogStream', stream);
  const logEvents = [
    { timestamp: clock.now(), message: 'one' },
    { timestamp: clock.now() + 1, message: 'two' },
  ];
  await call('PutLogEvents', { ...stream, logEvents });
  expect(await call('GetLogEvents', stream)).toMatchObject({
    events: [{ message: 'one', timestamp: clock.now(), ingestionTime: clock.now() }, { message: 'two' }],
  });
});

test('pages go forward from the head and backward from the tail, and stand still at the ends', async () => {
  const logGroupName = await newGroup();
  for (const line of ['1', '2', '3']) logs.append(logGroupName, 's', line);
  const stream = { logGroupName, logStreamName: 's', limit: 2 };
  const read = async (more: object) =>
    (await call('GetLogEvents', { ...stream, ...more })) as {
      events: { message: string }[];
      nextForwardToken: string;
      nextBackwardToken: string;
    };
  const messages = ({ events }: { events: { message: string }[] }) => events.map(({ message }) => message);
  const head = await read({ startFromHead: true });
  expect(messages(head)).toEqual(['1', '2']);
  const next = await read({ nextToken: head.nextForwardToken });
  expect(messages(next)).toEqual(['3']);
  const end = await read({ nextToken: next.nextForwardToken });
  expect(messages(end)).toEqual([]);
  expect(end.nextForwardToken).toBe(next.nextForwardToken);
  const tail = await read({});
  expect(messages(tail)).toEqual(['2', '3']);
  expect(messages(await read({ nextToken: tail.nextBackwardToken }))).toEqual(['1']);
});

test('appending makes the group and the stream that are missing', () => {
  logs.append('/aws/lambda/f', '2026/01/01/[$LATEST]1', 'START');
  const group = logs.groups().find(({ name }) => name === '/aws/lambda/f');
  expect(group?.streams).toMatchObject([
    { name: '2026/01/01/[$LATEST]1', events: [{ message: 'START', timestamp: clock.now() }] },
  ]);
});

test('filtering looks through all streams of a group in the order of time', async () => {
  const logGroupName = await newGroup();
  logs.append(logGroupName, 'b', 'ERROR first');
  pass(clock, 10);
  logs.append(logGroupName, 'a', 'ERROR second');
  logs.append(logGroupName, 'a', 'fine');
  const answer = await call('FilterLogEvents', { logGroupName, filterPattern: 'ERROR' });
  expect(answer).toMatchObject({
    events: [
      { logStreamName: 'b', message: 'ERROR first' },
      { logStreamName: 'a', message: 'ERROR second' },
    ],
  });
  const since = await call('FilterLogEvents', { logGroupName, startTime: clock.now() });
  expect(since).toMatchObject({ events: [{ message: 'ERROR second' }, { message: 'fine' }] });
});

test.each([
  ['', 'anything', true],
  ['a b', 'b and a', true],
  ['a b', 'only b', false],
  ['"a b"', 'a b', true],
  ['"a b"', 'b a', false],
  ['a -b', 'a b', false],
  ['?a ?b', 'x b', true],
  ['?a ?b', 'x', false],
])('the filter pattern %s against "%s" is %s', (pattern, message, expected) => {
  expect(parseFilterPattern(pattern)(message)).toBe(expected);
});

test('a pattern for JSON is refused by name', () => {
  expect(() => parseFilterPattern('{ $.level = "ERROR" }')).toThrow(
    /does not implement FilterLogEvents with JSON/,
  );
});

test('lines leave when the retention period ends, and groups and streams are described', async () => {
  const logGroupName = await newGroup();
  logs.append(logGroupName, 'old', 'line');
  await call('PutRetentionPolicy', { logGroupName, retentionInDays: 1 });
  expect(await call('DescribeLogGroups', { logGroupNamePrefix: logGroupName })).toMatchObject({
    logGroups: [
      {
        logGroupName,
        retentionInDays: 1,
        arn: `arn:aws:logs:us-east-1:111122223333:log-group:${logGroupName}:*`,
      },
    ],
  });
  const last = clock.now();
  expect(await call('DescribeLogStreams', { logGroupName, orderBy: 'LastEventTime' })).toMatchObject({
    logStreams: [{ logStreamName: 'old', lastEventTimestamp: last }],
  });
  pass(clock, 86_400_000);
  expect(await call('GetLogEvents', { logGroupName, logStreamName: 'old' })).toMatchObject({ events: [] });
  await call('DeleteRetentionPolicy', { logGroupName });
  await call('DeleteLogGroup', { logGroupName });
  await expect(call('DeleteLogGroup', { logGroupName })).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
    message: 'The specified log group does not exist.',
  });
});

test('wrong input and unknown parameters are refused', async () => {
  const logGroupName = await newGroup();
  const again = call('CreateLogGroup', { logGroupName });
  await expect(again).rejects.toMatchObject({ code: 'ResourceAlreadyExistsException' });
  await expect(call('PutRetentionPolicy', { logGroupName, retentionInDays: 2 })).rejects.toMatchObject({
    code: 'InvalidParameterException',
  });
  await expect(call('GetLogEvents', { logGroupName, logStreamName: 's', unmask: true })).rejects.toThrow(
    'The embedded cloud does not implement GetLogEvents with unmask.',
  );
});

const arn = (group: string, stream = '') =>
  `arn:aws:logs:us-east-1:111122223333:log-group:${group}:log-stream:${stream}`;
const onGroup = (action: string, input: object = {}) => ({
  input: { logGroupName: 'probe', ...input },
  action: `logs:${action}`,
  resource: arn('probe'),
});
const onStream = (action: string, input: object = {}) => ({
  input: { logGroupName: 'probe', logStreamName: 's', ...input },
  action: `logs:${action}`,
  resource: arn('probe', 's'),
});
everyOperationAsks(
  stage,
  () => logs,
  'AccessDeniedException',
  {
    CreateLogGroup: onGroup('CreateLogGroup'),
    DeleteLogGroup: onGroup('DeleteLogGroup'),
    PutRetentionPolicy: onGroup('PutRetentionPolicy', { retentionInDays: 1 }),
    DeleteRetentionPolicy: onGroup('DeleteRetentionPolicy'),
    CreateLogStream: onStream('CreateLogStream'),
    PutLogEvents: onStream('PutLogEvents', { logEvents: [{ timestamp: 1, message: 'm' }] }),
    DescribeLogGroups: { input: {}, action: 'logs:DescribeLogGroups', resource: arn('') },
    DescribeLogStreams: onGroup('DescribeLogStreams'),
    GetLogEvents: onStream('GetLogEvents'),
    FilterLogEvents: onGroup('FilterLogEvents'),
  },
  async () => undefined,
);
