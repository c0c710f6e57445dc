import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { detailTypes } from '../../domain/events';
import { executionName } from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { Neighbours } from '../../local/neighbours';
import { eventually } from './eventually';
import { startRemoteOrders } from './remote-orders';
import {
  farRegion,
  replicatedSecret,
  rotorBusArn,
  synthesiseFarRegion,
  synthesiseRotorRegion,
} from './two-regions-app';

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

let rotor: Cloud;
let far: Cloud;
let folder: string;
let secretArn: string;
let stateMachineArn: string;
/** Whether changes of the secret reach the other region. */
let reached = true;
const closing: (() => unknown)[] = [];
const heard: { readonly in: 'rotor' | 'far'; readonly event: Event }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-regions-'));
  const neighbours = new Neighbours();
  rotor = await startCloud({
    neighbours,
    replication: { delayMs: 100, reaches: () => reached },
    onEvent: (event) => heard.push({ in: 'rotor', event }),
  });
  far = await startCloud({
    neighbours,
    region: farRegion,
    onEvent: (event) => heard.push({ in: 'far', event }),
  });
  synthesiseRotorRegion(path.join(folder, 'rotor'));
  const { outputs = {} } = (await rotor.deploy(path.join(folder, 'rotor'))).get('Rotor') ?? {};
  ({ SecretArn: secretArn = '', StateMachineArn: stateMachineArn = '' } = outputs);
  const replicaArn = secretArn.replace(rotor.region, farRegion);
  synthesiseFarRegion(path.join(folder, 'far'), replicaArn);
  const { outputs: there = {} } = (await far.deploy(path.join(folder, 'far'))).get('Orders') ?? {};
  // It reads the replica there, and answers to Rotor's region.
  closing.push(
    startRemoteOrders({
      cloud: far,
      secretId: replicaArn,
      queueUrl: there['QueueUrl'] ?? '',
      roleArn: there['RoleArn'] ?? '',
      rotorBusArn,
      busRegion: rotor.region,
    }),
  );
}, 400_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await far.stop();
  await rotor.stop();
  await rm(folder, { recursive: true, force: true });
});

const eventsIn = (where: 'rotor' | 'far', detailType: string) =>
  heard
    .filter((one) => one.in === where && one.event['detail-type'] === detailType)
    .map(({ event }) => event);
const describeIn = (cloud: Cloud) =>
  cloud.call<{ VersionIdsToStages: Record<string, string[]>; ReplicationStatus?: { Status: string }[] }>(
    'secretsmanager',
    'DescribeSecret',
    { SecretId: replicatedSecret },
  );
const currentIn = async (cloud: Cloud) =>
  Object.entries((await describeIn(cloud)).VersionIdsToStages).find(([, labels]) =>
    labels.includes('AWSCURRENT'),
  )?.[0];

test('nobody is asked before the other region serves the new version, and the answer comes from there', async () => {
  await eventually('the test of the value in use ends, and its replica is in sync', async () => {
    const { VersionIdsToStages: stages, ReplicationStatus: replicas = [] } = await describeIn(rotor);
    const pending = Object.values(stages).some(
      (labels) => labels.includes('AWSPENDING') && labels.length === 1,
    );
    return !pending && replicas[0]?.Status === 'InSync';
  });
  reached = false;
  const token = crypto.randomUUID();
  await rotor.call('secretsmanager', 'RotateSecret', {
    SecretId: replicatedSecret,
    ClientRequestToken: token,
  });
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(secretArn, token, 1, 'rotate')}`;
  const visited = async () => JSON.stringify(await rotor.history(executionArn).catch(() => []));
  await eventually('the workflow waits for the replica', async () =>
    (await visited()).includes('"WaitForReplicas"'),
  );
  // AWSCURRENT has moved here and not there, and nobody knows of it yet.
  expect([await currentIn(rotor), await currentIn(far)]).toEqual([token, expect.not.stringContaining(token)]);
  expect(eventsIn('rotor', detailTypes.refreshRequested)).toEqual([]);

  reached = true;
  await eventually('the rotation ends', async () => {
    const { status } = await rotor.call<{ status: string }>('sfn', 'DescribeExecution', { executionArn });
    return status !== 'RUNNING';
  });
  expect(eventsIn('rotor', detailTypes.failed)).toEqual([]);
  expect(eventsIn('rotor', detailTypes.succeeded)[0]?.detail).toMatchObject({
    versionId: token,
    consumers: [{ name: 'orders', outcome: 'loaded', reminders: 0 }],
  });
  // It came from Rotor's region and was answered to it, by what the replica served.
  expect(eventsIn('far', detailTypes.refreshRequested)).toMatchObject([{ region: rotor.region }]);
  expect(eventsIn('rotor', detailTypes.refreshAcknowledged).at(-1)).toMatchObject({
    account: rotor.account,
    detail: { outcome: 'loaded', versionId: token },
  });
  expect(await currentIn(far)).toBe(token);
  const values = rotor.journal.entries.filter(
    ({ operation, roleArn = '' }) => operation === 'GetSecretValue' && roleArn.includes('Orders'),
  );
  expect(values).toEqual([]);
}, 400_000);
