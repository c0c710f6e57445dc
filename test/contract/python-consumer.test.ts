import type { Acknowledgement } from '../../domain/events';
import { consumerParameter } from '../../domain/names';
import { silence } from '../../local/rehearsal/progress';
import { startRehearsal, type Rehearsal } from '../../local/rehearsal/rehearsal';
import { changeParameter } from '../../local/rehearsal/seeding';
import { eventually } from '../rehearsal/eventually';
import { secretId } from '../rehearsal/staged-rehearsal';
import { publishedSchemas } from './published-schemas';
import { hasBoto, PythonProcess } from './python-process';
import { optionsOf } from '../rehearsal/options-of';

const isThere = hasBoto();
if (!isThere) console.info('boto3 is not installed: the tests of the Python consumer stand aside.');

let rehearsal: Rehearsal;
let python: PythonProcess;
/** It, and those before it. */
const processes: PythonProcess[] = [];
let queueUrl: string;
let arn: string;

/** The Python consumer takes the place of `billing`: its role, its queue, its name. */
async function startPython(settleSeconds: number): Promise<void> {
  const { journal } = rehearsal.cloud;
  const role = journal.entries.find(({ principalArn }) => principalArn.endsWith('/billing'))?.roleArn ?? '';
  const keys = rehearsal.cloud.assume(role, 'ecs-tasks.amazonaws.com', 'billing-python');
  python = new PythonProcess(rehearsal.endpoint, keys, {
    CONSUMER: 'billing',
    SECRET_ID: secretId,
    REFRESH_QUEUE_URL: queueUrl,
    SETTLE_SECONDS: String(settleSeconds),
    WAIT_SECONDS: '1',
    LOGIN_TIMEOUT_SECONDS: '60',
  });
  processes.push(python);
  await eventually('the consumer serves a version', async () => python.count('serving') === 1);
}

async function versionOf(label: string): Promise<string> {
  const { VersionId } = await rehearsal.cloud.call<{ VersionId: string }>(
    'secretsmanager',
    'GetSecretValue',
    {
      SecretId: secretId,
      VersionStage: label,
    },
  );
  return VersionId;
}

/** Puts a request of the test's own into the queue; nobody waits for its token. */
async function ask(taskToken: string | null, members: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const now = Date.now();
  const detail = {
    schemaVersion: '1',
    rotationId: 'by-hand',
    secret: { arn, name: secretId },
    versionId: await versionOf('AWSCURRENT'),
    previousVersionId: 'before',
    time: new Date(now).toISOString(),
    consumer: 'billing',
    phase: 'load',
    wave: 1,
    deadline: new Date(now + 900_000).toISOString(),
    taskToken,
    ...members,
  };
  await send(JSON.stringify({ 'detail-type': 'Secret Refresh Requested', source: 'rotor', detail }));
}

async function send(MessageBody: string): Promise<void> {
  await rehearsal.cloud.call('sqs', 'SendMessage', { QueueUrl: queueUrl, MessageBody });
}

/** An event, as far as it matters here. */
interface Heard {
  readonly 'detail-type': string;
  readonly detail: Partial<Acknowledgement>;
}

/** Every event that was put on the bus. */
async function events(): Promise<readonly Heard[]> {
  const readables = await rehearsal.cloud.readables();
  return readables
    .filter(({ place }) => place.startsWith('event Secret R'))
    .map(({ text }) => JSON.parse(text) as Heard);
}

async function answersTo(taskToken: string): Promise<readonly Partial<Acknowledgement>[]> {
  const all = await events();
  return all
    .filter((event) => event['detail-type'] === 'Secret Refresh Acknowledged')
    .map(({ detail }) => detail)
    .filter((detail) => detail.taskToken === taskToken);
}

async function answered(taskToken: string, outcome: string): Promise<Partial<Acknowledgement>> {
  let found: Partial<Acknowledgement> | undefined;
  await eventually(`${taskToken} is answered with ${outcome}`, async () => {
    found = (await answersTo(taskToken)).find((answer) => answer.outcome === outcome);
    return found !== undefined;
  });
  if (found === undefined) throw new Error('there is no answer');
  return found;
}

