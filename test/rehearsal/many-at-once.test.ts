import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { escapeIdentifier } from 'pg';
import { secretNameOf } from '../../domain/names';
import { startCloud, type Cloud } from '../../local/cloud';
import type { RotationEvent } from '../../local/secrets-manager/rotation-driver';
import { startPostgresTargets, type PostgresTargets } from '../../local/targets/postgres-target';
import type { RehearsalTarget } from '../../local/targets/target';
import { eventually } from './eventually';
import { manyAdmin, manySecret, synthesiseMany } from './many-app';

const secrets = 12;
const reservedConcurrency = 10;
const names = Array.from({ length: secrets }, (_, index) => manySecret(index + 1));

/** CDK's own check of templates takes a second, and is made by the tests of the example. */
process.env['CDK_VALIDATION'] = 'false';

let cloud: Cloud;
let postgres: PostgresTargets;
let folder: string;
const heard: RotationEvent[] = [];
const credentials = new Map<string, RehearsalTarget>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'rotor-many-'));
  [postgres, cloud] = await Promise.all([
    startPostgresTargets({ log: 'ddl' }),
    startCloud({
      onRotation: (event) => heard.push(event),
      // AWS documents no pause between repeats; nobody needs to wait for ours.
      repeatPolicy: { attempts: 1000, delaysMs: [5000] },
    }),
  ]);
  synthesiseMany(folder, secrets, reservedConcurrency);
  await cloud.deploy(folder, async ({ type, physicalId }) => {
    if (type !== 'AWS::SecretsManager::Secret') return;
    const name = secretNameOf(physicalId);
    if (name === manyAdmin) await write(physicalId, await provisionAll(physicalId));
    else await write(physicalId, credentials.get(name)?.secret ?? '');
  });
  // Setting a schedule makes Secrets Manager test the value in use.
  await eventually('the tests of the values in use end', async () => {
    const pending = await Promise.all(names.map((name) => versionWith(name, 'AWSPENDING')));
    return pending.every((version) => version === undefined);
  });
  heard.length = 0;
}, 400_000);
afterAll(async () => {
  await cloud.stop();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a user for each secret, all of them changed by one admin; answers the admin's secret. */
async function provisionAll(adminArn: string): Promise<string> {
  let admin = '';
  for (const name of names) {
    const target = await postgres.provision({ adminArn });
    credentials.set(name, target);
    if (admin === '') admin = target.admin;
    else {
      const [user, grantee] = [target.secret, admin].map(userOf).map(escapeIdentifier);
      await postgres.asSuperuser(
        `grant ${user ?? ''} to ${grantee ?? ''} with admin true, inherit false, set false`,
      );
    }
  }
  return admin;
}

function userOf(text: string): string {
  return (JSON.parse(text) as { readonly username: string }).username;
}

async function write(SecretId: string, SecretString: string): Promise<void> {
  await cloud.call('secretsmanager', 'PutSecretValue', {
    SecretId,
    SecretString,
    ClientRequestToken: crypto.randomUUID(),
  });
}

async function versionWith(SecretId: string, label: string): Promise<string | undefined> {
  const { VersionIdsToStages: stages } = await cloud.call<{
    VersionIdsToStages: Readonly<Record<string, readonly string[]>>;
  }>('secretsmanager', 'DescribeSecret', { SecretId });
  return Object.entries(stages).find(([, labels]) => labels.includes(label))?.[0];
}

async function executions(): Promise<readonly string[]> {
  const { stateMachines } = await cloud.call<{ stateMachines: { stateMachineArn: string }[] }>(
    'sfn',
    'ListStateMachines',
    {},
  );
  const { executions: all } = await cloud.call<{ executions: { status: string; name: string }[] }>(
    'sfn',
    'ListExecutions',
    { stateMachineArn: stateMachines[0]?.stateMachineArn, maxResults: 1000 },
  );
  // Those of tests alone end with a letter before the attempt's number.
  return all.filter(({ name }) => !/-t\d$/.test(name)).map(({ status }) => status);
}

test(`${String(secrets)} secrets at once come to their end under a reserved concurrency of ${String(reservedConcurrency)}`, async () => {
  const tokens = await Promise.all(
    names.map(async (SecretId) => {
      const ClientRequestToken = crypto.randomUUID();
      await cloud.call('secretsmanager', 'RotateSecret', { SecretId, ClientRequestToken });
      return ClientRequestToken;
    }),
  );
  const startedAt = Date.now();
  const succeeded = () =>
    new Set(heard.filter(({ kind }) => kind === 'succeeded').map(({ secretName }) => secretName));
  await eventually('every rotation succeeds', () => Promise.resolve(succeeded().size === secrets), 400_000);
  await eventually('every workflow ends', async () => !(await executions()).includes('RUNNING'), 200_000);
  await cloud.idle();
  console.info(
    `${String(secrets)} rotations at once took ${String(Math.round((Date.now() - startedAt) / 1000))} s`,
  );

  // The cap was felt: otherwise this shows nothing.
  const throttled = heard.filter(
    (event) => event.kind === 'step-failed' && /TooManyRequests/.test(event.error.type),
  );
  expect(throttled.length).toBeGreaterThan(0);
  expect(await executions()).toEqual(Array.from({ length: secrets }, () => 'SUCCEEDED'));
  expect(await Promise.all(names.map((name) => versionWith(name, 'AWSCURRENT')))).toEqual(tokens);
  for (const name of names) {
    const target = credentials.get(name);
    const { SecretString } = await cloud.call<{ SecretString: string }>('secretsmanager', 'GetSecretValue', {
      SecretId: name,
    });
    const session = await target?.login(SecretString, 'check');
    await session?.work();
    await session?.close();
    expect(await target?.live()).toBe(1);
  }
  const alerts = (await cloud.readables()).filter(({ place }) => place.startsWith('topic '));
  expect(alerts).toEqual([]);
}, 700_000);
