import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { build } from 'esbuild';
import { systemClock } from '../../client/clock';
import { listenOnQueue } from '../../client/queue-listener';
import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { startPostgres } from '../../local/targets/postgres';
import { startEndpoint } from './fake-endpoint';
import { FakeEventBus } from './fake-event-bus';
import { FakeQueue } from './fake-queue';
import { FakeSecretsManager } from './fake-secrets-manager';
import { refreshEvent } from './refresh-event';

const root = path.join(__dirname, '../..');
const ordinary = { ...process.env };
/** What a test has started, to be ended whatever becomes of it; the last first. */
const started: (() => Promise<void>)[] = [];

async function prepare() {
  const secrets = new FakeSecretsManager(systemClock);
  const bus = new FakeEventBus();
  const queue = new FakeQueue(systemClock);
  const endpoint = await startEndpoint({ secrets, bus, queue });
  started.push(endpoint.stop);
  const environment = {
    AWS_ENDPOINT_URL: endpoint.url,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'example',
    // The SDK announces there which versions of Node it will drop.
    NODE_NO_WARNINGS: '1',
    REFRESH_QUEUE_URL: `${endpoint.url}/111122223333/orders`,
  };
  return { secrets, bus, queue, environment };
}

afterEach(async () => {
  process.env = { ...ordinary };
  for (const stop of started.splice(0).reverse()) await stop();
});

describe('the clients of the SDK', () => {
  test('carry a request from a queue to its acknowledgement', async () => {
    const { secrets, bus, queue, environment } = await prepare();
    Object.assign(process.env, environment);
    secrets.put('v1', { password: 'first-password' }, 'AWSCURRENT');
    // Old enough that however slow the machine, no look of its own comes between the ones that are counted; the first
    // one loads the SDK.
    const secret = RotatingSecret.json({ secretId: 'shop/db', maxAgeSeconds: 600, readTimeoutSeconds: 120 });
    expect((await secret.get()).versionId).toBe('v1');
    // An absent AWSPENDING is recognised by the name of the SDK's error.
    expect(await secret.onRefused('v1')).toBeUndefined();
    expect(secrets.reads).toEqual(['AWSCURRENT', 'AWSCURRENT', 'AWSPENDING', 'AWSCURRENT']);
    const responder = new RefreshResponder({ consumer: 'orders', secret, instances: 'one' });
    const queueUrl = environment.REFRESH_QUEUE_URL;
    const listener = listenOnQueue({ queueUrl, responder, waitSeconds: 1 });
    started.push(() => listener.stop());
    secrets.put('v2', { password: 'second-password' }, 'AWSCURRENT');
    queue.send(refreshEvent(Date.now()));
    for (const end = Date.now() + 60_000; queue.length > 0 && Date.now() < end;) await delay(20);
    expect(bus.taken.map(({ ack }) => [ack.outcome, ack.versionId])).toEqual([['loaded', 'v2']]);
    expect(queue.length).toBe(0);
  });
});

describe('the code that the README shows', () => {
  const folder = path.join(root, 'node_modules/.cache/rotor-readme');
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('runs: a pool that queries, and a listener that stops', async () => {
    const { secrets, environment } = await prepare();
    const server = await startPostgres();
    started.push(() => server.stop());
    const { host, port, superuser: username, password } = server;
    secrets.put('v1', { host, port, dbname: 'postgres', username, password }, 'AWSCURRENT');
    const readme = readFileSync(path.join(root, 'client/README.md'), 'utf8');
    const shown = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    // The first look loads the SDK, for which ten seconds are too few on a slow machine.
    const patient = shown.replace('RotatingSecret.json({', '$& readTimeoutSeconds: 120,');
    expect(patient).not.toBe(shown);
    const code = `${patient}
      const { rows } = await pool.query('SELECT session_user AS name');
      await listener.stop();
      await pool.end();
      console.log(rows[0].name);`;
    mkdirSync(folder, { recursive: true });
    const bundle = await build({
      stdin: { contents: code, loader: 'ts', resolveDir: root },
      ...{ bundle: true, write: false, platform: 'node', format: 'esm', target: 'node20' },
      alias: { 'rotor/client': './client/index.ts' },
      external: ['pg', '@aws-sdk/*'],
    });
    const program = path.join(folder, 'snippet.mjs');
    writeFileSync(program, bundle.outputFiles[0]?.text ?? '');
    const child = spawn(process.execPath, [program], { env: { ...process.env, ...environment } });
    const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect({ out, errors }).toEqual({ out: `${username}\n`, errors: '' });
  });
});