(isThere ? describe : describe.skip)('the Python consumer, in place of an application of a rehearsal', () => {
  beforeAll(async () => {
    // Its own answers are not heard; it queries on, and shows whether the credential works.
    const options = optionsOf('--rotator', 'postgres-alternating', '--silent', 'billing');
    rehearsal = await startRehearsal(options, silence, { quietSeconds: 0 });
    const { QueueUrls } = await rehearsal.cloud.call<{ QueueUrls: string[] }>('sqs', 'ListQueues', {});
    queueUrl = QueueUrls.find((url) => /billing/i.test(url) && !/dead/i.test(url)) ?? '';
    ({ ARN: arn } = await rehearsal.cloud.call<{ ARN: string }>('secretsmanager', 'DescribeSecret', {
      SecretId: secretId,
    }));
    // It is asked for half a minute, says that it works after twelve seconds, and has settled after fourteen.
    await changeParameter(rehearsal.cloud, consumerParameter(secretId, 'billing'), {
      deadlineSeconds: 60,
      reminders: 1,
    });
    await startPython(14);
  });

  afterAll(async () => {
    await python.kill();
    await rehearsal.stop();
  });

  test('proves a new version once, answers for it, and keeps the rotation waiting by its heartbeats', async () => {
    const report = await rehearsal.rotate();
    expect(report).toMatchObject({ outcome: 'rotated' });
    expect(report.consumers).toContainEqual(expect.objectContaining({ name: 'billing', outcome: 'loaded' }));
    expect(python.count('proved')).toBe(2);
    const said = (await events()).filter(({ detail }) => detail.consumer === 'billing');
    // It settles for longer than until the first heartbeat is due, and is not reminded.
    const words = said.map((event) => event.detail.outcome ?? event['detail-type']);
    const isRepeated = (word: string, index: number) => word === 'working' && words[index - 1] === word;
    expect(words.filter((word, index) => !isRepeated(word, index))).toEqual([
      'Secret Refresh Requested',
      'working',
      'loaded',
    ]);
  });

  test('answers a reminder and a second delivery without proving anything again', async () => {
    await python.terminate();
    await startPython(1);
    const before = python.count('proved');
    await ask('reminder');
    await ask('reminder');
    const { versionId } = await answered('reminder', 'loaded');
    expect(versionId).toBe(await versionOf('AWSCURRENT'));
    await ask('last');
    await answered('last', 'loaded');
    expect(await answersTo('reminder')).toHaveLength(1);
    expect(python.count('proved')).toBe(before);
  });

  test('loads where no answer is wanted, and leaves what is not for it to the dead-letter queue', async () => {
    await ask(null, { deadline: null });
    await ask('foreign', { consumer: 'orders' });
    await ask('other-secret', { secret: { arn: `${arn}x`, name: secretId } });
    await send('{"detail-type":"Secret Rotation Started"}');
    await eventually('three are refused', async () => python.count('request-failed') >= 3);
    await ask('behind');
    await answered('behind', 'loaded');
    expect([...(await answersTo('foreign')), ...(await answersTo('other-secret'))]).toEqual([]);
  });

  test('refuses a version that it cannot log in with, and says why without a secret value', async () => {
    const { SecretString, VersionId } = await rehearsal.cloud.call<{
      SecretString: string;
      VersionId: string;
    }>('secretsmanager', 'GetSecretValue', { SecretId: secretId });
    const wrong = { ...(JSON.parse(SecretString) as object), password: 'the-wrong-password' };
    const put = (text: string) =>
      rehearsal.cloud.call<{ VersionId: string }>('secretsmanager', 'PutSecretValue', {
        SecretId: secretId,
        SecretString: text,
        ClientRequestToken: crypto.randomUUID(),
      });
    const { VersionId: refused } = await put(JSON.stringify(wrong));
    await ask('wrong');
    const { versionId, reason } = await answered('wrong', 'refused');
    expect(versionId).toBe(refused);
    expect(reason).toMatch(/^LoginFailed: 28P01 password authentication failed for user "/);
    await rehearsal.cloud.call('secretsmanager', 'UpdateSecretVersionStage', {
      SecretId: secretId,
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: VersionId,
      RemoveFromVersionId: refused,
    });
    await ask('mended');
    expect(await answered('mended', 'loaded')).toMatchObject({ versionId: VersionId });
  });

  test('verifies a version before AWSCURRENT names it, and works on with the one it has', async () => {
    const { SecretString } = await rehearsal.cloud.call<{ SecretString: string }>(
      'secretsmanager',
      'GetSecretValue',
      { SecretId: secretId },
    );
    const { VersionId: pending } = await rehearsal.cloud.call<{ VersionId: string }>(
      'secretsmanager',
      'PutSecretValue',
      {
        SecretId: secretId,
        SecretString,
        VersionStages: ['AWSPENDING'],
        ClientRequestToken: crypto.randomUUID(),
      },
    );
    const serving = python.count('serving');
    await ask('verify', { phase: 'verify', versionId: pending });
    expect(await answered('verify', 'loaded')).toMatchObject({ versionId: pending });
    expect(python.count('serving')).toBe(serving);
  });

  test('ends at once when asked to, and gives back what it was working on', async () => {
    await python.terminate();
    await startPython(600);
    await ask('unfinished', { rotationId: 'another' });
    await eventually('the request is taken', async () => {
      const { Attributes } = await rehearsal.cloud.call<{ Attributes: Record<string, string> }>(
        'sqs',
        'GetQueueAttributes',
        { QueueUrl: queueUrl, AttributeNames: ['ApproximateNumberOfMessages'] },
      );
      return Attributes['ApproximateNumberOfMessages'] === '0';
    });
    const begun = Date.now();
    expect(await python.terminate()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(120_000);
    expect(python.lines.at(-1)).toBe('{"event": "stopped"}');
    expect(await answersTo('unfinished')).toEqual([]);
    await startPython(1);
    await answered('unfinished', 'loaded');
    expect(await python.terminate()).toBe(0);
    expect(python.lines.at(-1)).toBe('{"event": "stopped"}');
  });

  test('all events of the rehearsal, its answers among them, keep to the published JSON Schemas', async () => {
    const schemas = publishedSchemas();
    const all = await events();
    expect(new Set(all.map((event) => event['detail-type'])).size).toBeGreaterThanOrEqual(4);
    expect(all.flatMap((event) => schemas.faults(event))).toEqual([]);
  });

  test('no secret value and no task token is in what it says', async () => {
    expect(await rehearsal.leaks()).toEqual([]);
    const said = processes.flatMap(({ lines }) => lines).join('\n');
    const values = rehearsal.cloud.secretValues().flatMap((text) => rehearsal.target.sensitive(text));
    expect(values.filter((value) => said.includes(value))).toEqual([]);
    expect(said).not.toContain('unfinished');
  });
});
