import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { App, Stack } from 'aws-cdk-lib';
import { AdapterConsumer } from '../../infra/adapter-consumer';
import { type Cloud, startCloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { Neighbours } from '../../local/neighbours';
import { type KubernetesCluster, startKubernetes } from '../../local/targets/kubernetes-api';
import { type HttpsCounterpart, openHttpsCounterpart } from './https-counterpart';
import { leastRules } from './kubernetes-counterpart';
import { askDeployed, type AskedSecret } from './deployed-consumer';

// CDK's own check of templates takes a second each time.
process.env['CDK_VALIDATION'] = 'false';

const account = '111122223333';
const secretName = 'shop/db';
const workshop = mkdtempSync(path.join(os.tmpdir(), 'rotor-adapters-'));
const acknowledged: Event[] = [];
let cloud: Cloud;
let cluster: KubernetesCluster;
let endpoint: HttpsCounterpart;
let secret: AskedSecret;

beforeAll(async () => {
  const neighbours = new Neighbours();
  cloud = await startCloud({
    neighbours,
    onEvent: (event) => {
      if (event['detail-type'] === 'Secret Refresh Acknowledged') acknowledged.push(event);
    },
  });
  const { roles } = neighbours.account(account, () => {
    throw new Error('the cloud has made it');
  });
  cluster = await startKubernetes({
    name: 'shop',
    namespace: 'shop',
    sessionOf: (accessKeyId) => {
      const session = roles.sessionOf(accessKeyId);
      return session?.principal.kind === 'role'
        ? { ...session, roleArn: session.principal.roleArn }
        : undefined;
    },
    // As an access entry for the role of that function alone.
    rulesOf: (roleArn) => (roleArn.includes('Api') ? leastRules : undefined),
  });
  const template = { metadata: { labels: { app: 'api' } } };
  cluster.create({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', spec: { replicas: 1, template } });
  cluster.move(5);
  endpoint = await openHttpsCounterpart();
  await cloud.call('eventbridge', 'CreateEventBus', { Name: 'rotor' });
  secret = await cloud.call('secretsmanager', 'CreateSecret', {
    Name: secretName,
    SecretString: 'held',
    ClientRequestToken: randomUUID(),
  });
  const signing = await cloud.call<{ readonly ARN: string }>('secretsmanager', 'CreateSecret', {
    Name: 'orders/hook',
    SecretString: JSON.stringify({ value: endpoint.keys[0] }),
    ClientRequestToken: randomUUID(),
  });
  const app = new App({ outdir: path.join(workshop, 'assembly'), analyticsReporting: false });
  const stack = new Stack(app, 'Adapters', { env: { account, region: 'us-east-1' } });
  new AdapterConsumer(stack, 'Api', {
    consumer: 'api',
    secretName,
    adapter: 'kubernetes',
    settings: {
      endpoint: cluster.endpoint,
      certificateAuthority: cluster.certificateAuthority,
      cluster: 'shop',
      namespace: 'shop',
      kind: 'Deployment',
      name: 'api',
    },
  });
  new AdapterConsumer(stack, 'Orders', {
    consumer: 'orders',
    secretName,
    adapter: 'https',
    settings: {
      url: `${endpoint.origin}/rotor`,
      signingSecretArn: signing.ARN,
      privateAddresses: true,
      ca: endpoint.certificate,
    },
  });
  await cloud.deploy(app.synth().directory);
});
afterAll(async () => {
  await cloud.stop();
  await cluster.stop();
  await endpoint.stop();
  rmSync(workshop, { recursive: true });
});

const answer = (consumer: string) =>
  askDeployed(cloud, acknowledged, { secretName, secret, consumer }, async () => {
    cluster.move(1);
    await endpoint.pass();
    await delay(5);
  });

test('both adapters, as they are deployed, bring the version and say so', async () => {
  const [api, orders] = await Promise.all(['api', 'orders'].map(answer));
  const loaded = { outcome: 'loaded', versionId: secret.VersionId };
  expect(api).toMatchObject(loaded);
  expect(orders).toMatchObject(loaded);
  expect(endpoint.acts()).toBe(1);
  expect(cluster.store.find('Deployment', 'api')?.metadata.generation).toBe(2);
  const key = endpoint.keys[0] ?? '';
  const seen = await cloud.readables();
  expect(seen.length).toBeGreaterThan(0);
  const leaks = seen.filter(({ text }) => text.includes(key) || text.includes('k8s-aws-v1'));
  expect(leaks.map(({ place }) => place)).toEqual([]);
});
