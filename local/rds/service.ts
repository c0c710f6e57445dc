import * as z from 'zod';
import { ServiceError, type Operation, type Service, type Surroundings } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { pageOf } from '../secrets-manager/pages';
import { type Proxy, ProxyStore } from './proxy-store';

/** The one group that every proxy has. */
const targetGroup = 'default';

const maxRecords = z.int().min(20).max(100).optional();
const proxiesShape = z.object({
  DBProxyName: z.string().min(1).optional(),
  Marker: z.string().optional(),
  MaxRecords: maxRecords,
});
const targetsShape = z.object({
  DBProxyName: z.string().min(1),
  TargetGroupName: z.string().min(1).optional(),
  Marker: z.string().optional(),
  MaxRecords: maxRecords,
});

/** Amazon RDS as far as proxies are looked at, with what the rehearsal may do beyond the API. */
export interface RelationalDatabases extends Service {
  readonly proxies: ProxyStore;
}

/** Builds the embedded RDS: proxies that were put into its store, described. */
export function createRelationalDatabases(surroundings: Surroundings): RelationalDatabases {
  const { account, authorize, clock, partition, region } = surroundings;
  const proxies = new ProxyStore(surroundings, () => clock.now());
  const arnOf = (type: string, id: string) => `arn:${partition}:rds:${region}:${account}:${type}:${id}`;

  const describeProxies: Operation = async (input, call) => {
    const { DBProxyName: name, Marker, MaxRecords = 100 } = read('DescribeDBProxies', proxiesShape, input);
    const named = name === undefined ? undefined : proxies.find(name);
    authorize(call, { action: 'rds:DescribeDBProxies', resource: named?.arn ?? arnOf('db-proxy', '*') });
    if (name !== undefined && named === undefined) throw proxyNotFound(name);
    const page = pageOf(
      named === undefined ? proxies.all : [named],
      MaxRecords,
      Marker,
      'InvalidParameterValue',
    );
    return {
      DBProxies: page.items.map(described),
      ...(page.next === undefined ? {} : { Marker: page.next }),
    };
  };

  const describeTargets: Operation = async (input, call) => {
    const request = read('DescribeDBProxyTargets', targetsShape, input);
    const { DBProxyName: name, TargetGroupName: group, Marker, MaxRecords = 100 } = request;
    const proxy = proxies.find(name);
    authorize(call, {
      action: 'rds:DescribeDBProxyTargets',
      resource: proxy?.targetGroupArn ?? arnOf('target-group', '*'),
    });
    if (proxy === undefined) throw proxyNotFound(name);
    if (group !== undefined && group !== targetGroup)
      throw new ServiceError(
        'DBProxyTargetGroupNotFoundFault',
        `DBProxyTargetGroup ${group} not found.`,
        404,
      );
    const page = pageOf(proxy.targets, MaxRecords, Marker, 'InvalidParameterValue');
    return { Targets: page.items, ...(page.next === undefined ? {} : { Marker: page.next }) };
  };

  return {
    id: 'rds',
    operations: { DescribeDBProxies: describeProxies, DescribeDBProxyTargets: describeTargets },
    proxies,
  };
}

function described({ arn, createdAt, engineFamily, name, secrets, status }: Proxy): object {
  return {
    DBProxyName: name,
    DBProxyArn: arn,
    Status: status,
    EngineFamily: engineFamily,
    Auth: secrets.map((secret) => ({ AuthScheme: 'SECRETS', SecretArn: secret, IAMAuth: 'DISABLED' })),
    RequireTLS: true,
    IdleClientTimeout: 1800,
    DebugLogging: false,
    CreatedDate: new Date(createdAt),
    UpdatedDate: new Date(createdAt),
  };
}

/** RDS's own words for what the JSON protocols call ValidationException. */
function read<Shape extends z.ZodRawShape>(
  operation: string,
  shape: z.ZodObject<Shape>,
  input: Readonly<Record<string, unknown>>,
): z.infer<z.ZodObject<Shape>> {
  try {
    return parseInput(operation, shape, input);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'ValidationException') throw error;
    const code =
      'DBProxyName' in input || operation === 'DescribeDBProxies'
        ? 'InvalidParameterValue'
        : 'MissingParameter';
    throw new ServiceError(code, error.message);
  }
}

function proxyNotFound(name: string): ServiceError {
  return new ServiceError('DBProxyNotFoundFault', `DBProxy ${name} not found.`, 404);
}
