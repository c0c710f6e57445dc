import { RefreshResponder } from '../../client/refresh-responder';
import { RotatingSecret } from '../../client/rotating-secret';
import { startCloud, type Cloud } from '../../local/cloud';
import type { Event } from '../../local/events/event';
import { Neighbours } from '../../local/neighbours';
import { refreshEvent } from './refresh-event';

const ordinary = { ...process.env };
const running: Cloud[] = [];
afterEach(async () => {
  process.env = { ...ordinary };
  for (const cloud of running.splice(0)) await cloud.stop();
});

test('the SDK’s own clients ask the region that an ARN names, for the secret and for the bus', async () => {
  const neighbours = new Neighbours();
  const heard: Event[] = [];
  const rotor = await startCloud({ neighbours, onEvent: (event) => heard.push(event) });
  const team = await startCloud({ neighbours, region: 'eu-west-1' });
  running.push(rotor, team);
  await rotor.call('eventbridge', 'CreateEventBus', { Name: 'rotor' });
  const { ARN, VersionId } = await rotor.call<{ ARN: string; VersionId: string }>(
    'secretsmanager',
    'CreateSecret',
    { Name: 'shop/db', SecretString: '{"username":"app"}', ClientRequestToken: crypto.randomUUID() },
  );
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: team.endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: team.operator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: team.operator.secretAccessKey,
  });
  // The first look loads the SDK, for which ten seconds are too few on a slow machine.
  const secret = RotatingSecret.json({ secretId: ARN, readTimeoutSeconds: 120, maxAgeSeconds: 600 });
  const busName = `arn:aws:events:us-east-1:${rotor.account}:event-bus/rotor`;
  const responder = new RefreshResponder({ consumer: 'orders', secret, instances: 'one', busName });
  await responder.handleRefreshRequest(refreshEvent(Date.now(), { secret: { arn: ARN, name: 'shop/db' } }));
  expect(heard.at(-1)).toMatchObject({
    region: 'us-east-1',
    account: rotor.account,
    detail: { outcome: 'loaded', versionId: VersionId },
  });
});
