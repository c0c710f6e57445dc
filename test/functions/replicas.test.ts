import { lambdaContext } from './lambda-environment';
import { startCloud, type Cloud } from '../../local/cloud';
import { VirtualClock } from '../../local/kernel/clock';
import { Neighbours } from '../../local/neighbours';
import { handler } from '../../functions/replicas';
import { pass } from '../local/gateway/stage';
import { collectLog } from './log-lines';

const ordinary = { ...process.env };
const there = 'eu-west-1';
const clock = new VirtualClock();
let primary: Cloud;
let replica: Cloud;
/** Whether changes reach the other region. */
let reached = true;
let secretArn: string;
let first: string;
const log = collectLog();

beforeAll(async () => {
  const neighbours = new Neighbours();
  primary = await startCloud({ neighbours, clock, replication: { reaches: () => reached } });
  replica = await startCloud({ neighbours, clock, region: there });
  const { operator } = primary;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: primary.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: operator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
  });
  ({ ARN: secretArn, VersionId: first } = await call<{ ARN: string; VersionId: string }>('CreateSecret', {
    Name: 'app',
    SecretString: 'first',
    ClientRequestToken: crypto.randomUUID(),
    AddReplicaRegions: [{ Region: there }],
  }));
  pass(clock, 300);
});
afterAll(async () => {
  log.restore();
  process.env = { ...ordinary };
  await primary.stop();
  await replica.stop();
});
beforeEach(() => (reached = true));

const call = <Answer extends object>(operation: string, input: object) =>
  primary.call<Answer>('secretsmanager', operation, { ...input });
const look = (versionId: string, regions = [there]) =>
  handler({ secretArn, versionId, regions }, lambdaContext('replicas'));

/** Moves AWSCURRENT to a new version, as a rotation does; answers its id. */
async function moveOn(): Promise<string> {
  const { VersionId } = await call<{ VersionId: string }>('PutSecretValue', {
    SecretId: secretArn,
    SecretString: crypto.randomUUID(),
    ClientRequestToken: crypto.randomUUID(),
  });
  return VersionId;
}

test('a region that has the version under AWSCURRENT and is in sync serves it', async () => {
  expect(await look(first)).toEqual({ waiting: [], failed: [] });
});

test('a region is waited for until both its label and the status of its replication have come', async () => {
  const second = await moveOn();
  expect(await look(second)).toEqual({ waiting: [there], failed: [] });
  pass(clock, 300);
  expect(await look(second)).toEqual({ waiting: [], failed: [] });
  // The label is in its place, and something else of the secret is on its way.
  await call('TagResource', { SecretId: secretArn, Tags: [{ Key: 'a', Value: 'b' }] });
  expect(await look(second)).toEqual({ waiting: [there], failed: [] });
  pass(clock, 300);
  // The version before is served no more.
  expect(await look(first)).toEqual({ waiting: [there], failed: [] });
});

test('a region that is out of reach does not serve the version', async () => {
  reached = false;
  const third = await moveOn();
  pass(clock, 60_000);
  expect(await look(third)).toEqual({ waiting: [there], failed: [] });
  reached = true;
  pass(clock, 300);
  expect(await look(third)).toEqual({ waiting: [], failed: [] });
});

test('a replication that failed is told with AWS’s reason, cut to what an alert holds', async () => {
  await replica.call('secretsmanager', 'StopReplicationToReplica', { SecretId: 'app' });
  const fourth = await moveOn();
  pass(clock, 300);
  expect(await look(fourth)).toEqual({
    waiting: [there],
    failed: [{ region: there, message: expect.stringMatching(/^Replication failed: .{1,240}$/) as string }],
  });
});

test('a region without a replica is nobody’s any more, and is not waited for', async () => {
  await call('RemoveRegionsFromReplication', { SecretId: secretArn, RemoveReplicaRegions: [there] });
  expect(await look(await moveOn())).toEqual({ waiting: [], failed: [] });
});

test('no value is read, and the log has ids alone', async () => {
  const read = [...primary.journal.entries, ...replica.journal.entries].filter(({ userAgent }) =>
    userAgent.includes('app/rotor'),
  );
  expect(new Set(read.map(({ operation }) => operation))).toEqual(new Set(['DescribeSecret']));
  for (const line of log.lines) expect(line).not.toMatch(/first/);
});
