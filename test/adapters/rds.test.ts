import { RDSClient } from '@aws-sdk/client-rds';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Adapter } from '../../adapters/adapter';
import { parseSettings } from '../../adapters/environment';
import { failureOf } from '../../adapters/failures';
import { openRds } from '../../adapters/rds/adapter';
import { rdsDefinition } from '../../adapters/rds/definition';
import { VirtualClock } from '../../local/kernel/clock';
import type { ProxyStore, TargetHealth } from '../../local/rds/proxy-store';
import { createRelationalDatabases } from '../../local/rds/service';
import { createSecretsManager } from '../../local/secrets-manager/service';
import { pass } from '../client/virtual-time';
import { rolledOut } from './contract';
import { type GrantedWorld, startGrantedWorld } from './granted-world';

const signal = new AbortController().signal;
const held = 'pw-7391-held-by-the-secret';
const available: TargetHealth = { State: 'AVAILABLE' };

let clock: VirtualClock;
let world: GrantedWorld;
let proxies: ProxyStore;
let secret: { readonly arn: string; readonly name: string };
let versionId: string;
let clients: { readonly rds: RDSClient; readonly secrets: SecretsManagerClient };

beforeEach(async () => {
  clock = new VirtualClock();
  world = await startGrantedWorld(clock, (surroundings) => {
    const databases = createRelationalDatabases(surroundings);
    proxies = databases.proxies;
    return [databases, createSecretsManager(surroundings)];
  });
  const made = (await world.call('secretsmanager', 'CreateSecret', {
    Name: 'shop/db',
    SecretString: held,
    ClientRequestToken: '11111111-1111-4111-8111-111111111111',
  })) as { ARN: string; VersionId: string };
  secret = { arn: made.ARN, name: 'shop/db' };
  versionId = made.VersionId;
  const options = world.grant([
    ...rdsDefinition.grants(),
    // As the role of every adapter's function may.
    { actions: ['secretsmanager:DescribeSecret'], resources: [secret.arn] },
  ]);
  clients = { rds: new RDSClient(options), secrets: new SecretsManagerClient(options) };
  putProxy();
});
afterEach(async () => {
  clients.rds.destroy();
  clients.secrets.destroy();
  await world.stop();
});

function putProxy(change: Partial<Parameters<ProxyStore['put']>[0]> = {}): void {
  proxies.put({
    name: 'shop',
    engineFamily: 'POSTGRESQL',
    secrets: [secret.arn],
    targets: [
      { RdsResourceId: 'shop', Type: 'TRACKED_CLUSTER' },
      { RdsResourceId: 'shop-1', Type: 'RDS_INSTANCE', TargetHealth: available },
      { RdsResourceId: 'shop-2', Type: 'RDS_INSTANCE', TargetHealth: available },
    ],
    ...change,
  });
}

function open(input: object = {}): Adapter {
  const settings = rdsDefinition.settings.parse({ dbProxyName: 'shop', ...input });
  return openRds(settings, clients, clock);
}

const version = () => ({ ...rolledOut(versionId), secret });
const look = (input?: object) => open(input).look(version(), signal);

/** What the framework makes of an adapter's error. */
async function failure(act: Promise<unknown>): Promise<string> {
  return act.then(
    () => 'no error',
    (error: unknown) => {
      const { name, what, permanent } = failureOf(error);
      return `${permanent ? 'permanent' : 'transient'} ${name}: ${what}`;
    },
  );
}

test('a proxy whose targets are available is done when the secret has been quiet, and not before', async () => {
  await open().begin(version(), signal);
  expect(await look()).toEqual({ state: 'working' });
  await pass(clock, 59_000);
  expect(await look()).toEqual({ state: 'working' });
  await pass(clock, 1_000);
  expect(await look()).toEqual({ state: 'done' });
});

test('the quiet begins anew when AWSCURRENT moves', async () => {
  await pass(clock, 3_600_000);
  expect(await look()).toEqual({ state: 'done' });
  const next = '22222222-2222-4222-8222-222222222222';
  await world.call('secretsmanager', 'PutSecretValue', {
    SecretId: secret.name,
    SecretString: `${held}-2`,
    ClientRequestToken: next,
    VersionStages: ['AWSPENDING'],
  });
  await pass(clock, 3_600_000);
  await world.call('secretsmanager', 'UpdateSecretVersionStage', {
    SecretId: secret.name,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: next,
    RemoveFromVersionId: versionId,
  });
  expect(await look()).toEqual({ state: 'working' });
  await pass(clock, 60_000);
  expect(await look()).toEqual({ state: 'done' });
});

test('nothing is changed, whatever happens', async () => {
  await open().begin(version(), signal);
  await open().begin(version(), signal);
  await pass(clock, 60_000);
  await look();
  const asked = world.journal.entries.filter(({ roleArn }) => roleArn !== undefined);
  expect(new Set(asked.map(({ operation }) => operation))).toEqual(
    new Set(['DescribeDBProxies', 'DescribeSecret', 'DescribeDBProxyTargets']),
  );
});

