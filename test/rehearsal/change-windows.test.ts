import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  consumerParameter,
  executionName,
  groupTurns,
  heldLabel,
  secretNameOf,
  secretPolicyParameter,
} from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { RotationEvent } from '../../local/secrets-manager/rotation-driver';
import { startPostgresTargets, type PostgresTargets } from '../../local/targets/postgres-target';
import { calendarText, event, written } from '../local/ssm/calendar-text';
import { calendar, distanceSeconds, members, single, synthesiseWindows, waiting } from './change-windows-app';
import { eventually } from './eventually';
import { Intervention } from './intervention';

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

/** An execution as Step Functions describes it. */
interface Execution {
  readonly status: string;
  readonly startDate: Date;
  readonly stopDate?: Date;
}

let cloud: Cloud;
let postgres: PostgresTargets;
let folder: string;
const heard: RotationEvent[] = [];
const intervention = new Intervention();
const arns = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-windows-'));
  [postgres, cloud] = await Promise.all([
    startPostgresTargets({ log: 'ddl' }),
    startCloud({
      onRotation: (rotation) => heard.push(rotation),
      observers: [intervention],
      // AWS documents no pause between repeats; nobody needs to wait for ours.
      repeatPolicy: { attempts: 10_000, delaysMs: [300] },
    }),
  ]);
  synthesiseWindows(folder);
  await cloud.deploy(folder, async ({ type, physicalId }) => {
    if (type !== 'AWS::SecretsManager::Secret') return;
    arns.set(secretNameOf(physicalId), physicalId);
    if (secretNameOf(physicalId) !== single) return;
    await cloud.call('secretsmanager', 'PutSecretValue', {
      SecretId: physicalId,
      SecretString: (await postgres.provision()).secret,
      ClientRequestToken: crypto.randomUUID(),
    });
  });
  await eventually('the tests of the values in use end', async () => {
    const labels = await Promise.all([...arns.keys()].map(labelsOf));
    return labels.every((stages) => !stages.includes('AWSPENDING'));
  });
  heard.length = 0;
}, 400_000);
afterAll(async () => {
  await cloud.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

async function labelsOf(SecretId: string): Promise<readonly string[]> {
  const { VersionIdsToStages: stages } = await cloud.call<{
    VersionIdsToStages: Readonly<Record<string, readonly string[]>>;
  }>('secretsmanager', 'DescribeSecret', { SecretId });
  return Object.values(stages).flat();
}

/** Asks for a rotation; answers the name that its first execution has. */
async function rotate(SecretId: string): Promise<string> {
  const ClientRequestToken = crypto.randomUUID();
  await cloud.call('secretsmanager', 'RotateSecret', { SecretId, ClientRequestToken });
  return executionName(arns.get(SecretId) ?? '', ClientRequestToken, 1, 'rotate');
}

/** Undefined where there is none. */
async function execution(name: string): Promise<Execution | undefined> {
  return cloud
    .call<Execution>('sfn', 'DescribeExecution', { executionArn: executionArn(name) })
    .catch(() => undefined);
}

function executionArn(name: string): string {
  return `arn:aws:states:${cloud.region}:${cloud.account}:execution:rotor-rotation:${name}`;
}

async function ended(name: string): Promise<Execution> {
  await eventually(`execution ${name} ends`, async () => (await execution(name))?.stopDate !== undefined);
  const found = await execution(name);
  if (found === undefined) throw new Error(`execution ${name} is gone`);
  return found;
}

/** What createSecret answered about a secret, when it failed. */
function refusals(secretName: string, error: string): readonly string[] {
  return heard.flatMap((told) =>
    told.kind === 'step-failed' && told.secretName === secretName && told.error.type === error
      ? [`${told.step}: ${told.error.message}`]
      : [],
  );
}

async function refusedWith(secretName: string, error: string): Promise<string> {
  await eventually(`${secretName} is refused with ${error}`, () =>
    Promise.resolve(refusals(secretName, error).length > 0),
  );
  return refusals(secretName, error)[0] ?? '';
}

/** Closes the calendar, in place of the one that there may be. */
async function setCalendar(closedUntil: number): Promise<void> {
  await cloud.call('ssm', 'DeleteDocument', { Name: calendar }).catch(() => undefined);
  await cloud.call('ssm', 'CreateDocument', {
    Name: calendar,
    DocumentType: 'ChangeCalendar',
    DocumentFormat: 'TEXT',
    Content: calendarText('DEFAULT_OPEN', event('20260101T000000Z', written(closedUntil))),
  });
}

test('a rotation waits for its change calendar, and Secrets Manager’s repeat succeeds once it is open', async () => {
  const name = await rotate(waiting);
  expect(await refusedWith(waiting, 'ChangeCalendarUnreadable')).toBe(
    'createSecret: change calendars freeze cannot be asked: InvalidDocument',
  );
  await setCalendar(Date.UTC(2100, 0, 1));
  expect(await refusedWith(waiting, 'ChangeCalendarClosed')).toContain(
    'the next change is at 2100-01-01T00:00:00Z',
  );
  expect(await execution(name)).toBeUndefined();
  const opensAt = Math.ceil(Date.now() / 1000) * 1000 + 1000;
  await setCalendar(opensAt);

  const { status, startDate } = await ended(name);

  expect(status).toBe('SUCCEEDED');
  expect(startDate.getTime()).toBeGreaterThanOrEqual(opensAt);
});

test('a compromised credential waits for no calendar', async () => {
  await setCalendar(Date.UTC(2100, 0, 1));
  const policy = { rotator: 'generated', changeCalendars: [calendar], urgency: 'compromised' };
  await cloud.call('ssm', 'PutParameter', {
    Name: secretPolicyParameter(waiting),
    Value: JSON.stringify(policy),
    Type: 'String',
    Overwrite: true,
  });
  heard.length = 0;
  expect((await ended(await rotate(waiting))).status).toBe('SUCCEEDED');
  expect(heard.filter(({ kind }) => kind === 'step-failed')).toEqual([]);
});

test('two members of a group that are asked at the same moment rotate one after the other, with the distance', async () => {
  const busy = () => members.flatMap((member) => refusals(member, 'GroupBusy'));
  // Whoever comes first does not end before the other one has come.
  intervention.onceBefore('Plan', () =>
    eventually('the other one is refused', () => Promise.resolve(busy().length > 0)),
  );
  const names = await Promise.all(members.map(rotate));
  const [first, second] = (await Promise.all(names.map(ended))).sort(
    (a, b) => a.startDate.getTime() - b.startDate.getTime(),
  );
  expect([first?.status, second?.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect((second?.startDate.getTime() ?? 0) - (first?.stopDate?.getTime() ?? 0)).toBeGreaterThanOrEqual(
    distanceSeconds * 1000,
  );
  expect(busy().some((message) => /createSecret: group windows: /.test(message))).toBe(true);
  const { Parameters } = await cloud.call<{ Parameters: { Name: string; Value: string }[] }>(
    'ssm',
    'GetParametersByPath',
    { Path: groupTurns('windows') },
  );
  expect(Parameters.map(({ Name }) => Name)).toEqual(
    [1, 2].map((turn) => `/rotor/groups/windows/turns/${turn}`),
  );
  for (const { Value } of Parameters)
    expect(names).toContain((JSON.parse(Value) as { execution: string }).execution);
});

test('without overlap no rotation begins while the last one waits for an application, and the repeat does once it has ended', async () => {
  const Name = consumerParameter(single, 'silent');
  await cloud.call('ssm', 'PutParameter', { Name, Value: '{"reminders":0}', Type: 'String' });
  const first = await rotate(single);
  await eventually('AWSCURRENT has moved', () =>
    Promise.resolve(heard.some(({ kind, secretName }) => kind === 'succeeded' && secretName === single)),
  );
  await cloud.call('ssm', 'DeleteParameter', { Name });

  const second = await rotate(single);

  expect(await refusedWith(single, 'LastRotationOpen')).toContain(`execution ${first}`);
  expect((await execution(first))?.status).toBe('RUNNING');
  expect(await execution(second)).toBeUndefined();
  // No label would have told anybody.
  expect(await labelsOf(single)).not.toContain(heldLabel);

  await cloud.call('sfn', 'StopExecution', { executionArn: executionArn(first) });
  expect((await ended(second)).status).toBe('SUCCEEDED');
});
