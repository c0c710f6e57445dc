import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { App, Stack } from 'aws-cdk-lib';
import { AdapterConsumer } from '../../infra/adapter-consumer';
import { startCloud, type Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { ScaledClock } from '../../local/kernel/clock';
import { askDeployed, type AskedSecret } from './deployed-consumer';

// CDK's own check of templates takes a second each time.
process.env['CDK_VALIDATION'] = 'false';

const secretName = 'shop/db';
const workshop = mkdtempSync(path.join(os.tmpdir(), 'rotor-adapters-'));
const acknowledged: Event[] = [];
let cloud: Cloud;
let secret: AskedSecret;

beforeAll(async () => {
  const app = new App({ outdir: path.join(workshop, 'assembly'), analyticsReporting: false });
  const stack = new Stack(app, 'Adapters', { env: { account: '111122223333', region: 'us-east-1' } });
  new AdapterConsumer(stack, 'Orders', {
    consumer: 'orders',
    secretName,
    adapter: 'ssm',
    settings: {
      parameters: { commands: ['systemctl reload orders'] },
      targets: { tags: { role: ['orders'] } },
    },
  });
  new AdapterConsumer(stack, 'Proxy', {
    consumer: 'shop-proxy',
    secretName,
    adapter: 'rds',
    settings: { dbProxyName: 'shop' },
  });
  const { directory } = app.synth();
  cloud = await startCloud({
    // A command ends before the adapter's first look, and nobody waits ten seconds for the second one.
    clock: new ScaledClock(100),
    onEvent: (event) => {
      if (event['detail-type'] === 'Secret Refresh Acknowledged') acknowledged.push(event);
    },
  });
  await cloud.call('eventbridge', 'CreateEventBus', { Name: 'rotor' });
  secret = await cloud.call('secretsmanager', 'CreateSecret', {
    Name: secretName,
    SecretString: 'held',
    ClientRequestToken: '11111111-1111-4111-8111-111111111111',
  });
  await cloud.deploy(directory);
});
afterAll(async () => {
  await cloud.stop();
  rmSync(workshop, { recursive: true });
});

const answer = (consumer: string) =>
  askDeployed(cloud, acknowledged, { secretName, secret, consumer }, () => delay(20));

test('the adapter for Run Command, as it is deployed, loads the version and says so', async () => {
  const ran: string[] = [];
  for (const instanceId of ['i-00000001', 'i-00000002'])
    cloud.fleet.put({
      instanceId,
      tags: { role: 'orders' },
      run: ({ parameters }) => {
        ran.push(`${instanceId} ${parameters['commands']?.join() ?? ''}`);
        return 0;
      },
    });
  cloud.fleet.put({ instanceId: 'i-00000003', tags: { role: 'billing' } });
  expect(await answer('orders')).toMatchObject({
    outcome: 'loaded',
    versionId: secret.VersionId,
    taskToken: 'token-of-orders',
  });
  expect(ran).toEqual(['i-00000001 systemctl reload orders', 'i-00000002 systemctl reload orders']);
});

test('the adapter for RDS Proxy, as it is deployed, refuses with a reason', async () => {
  cloud.proxies.put({
    name: 'shop',
    engineFamily: 'POSTGRESQL',
    secrets: [secret.ARN],
    targets: [],
    status: 'suspended',
  });
  expect(await answer('shop-proxy')).toMatchObject({
    outcome: 'refused',
    versionId: secret.VersionId,
    reason: 'ProxyUnusable: the proxy shop is suspended',
  });
});
