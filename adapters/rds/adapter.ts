import {
  DescribeDBProxiesCommand,
  DescribeDBProxyTargetsCommand,
  type DBProxy,
  RDSClient,
} from '@aws-sdk/client-rds';
import { DescribeSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Clock, systemClock } from '../../client/clock';
import type { Adapter, Progress, RolledOut } from '../adapter';
import { defineAdapterError } from '../errors';
import type { RdsSettings } from './definition';
import { type TargetState, verdictOf } from './verdict';

/** The proxy does not read this secret: whatever becomes of it, the proxy's clients do not notice. */
export class SecretNotInProxy extends defineAdapterError('SecretNotInProxy', true) {}

/** Statuses that a proxy does not leave by itself. */
const unusable: readonly (string | undefined)[] = [
  'deleting',
  'incompatible-network',
  'insufficient-resource-limits',
  'suspended',
  'suspending',
];

/** The SDK's clients, by the role of the function. */
export interface RdsClients {
  readonly rds: RDSClient;
  readonly secrets: SecretsManagerClient;
}

/** Watches the settings' proxy. */
export function openRds(
  settings: RdsSettings,
  clients: RdsClients = {
    rds: new RDSClient({ customUserAgent: 'rotor' }),
    secrets: new SecretsManagerClient({ customUserAgent: 'rotor' }),
  },
  clock: Clock = systemClock,
): Adapter {
  return new ProxyWatch(settings, clients, clock);
}

/**
 * There is nothing to restart: the proxy reads AWSCURRENT from Secrets Manager, in its own time, which AWS does not document.
 * What can be known is that it reads this secret, that it is available, and that none of its targets is unhealthy once
 * `quietSeconds` have passed since the secret was changed, which moving AWSCURRENT does. Before that, health may be that of
 * the version before.
 */
class ProxyWatch implements Adapter {
  constructor(
    private readonly settings: RdsSettings,
    private readonly clients: RdsClients,
    private readonly clock: Clock,
  ) {}

  async begin({ secret }: RolledOut, signal: AbortSignal): Promise<void> {
    await this.proxyOf(secret.arn, signal);
  }

  async look({ secret }: RolledOut, signal: AbortSignal): Promise<Progress> {
    const { Status: status } = await this.proxyOf(secret.arn, signal);
    const { dbProxyName } = this.settings;
    if (unusable.includes(status))
      return { state: 'refused', reason: `ProxyUnusable: the proxy ${dbProxyName} is ${status ?? ''}` };
    if (status !== 'available' || !(await this.isQuiet(secret.arn, signal))) return { state: 'working' };
    return verdictOf(dbProxyName, await this.targets(signal));
  }

  private async proxyOf(secretArn: string, signal: AbortSignal): Promise<DBProxy> {
    const { dbProxyName } = this.settings;
    const { DBProxies = [] } = await this.clients.rds.send(
      new DescribeDBProxiesCommand({ DBProxyName: dbProxyName }),
      {
        abortSignal: signal,
      },
    );
    const [proxy] = DBProxies;
    if (proxy?.Auth?.some((auth) => auth.AuthScheme === 'SECRETS' && auth.SecretArn === secretArn) !== true)
      throw new SecretNotInProxy(`no authentication entry of the proxy ${dbProxyName} names the secret`);
    return proxy;
  }

  /** Labels that move are a change; so is a new tag, which lets it wait a little longer than it must. */
  private async isQuiet(secretArn: string, signal: AbortSignal): Promise<boolean> {
    const { LastChangedDate: changed } = await this.clients.secrets.send(
      new DescribeSecretCommand({ SecretId: secretArn }),
      { abortSignal: signal },
    );
    return (
      changed !== undefined && this.clock.now() - changed.getTime() >= this.settings.quietSeconds * 1_000
    );
  }

  private async targets(signal: AbortSignal): Promise<readonly TargetState[]> {
    const { dbProxyName, targetGroupName } = this.settings;
    const found: TargetState[] = [];
    let marker: string | undefined;
    do {
      const { Targets = [], Marker } = await this.clients.rds.send(
        new DescribeDBProxyTargetsCommand({
          DBProxyName: dbProxyName,
          ...(targetGroupName === undefined ? {} : { TargetGroupName: targetGroupName }),
          Marker: marker,
        }),
        { abortSignal: signal },
      );
      for (const { RdsResourceId = '', TargetHealth: health, Type } of Targets)
        // A cluster stands in the list beside its instances, and has no health of its own.
        if (Type !== 'TRACKED_CLUSTER')
          found.push({ id: RdsResourceId, state: health?.State, reason: health?.Reason });
      marker = Marker;
    } while (marker !== undefined && marker !== '');
    return found;
  }
}
