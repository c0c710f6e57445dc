import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { listenOnQueue, RefreshResponder, RotatingSecret } from '../../client';
import { detailTypes } from '../../domain/events';
import { executionName } from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { clientPorts } from '../../local/rehearsal/client-ports';
import { functionsByRole } from '../../local/rehearsal/count-calls';
import { decideBy, holdAlerts } from '../../local/rehearsal/hold';
import { findLeaks } from '../../local/rehearsal/leaks';
import { eventually } from './eventually';
import { followed, rotated, synthesiseFollow, uses, type Consumer } from './follow-app';

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

let cloud: Cloud;
let folder: string;
const heard: Event[] = [];
const stopping: (() => Promise<void>)[] = [];
/** Who refuses what it is asked to load. */
const refusing = new Set<Consumer>();
/** The versions that each application serves, in the order in which it loaded them. */
const served: Record<Consumer, string[]> = { orders: [], billing: [], hooks: [] };

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-follow-'));
  synthesiseFollow(folder);
  cloud = await startCloud({ onEvent: (event) => heard.push(event) });
  const stacks = await cloud.deploy(folder);
  const outputs = stacks.get('Secrets')?.outputs ?? {};
  for (const { consumer, secretName } of uses)
    await startApplication(
      consumer,
      secretName,
      outputs[`${consumer}RoleArn`] ?? '',
      outputs[`${consumer}QueueUrl`] ?? '',
    );
  // Setting a schedule makes Secrets Manager test the value in use.
  await eventually('the test of the value in use ends', async () => {
    const { VersionIdsToStages: stages } = await describeSecret(rotated);
    return !Object.values(stages).flat().includes('AWSPENDING');
  });
}, 400_000);
afterAll(async () => {
  for (const stop of stopping) await stop();
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
});

/** An application on the real client, with the role that its stack gives it. */
async function startApplication(
  consumer: Consumer,
  secretId: string,
  roleArn: string,
  queueUrl: string,
): Promise<void> {
  const credentials = cloud.assume(roleArn, 'ecs-tasks.amazonaws.com', consumer);
  const ports = clientPorts({ endpoint: cloud.endpoint, region: cloud.region, credentials });
  const secret = RotatingSecret.json({
    secretId,
    maxAgeSeconds: 60,
    secretsManager: ports.secretsManager,
    prove: () => (refusing.has(consumer) ? Promise.reject(new Error('not this one')) : Promise.resolve()),
  });
  served[consumer].push((await secret.get()).versionId);
  const responder = new RefreshResponder({
    consumer,
    secret,
    instances: 'one',
    eventBridge: ports.eventBridge,
  });
  const listener = listenOnQueue({
    queueUrl,
    waitSeconds: 1,
    responder: {
      handleRefreshRequest: async (event) => {
        const answered = await responder.handleRefreshRequest(event);
        served[consumer].push((await secret.get()).versionId);
        return answered;
      },
    },
    sqs: ports.sqs,
  });
  stopping.push(async () => {
    await listener.stop();
    ports.destroy();
  });
}

/** Writes a new value, as a partner or a person does; answers the version's id. */
async function write(SecretId: string): Promise<string> {
  const { VersionId } = await cloud.call<{ VersionId: string }>('secretsmanager', 'PutSecretValue', {
    SecretId,
    SecretString: JSON.stringify({ value: `by hand ${crypto.randomUUID()}` }),
    ClientRequestToken: crypto.randomUUID(),
  });
  return VersionId;
}

async function describeSecret(SecretId: string) {
  return cloud.call<{ ARN: string; VersionIdsToStages: Readonly<Record<string, readonly string[]>> }>(
    'secretsmanager',
    'DescribeSecret',
    { SecretId },
  );
}

/** The events of one kind about one version, as Rotor put them on its bus. */
function eventsAbout(versionId: string, detailType: string): readonly Event[] {
  return heard.filter(
    (event) => event['detail-type'] === detailType && event.detail['versionId'] === versionId,
  );
}

async function endOf(versionId: string, detailType: string): Promise<Readonly<Record<string, unknown>>> {
  await eventually(
    `${detailType} about ${versionId}`,
    async () => eventsAbout(versionId, detailType).length > 0,
  );
  return eventsAbout(versionId, detailType)[0]?.detail ?? {};
}

