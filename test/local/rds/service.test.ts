import { DescribeDBProxiesCommand, DescribeDBProxyTargetsCommand, RDSClient } from '@aws-sdk/client-rds';
import { createRelationalDatabases, type RelationalDatabases } from '../../../local/rds/service';
import { everyOperationAsks } from '../gateway/authorisation';
import { Stage } from '../gateway/stage';

const stage = new Stage();
const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:shop/db-AbCdEf';
const instance = {
  RdsResourceId: 'shop-1',
  Type: 'RDS_INSTANCE',
  TargetHealth: { State: 'AVAILABLE' },
} as const;
let service: RelationalDatabases;
let rds: RDSClient;

beforeAll(async () => {
  await stage.start();
  service = createRelationalDatabases(stage.surroundings);
  stage.services.push(service);
  rds = new RDSClient(stage.config());
});
afterAll(async () => {
  rds.destroy();
  await stage.stop();
});
beforeEach(() =>
  service.proxies.put({
    name: 'shop',
    engineFamily: 'POSTGRESQL',
    secrets: [secret],
    targets: [{ RdsResourceId: 'shop', Type: 'TRACKED_CLUSTER' }, instance],
  }),
);

test('a proxy is described with the secrets that it reads', async () => {
  const { DBProxies } = await rds.send(new DescribeDBProxiesCommand({ DBProxyName: 'shop' }));
  expect(DBProxies).toMatchObject([
    {
      DBProxyName: 'shop',
      DBProxyArn: expect.stringMatching(
        /^arn:aws:rds:us-east-1:111122223333:db-proxy:prx-[0-9a-f]{17}$/,
      ) as string,
      Status: 'available',
      EngineFamily: 'POSTGRESQL',
      Auth: [{ AuthScheme: 'SECRETS', SecretArn: secret, IAMAuth: 'DISABLED' }],
      RequireTLS: true,
      CreatedDate: expect.any(Date) as Date,
    },
  ]);
});

test('its targets are described with the health that was said of them last', async () => {
  const targets = async (TargetGroupName?: string) =>
    (await rds.send(new DescribeDBProxyTargetsCommand({ DBProxyName: 'shop', TargetGroupName }))).Targets;
  expect(await targets()).toEqual([{ RdsResourceId: 'shop', Type: 'TRACKED_CLUSTER' }, instance]);
  const health = { State: 'UNAVAILABLE', Reason: 'AUTH_FAILURE', Description: 'said by a test' } as const;
  service.proxies.setHealth('shop', 'shop-1', health);
  expect((await targets('default'))?.[1]?.TargetHealth).toEqual(health);
  service.proxies.setStatus('shop', 'modifying');
  const { DBProxies } = await rds.send(new DescribeDBProxiesCommand({ DBProxyName: 'shop' }));
  expect(DBProxies?.[0]?.Status).toBe('modifying');
});

test('proxies come page by page', async () => {
  for (let index = 0; index < 21; index++)
    service.proxies.put({ name: `p-${index}`, engineFamily: 'MYSQL', secrets: [], targets: [] });
  const first = await rds.send(new DescribeDBProxiesCommand({ MaxRecords: 20 }));
  expect(first.DBProxies).toHaveLength(20);
  const rest = await rds.send(new DescribeDBProxiesCommand({ MaxRecords: 20, Marker: first.Marker }));
  expect(rest.DBProxies?.length).toBe(service.proxies.all.length - 20);
  expect(rest.Marker).toBeUndefined();
});

test.each([
  [new DescribeDBProxiesCommand({ DBProxyName: 'ghost' }), 'DBProxyNotFoundFault', 404],
  [new DescribeDBProxiesCommand({ MaxRecords: 19 }), 'InvalidParameterValue', 400],
  [new DescribeDBProxiesCommand({ Marker: 'nonsense' }), 'InvalidParameterValue', 400],
  [new DescribeDBProxiesCommand({ Filters: [{ Name: 'x', Values: ['y'] }] }), 'UnsupportedParameter', 400],
])('proxies are refused: %#', async (command, name, httpStatusCode) => {
  await expect(rds.send(command)).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
});

test.each([
  [{ DBProxyName: 'ghost' }, 'DBProxyNotFoundFault', 404],
  [{ DBProxyName: 'shop', TargetGroupName: 'other' }, 'DBProxyTargetGroupNotFoundFault', 404],
  [{ DBProxyName: undefined }, 'MissingParameter', 400],
])('targets of %j are refused as %s', async (input, name, httpStatusCode) => {
  const failure = rds.send(new DescribeDBProxyTargetsCommand(input));
  await expect(failure).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
});

everyOperationAsks(
  stage,
  () => service,
  'AccessDeniedException',
  {
    DescribeDBProxies: {
      input: {},
      action: 'rds:DescribeDBProxies',
      resource: 'arn:aws:rds:us-east-1:111122223333:db-proxy:*',
    },
    DescribeDBProxyTargets: {
      input: { DBProxyName: 'ghost' },
      action: 'rds:DescribeDBProxyTargets',
      resource: 'arn:aws:rds:us-east-1:111122223333:target-group:*',
    },
  },
  async () => undefined,
);