test('a target that does not take the credential is a refusal, but only when the quiet is over', async () => {
  const health: TargetHealth = { State: 'UNAVAILABLE', Reason: 'AUTH_FAILURE', Description: held };
  proxies.setHealth('shop', 'shop-2', health);
  expect(await look()).toEqual({ state: 'working' });
  await pass(clock, 60_000);
  // What RDS says beside it is not repeated.
  expect(await look()).toEqual({
    state: 'refused',
    reason: 'AUTH_FAILURE: the proxy shop cannot log in at shop-2',
  });
});

test('a reason names five targets and no more', async () => {
  const TargetHealth = { State: 'UNAVAILABLE', Reason: 'AUTH_FAILURE' } as const;
  const ids = Array.from({ length: 7 }, (_, index) => `shop-${index}`);
  putProxy({ targets: ids.map((RdsResourceId) => ({ RdsResourceId, Type: 'RDS_INSTANCE', TargetHealth })) });
  await pass(clock, 60_000);
  expect(await look()).toMatchObject({
    reason: 'AUTH_FAILURE: the proxy shop cannot log in at shop-0, shop-1, shop-2, shop-3, shop-4 …',
  });
});

test.each([
  [{ State: 'REGISTERING' }],
  [{ State: 'UNAVAILABLE', Reason: 'PENDING_PROXY_CAPACITY' }],
  [{ State: 'UNAVAILABLE', Reason: 'UNREACHABLE' }],
  [{ State: 'UNAVAILABLE', Reason: 'CONNECTION_FAILED' }],
  [{ State: 'UNAVAILABLE', Reason: 'INVALID_REPLICATION_STATE' }],
] as const)('a target of health %j is waited for', async (health) => {
  proxies.setHealth('shop', 'shop-1', health);
  await pass(clock, 3_600_000);
  expect(await look()).toEqual({ state: 'working' });
  proxies.setHealth('shop', 'shop-1', available);
  expect(await look()).toEqual({ state: 'done' });
});

test('a target that is not used does not count, and is not enough', async () => {
  await pass(clock, 60_000);
  proxies.setHealth('shop', 'shop-1', { State: 'UNUSED' });
  expect(await look()).toEqual({ state: 'done' });
  proxies.setHealth('shop', 'shop-2', { State: 'UNUSED' });
  expect(await look()).toEqual({ state: 'working' });
});

test('a proxy without targets is a refusal', async () => {
  putProxy({ targets: [] });
  await pass(clock, 60_000);
  expect(await look()).toEqual({
    state: 'refused',
    reason: 'NoTargets: the proxy shop has no target in the group',
  });
});

test.each(['modifying', 'creating', 'reactivating'])('a proxy that is %s is waited for', async (status) => {
  proxies.setStatus('shop', status);
  await pass(clock, 60_000);
  expect(await look()).toEqual({ state: 'working' });
});

test.each(['deleting', 'incompatible-network', 'insufficient-resource-limits', 'suspended', 'suspending'])(
  'a proxy that is %s is a refusal',
  async (status) => {
    proxies.setStatus('shop', status);
    expect(await look()).toEqual({
      state: 'refused',
      reason: `ProxyUnusable: the proxy shop is ${status}`,
    });
  },
);

test('a proxy that reads another secret is refused by name, at the beginning and later', async () => {
  const refused = 'permanent SecretNotInProxy: no authentication entry of the proxy shop names the secret';
  putProxy({ secrets: [`${secret.arn}-other`] });
  expect(await failure(open().begin(version(), signal))).toBe(refused);
  expect(await failure(look())).toBe(refused);
  putProxy({ secrets: [`${secret.arn}-other`, secret.arn] });
  expect(await failure(open().begin(version(), signal))).toBe('no error');
});

test.each([
  [{ dbProxyName: 'ghost' }, 'permanent DBProxyNotFoundFault: there is no such proxy'],
  [
    { targetGroupName: 'other', quietSeconds: 0 },
    'permanent DBProxyTargetGroupNotFoundFault: the proxy has no such target group',
  ],
])('with the settings %j it fails: %s', async (input, message) => {
  expect(await failure(look(input))).toBe(message);
});

test('without its grants it may not look', async () => {
  const options = world.grant([{ actions: ['rds:DescribeDBInstances'], resources: ['*'] }]);
  const rds = new RDSClient(options);
  const settings = rdsDefinition.settings.parse({ dbProxyName: 'shop' });
  const adapter = openRds(settings, { ...clients, rds }, clock);
  expect(await failure(adapter.begin(version(), signal))).toBe(
    'permanent AccessDeniedException: the adapter may not do this: rds:DescribeDBProxies',
  );
  rds.destroy();
});

test('it gives up with its signal', async () => {
  const given = AbortSignal.abort(new Error('the time is up'));
  await expect(open().begin(version(), given)).rejects.toThrow();
});

test.each([
  [{}, 'field dbProxyName is missing'],
  [{ dbProxyName: 'shop', quietSeconds: 601 }, 'field quietSeconds'],
  [{ dbProxyName: 'shop', proxy: 'x' }, 'unknown field proxy'],
])('the settings %j are refused by name', (input, message) => {
  expect(() => parseSettings(rdsDefinition.settings, JSON.stringify(input))).toThrow(message);
});
