import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { consumerSource, detailTypes } from '../../domain/events';
import { executionName, secretNameOf } from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { DeployedStack } from '../../local/cloudformation/deploy-stack';
import type { Event } from '../../local/events/event';
import { Neighbours } from '../../local/neighbours';
import { findLeaks } from '../../local/rehearsal/leaks';
import { startPostgresTargets, type PostgresTargets } from '../../local/targets/postgres-target';
import type { RehearsalTarget } from '../../local/targets/target';
import { eventually } from './eventually';
import { PassingClock } from './passing-clock';
import { startRemoteOrders } from './remote-orders';
import {
  rotorAccount,
  rotorBusArn,
  sharedAdmin,
  sharedSecret,
  synthesiseRotorSide,
  synthesiseTeamSide,
  teamAccount,
} from './two-accounts-app';

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

const clock = new PassingClock();
let rotor: Cloud;
let team: Cloud;
let postgres: PostgresTargets;
let target: RehearsalTarget;
let folder: string;
let secretArn: string;
let stateMachineArn: string;
const closing: (() => unknown)[] = [];
const heard: { readonly in: 'rotor' | 'team'; readonly event: Event }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-accounts-'));
  const neighbours = new Neighbours();
  const listening = (where: 'rotor' | 'team') => (event: Event) => heard.push({ in: where, event });
  [postgres, rotor, team] = await Promise.all([
    startPostgresTargets({ log: 'ddl' }),
    startCloud({ neighbours, clock, account: rotorAccount, onEvent: listening('rotor') }),
    startCloud({ neighbours, account: teamAccount, onEvent: listening('team') }),
  ]);
  synthesiseRotorSide(path.join(folder, 'rotor'));
  const made = await rotor.deploy(path.join(folder, 'rotor'), async ({ type, physicalId }) => {
    if (type !== 'AWS::SecretsManager::Secret') return;
    if (secretNameOf(physicalId) === sharedAdmin) {
      target = await postgres.provision({ adminArn: physicalId });
      await write(physicalId, target.admin ?? '');
    } else await write(physicalId, target.secret);
  });
  ({ SecretArn: secretArn = '', StateMachineArn: stateMachineArn = '' } = outputsOf(made, 'Rotor'));
  synthesiseTeamSide(path.join(folder, 'team'), {
    secretArn,
    encryptionKeyArn: outputsOf(made, 'Rotor')['KeyArn'] ?? '',
  });
  const { QueueUrl: queueUrl = '', RoleArn: roleArn = '' } = outputsOf(
    await team.deploy(path.join(folder, 'team')),
    'Orders',
  );
  closing.push(
    startRemoteOrders({
      cloud: team,
      secretId: secretArn,
      queueUrl,
      roleArn,
      rotorBusArn,
      busRegion: team.region,
      prove: async (value) => (await target.login(JSON.stringify(value), 'orders')).close(),
    }),
  );
}, 400_000);
afterAll(async () => {
  for (const close of closing.reverse()) await close();
  await team.stop();
  await rotor.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

function outputsOf(stacks: ReadonlyMap<string, DeployedStack>, stack: string) {
  return stacks.get(stack)?.outputs ?? {};
}

async function write(SecretId: string, SecretString: string): Promise<void> {
  await rotor.call('secretsmanager', 'PutSecretValue', {
    SecretId,
    SecretString,
    ClientRequestToken: crypto.randomUUID(),
  });
}

const eventsIn = (where: 'rotor' | 'team', detailType: string) =>
  heard
    .filter((one) => one.in === where && one.event['detail-type'] === detailType)
    .map(({ event }) => event);

test('an application of another account takes part, and nobody answers for it from Rotor’s own', async () => {
  const token = crypto.randomUUID();
  await eventually('the test of the value in use ends', async () => {
    const { VersionIdsToStages: stages } = await rotor.call<{
      VersionIdsToStages: Record<string, string[]>;
    }>('secretsmanager', 'DescribeSecret', { SecretId: sharedSecret });
    return !Object.values(stages).some((labels) => labels.includes('AWSPENDING') && labels.length === 1);
  });
  await rotor.call('secretsmanager', 'RotateSecret', { SecretId: sharedSecret, ClientRequestToken: token });
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${executionName(secretArn, token, 1, 'rotate')}`;

  // Somebody in Rotor's account has seen the request to `payments` and answers in its name.
  const asked = () =>
    eventsIn('rotor', detailTypes.refreshRequested).find(({ detail }) => detail['consumer'] === 'payments');
  await eventually('payments is asked', () => Promise.resolve(asked() !== undefined));
  await rotor.call('eventbridge', 'PutEvents', {
    Entries: [
      {
        EventBusName: 'rotor',
        Source: consumerSource,
        DetailType: detailTypes.refreshAcknowledged,
        Detail: JSON.stringify({ ...asked()?.detail, outcome: 'loaded' }),
      },
    ],
  });
  const history = async () => JSON.stringify(await rotor.history(executionArn));
  // The answer in the name of `payments` reaches the workflow, and so does that of `orders`; then nobody has a word to say.
  await eventually('it is found out', async () => (await history()).includes('"Mismatch"'));
  await eventually('orders has answered', async () => (await history()).includes('"MapIterationSucceeded"'));
  await eventually('the rotation ends', async () => {
    clock.pass(1_000);
    const { status } = await rotor.call<{ status: string }>('sfn', 'DescribeExecution', { executionArn });
    return status !== 'RUNNING';
  });

  expect(eventsIn('rotor', detailTypes.failed)).toEqual([]);
  expect(eventsIn('rotor', detailTypes.succeeded)[0]?.detail).toMatchObject({
    versionId: token,
    consumers: expect.arrayContaining([
      expect.objectContaining({ name: 'orders', outcome: 'loaded' }),
      expect.objectContaining({ name: 'payments', outcome: 'silent' }),
    ]) as unknown,
  });
  // Requests left Rotor's account and say so; the answer that counted came from the application's own.
  const requests = eventsIn('team', detailTypes.refreshRequested);
  expect(new Set(requests.map(({ detail }) => detail['consumer']))).toEqual(new Set(['orders', 'payments']));
  expect(new Set(requests.map(({ account }) => account))).toEqual(new Set([rotorAccount]));
  expect(
    eventsIn('rotor', detailTypes.refreshAcknowledged).map(({ account, detail }) => [
      detail['consumer'],
      account,
    ]),
  ).toEqual(
    expect.arrayContaining([
      ['orders', teamAccount],
      ['payments', rotorAccount],
    ]),
  );
  expect(eventsIn('team', detailTypes.refreshAcknowledged)).toEqual([]);
  // Values stay in Secrets Manager, on both sides.
  const values = rotor.secretValues().flatMap((text) => target.sensitive(text));
  expect(values.length).toBeGreaterThan(2);
  expect(findLeaks(values, [...(await rotor.readables()), ...(await team.readables())])).toEqual([]);
}, 400_000);