/** Names of the executions that follow something, oldest first. */
async function followings(): Promise<readonly string[]> {
  const { stateMachines } = await cloud.call<{ stateMachines: { stateMachineArn: string }[] }>(
    'sfn',
    'ListStateMachines',
    {},
  );
  const { executions } = await cloud.call<{ executions: { name: string }[] }>('sfn', 'ListExecutions', {
    stateMachineArn: stateMachines[0]?.stateMachineArn,
  });
  return executions.map(({ name }) => name).filter((name) => name.endsWith('-f'));
}

/** What the function `follow` has said about moves to a version. */
async function outcomes(versionId: string): Promise<readonly string[]> {
  const logs = (await cloud.readables()).filter(({ place }) =>
    place.startsWith('log /aws/lambda/rotor-follow'),
  );
  return logs.flatMap(({ text }) =>
    text
      .split('\n')
      .filter((line) => line.includes('AWSCURRENT has moved') && line.includes(versionId))
      .map((line) => String((JSON.parse(line.slice(line.indexOf('{'))) as { outcome: unknown }).outcome)),
  );
}

/** Waits until so many moves to a version were judged, and answers how. */
async function judged(versionId: string, count: number): Promise<readonly string[]> {
  await eventually(`${String(count)} moves to ${versionId} are judged`, async () => {
    return (await outcomes(versionId)).length >= count;
  });
  return outcomes(versionId);
}

/** The version that an application serves in the end: it answers, and notes a moment later what it serves. */
async function expectServed(consumer: Consumer, versionId: string): Promise<void> {
  await eventually(`${consumer} serves ${versionId}`, () =>
    Promise.resolve(served[consumer].at(-1) === versionId),
  );
}

const outcomesOf = (detail: Readonly<Record<string, unknown>>) =>
  (detail['consumers'] as { name: string; outcome: string }[]).map(
    ({ name, outcome }) => `${name} ${outcome}`,
  );

test('a value that somebody writes is loaded by every application, wave by wave, and reported', async () => {
  const calls = cloud.journal.entries.length;
  const versionId = await write(followed);
  const report = await endOf(versionId, detailTypes.succeeded);
  expect(report).toMatchObject({ rotator: 'none', gapMs: null, decisions: [] });
  expect(outcomesOf(report)).toEqual(['orders loaded', 'billing loaded']);
  await expectServed('orders', versionId);
  await expectServed('billing', versionId);
  expect(eventsAbout(versionId, detailTypes.started)).toHaveLength(1);
  expect(await followings()).toHaveLength(1);

  // Rotor has looked at labels, read no value, moved nothing, and raised no alert.
  const functions = await functionsByRole(cloud);
  const made = cloud.journal.entries
    .slice(calls)
    .filter(({ service, roleArn }) => service === 'secretsmanager' && functions.has(roleArn ?? ''));
  expect(made.map(({ roleArn, operation }) => `${functions.get(roleArn ?? '') ?? ''} ${operation}`)).toEqual([
    'follow DescribeSecret',
  ]);
  expect(cloud.mails).toEqual([]);
});

test('an application that refuses holds it, with an alert; accepted, it ends, and nothing was stopped', async () => {
  refusing.add('billing');
  const versionId = await write(followed);
  await endOf(versionId, detailTypes.held);
  const executionArn = await executionAbout(versionId);
  await eventually('the operator hears', async () => holdAlerts(cloud.mails, executionArn).length > 0);
  const [alert = ''] = holdAlerts(cloud.mails, executionArn);
  expect(alert).toContain('\nError:      ConsumerRefused\n');
  expect(alert).toContain('which something else than Rotor has put in use');
  expect(eventsAbout(versionId, detailTypes.held)[0]?.detail['choices']).toEqual(['resume', 'accept']);
  await decideBy(cloud, alert, 'accept', []);
  const report = await endOf(versionId, detailTypes.succeeded);
  expect(outcomesOf(report)).toEqual(['orders loaded', 'billing skipped']);
  expect(report).toMatchObject({ decisions: [{ decision: 'accept' }] });
  refusing.clear();
});

test('a version that is put back in use is followed once more', async () => {
  const { VersionIdsToStages: stages } = await describeSecret(followed);
  const versionWith = (label: string) => Object.keys(stages).find((id) => stages[id]?.includes(label)) ?? '';
  const [current, previous] = [versionWith('AWSCURRENT'), versionWith('AWSPREVIOUS')];
  const before = eventsAbout(previous, detailTypes.succeeded).length;
  await cloud.call('secretsmanager', 'UpdateSecretVersionStage', {
    SecretId: followed,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: previous,
    RemoveFromVersionId: current,
  });
  await eventually(
    'it is followed',
    async () => eventsAbout(previous, detailTypes.succeeded).length > before,
  );
  await expectServed('orders', previous);
  await expectServed('billing', previous);
});

