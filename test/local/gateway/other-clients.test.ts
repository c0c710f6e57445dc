import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { createEvents } from '../../../local/events/events-service';
import { createLogs } from '../../../local/logs/logs-service';
import { createSns } from '../../../local/sns/sns-service';
import { createSqs } from '../../../local/sqs/sqs-service';
import { Stage } from './stage';

const run = promisify(execFile);
const stage = new Stage();

function isInstalled(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 30_000 }).status === 0;
}
const hasCli = isInstalled('aws', '--version');
const hasBoto = isInstalled('python3', '-c', 'import boto3');

beforeAll(async () => {
  const { surroundings } = stage;
  const allowed = { surroundings, authorizeKeyUse: () => undefined };
  const services = [
    createSqs({ ...allowed, endpoint: () => stage.endpoint }),
    createSns(allowed),
    createEvents({
      surroundings,
      assumeRole: () => {
        throw new Error('no target here has a role');
      },
    }),
    createLogs(surroundings),
  ];
  stage.services.push(...services);
  await stage.start();
});
afterAll(() => stage.stop());

if (!hasCli) console.info('The AWS CLI is not installed: its test stands aside.');
(hasCli ? test : test.skip)("AWS's command line works with the gateway", async () => {
  const aws = async (...args: readonly string[]): Promise<unknown> => {
    // Version 1 of the command line knows no AWS_ENDPOINT_URL for SQS.
    const endpoint = args[0] === 'sqs' ? ['--endpoint-url', stage.endpoint] : [];
    const { stdout } = await run('aws', [...args, ...endpoint, '--output', 'json'], {
      env: stage.environment(),
    });
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  };
  const { QueueUrl } = (await aws('sqs', 'create-queue', '--queue-name', 'cli')) as { QueueUrl: string };
  const attributes = { kind: { DataType: 'String', StringValue: 'x' } };
  await aws(
    ...['sqs', 'send-message', '--queue-url', QueueUrl, '--message-body', 'hello'],
    ...['--message-attributes', JSON.stringify(attributes)],
  );
  const received = await aws('sqs', 'receive-message', '--queue-url', QueueUrl, '--wait-time-seconds', '1');
  expect(received).toMatchObject({ Messages: [{ Body: 'hello' }] });

  const { TopicArn } = (await aws('sns', 'create-topic', '--name', 'cli')) as { TopicArn: string };
  expect(await aws('sns', 'publish', '--topic-arn', TopicArn, '--message', 'm')).toHaveProperty('MessageId');
  expect(await aws('sns', 'get-topic-attributes', '--topic-arn', TopicArn)).toMatchObject({
    Attributes: { TopicArn, Owner: '111122223333' },
  });

  const failure = aws(
    'sns',
    'create-platform-application',
    '--name',
    'p',
    '--platform',
    'GCM',
    '--attributes',
    'a=b',
  );
  await expect(failure).rejects.toMatchObject({
    stderr: expect.stringContaining(
      'The embedded cloud does not implement sns:CreatePlatformApplication.',
    ) as string,
  });
  const unknown = aws('iam', 'list-users');
  await expect(unknown).rejects.toMatchObject({
    stderr: expect.stringContaining('The embedded cloud does not implement iam:ListUsers.') as string,
  });
});

const script = `
import boto3, datetime, json
out = {}
events = boto3.client("events")
out["put"] = events.put_events(Entries=[{"Source": "app", "DetailType": "d", "Detail": "{}",
    "Time": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)}])["FailedEntryCount"]
out["bus"] = events.describe_event_bus()["CreationTime"].year > 2000
sns = boto3.client("sns")
topic = sns.create_topic(Name="boto", Attributes={"DisplayName": "B & <C>"}, Tags=[{"Key": "k", "Value": "v"}])["TopicArn"]
out["name"] = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"]
sqs = boto3.client("sqs")
url = sqs.create_queue(QueueName="boto")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
sns.publish(TopicArn=topic, Message="m", MessageAttributes={"b": {"DataType": "Binary", "BinaryValue": b"\\x00\\xff"}})
message = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])["Messages"][0]
out["message"] = [message["Body"], list(message["MessageAttributes"]["b"]["BinaryValue"])]
try:
    sqs.get_queue_url(QueueName="nowhere")
except sqs.exceptions.QueueDoesNotExist as error:
    out["error"] = error.response["Error"]["Code"]
logs = boto3.client("logs")
logs.create_log_group(logGroupName="g")
logs.create_log_stream(logGroupName="g", logStreamName="s")
logs.put_log_events(logGroupName="g", logStreamName="s", logEvents=[{"timestamp": 1, "message": "line"}])
out["line"] = logs.get_log_events(logGroupName="g", logStreamName="s")["events"][0]["message"]
print(json.dumps(out))
`;

if (!hasBoto) console.info('boto3 is not installed: its test stands aside.');
(hasBoto ? test : test.skip)('boto3 works with the endpoint alone', async () => {
  const { stdout } = await run('python3', ['-c', script], { env: stage.environment() });
  expect(JSON.parse(stdout)).toEqual({
    put: 0,
    bus: true,
    name: 'B & <C>',
    message: ['m', [0, 255]],
    error: 'AWS.SimpleQueueService.NonExistentQueue',
    line: 'line',
  });
});