describe('a secret that Rotor rotates', () => {
  /** Rotates, and waits for the workflow's end; answers the rotation's version and the one before. */
  async function rotate(ending: string): Promise<{ readonly token: string; readonly before: string }> {
    const { VersionIdsToStages: stages } = await describeSecret(rotated);
    const before = Object.keys(stages).find((id) => stages[id]?.includes('AWSCURRENT')) ?? '';
    const token = crypto.randomUUID();
    await cloud.call('secretsmanager', 'RotateSecret', { SecretId: rotated, ClientRequestToken: token });
    await endOf(token, ending);
    return { token, before };
  }

  test('starts nothing that follows: it asks its applications itself', async () => {
    const before = await followings();
    const { token } = await rotate(detailTypes.succeeded);
    expect(await judged(token, 1)).toEqual(['by Rotor']);
    await expectServed('hooks', token);
    expect(await followings()).toEqual(before);
  });

  test('starts nothing that follows when it goes back, also to a version that a person has written', async () => {
    const byHand = await write(rotated);
    await endOf(byHand, detailTypes.succeeded);
    expect(await judged(byHand, 1)).toEqual(['followed']);
    const before = await followings();
    refusing.add('hooks');
    const rotation = rotate(detailTypes.failed);
    // Whoever has refused the new version can load the old one all the same.
    await eventually('it is asked to come back', async () =>
      heard.some(
        ({ 'detail-type': kind, detail }) =>
          kind === detailTypes.refreshAcknowledged &&
          detail['outcome'] === 'refused' &&
          detail['consumer'] === 'hooks',
      ),
    );
    refusing.clear();
    const { token } = await rotation;
    const { VersionIdsToStages: stages } = await describeSecret(rotated);
    expect(stages[byHand]).toContain('AWSCURRENT');
    expect(await judged(token, 1)).toEqual([expect.stringMatching(/^(by Rotor|moved on)$/)]);
    // Each of them stands in the log of the function's instance that judged.
    expect((await judged(byHand, 2)).toSorted()).toEqual(['by Rotor', 'followed']);
    expect(await followings()).toEqual(before);
  });

  test('starts nothing that follows when it is only tested', async () => {
    const before = await followings();
    const moves = heard.filter(({ source }) => source === 'aws.secretsmanager').length;
    const { ARN } = await describeSecret(rotated);
    const token = crypto.randomUUID();
    await cloud.call('secretsmanager', 'RotateSecret', {
      SecretId: rotated,
      ClientRequestToken: token,
      RotateImmediately: false,
    });
    const name = executionName(ARN, token, 1, 'test');
    await eventually('the test has ended', async () => (await statusOf(name)) === 'SUCCEEDED');
    await cloud.idle();
    expect(heard.filter(({ source }) => source === 'aws.secretsmanager')).toHaveLength(moves);
    expect(await followings()).toEqual(before);
  });

  test('is followed when a person writes a value by hand', async () => {
    const versionId = await write(rotated);
    expect(outcomesOf(await endOf(versionId, detailTypes.succeeded))).toEqual(['hooks loaded']);
    await expectServed('hooks', versionId);
  });
});

test('no value stands where it may not', async () => {
  const values = cloud.secretValues().map((text) => String((JSON.parse(text) as { value: unknown }).value));
  expect(values.length).toBeGreaterThan(6);
  expect(findLeaks(values, await cloud.readables())).toEqual([]);
});

async function statusOf(name: string): Promise<string | undefined> {
  const executionArn = `arn:aws:states:${cloud.region}:${cloud.account}:execution:rotor-rotation:${name}`;
  const { status } = await cloud
    .call<{ status?: string }>('sfn', 'DescribeExecution', { executionArn })
    .catch((): { status?: string } => ({}));
  return status;
}

async function executionAbout(versionId: string): Promise<string> {
  const name = (await followings()).find((each) => each.includes(versionId)) ?? '';
  return `arn:aws:states:${cloud.region}:${cloud.account}:execution:rotor-rotation:${name}`;
}
