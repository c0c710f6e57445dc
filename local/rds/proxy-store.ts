import { createHash } from 'node:crypto';

/** Health of a proxy's target, in AWS's words. */
export interface TargetHealth {
  readonly State: 'AVAILABLE' | 'REGISTERING' | 'UNAVAILABLE' | 'UNUSED';
  readonly Reason?:
    | 'AUTH_FAILURE'
    | 'CONNECTION_FAILED'
    | 'INVALID_REPLICATION_STATE'
    | 'PENDING_PROXY_CAPACITY'
    | 'PROMOTED'
    | 'UNREACHABLE';
  readonly Description?: string;
}

/** One database behind a proxy. */
export interface ProxyTarget {
  readonly RdsResourceId: string;
  readonly Type: 'RDS_INSTANCE' | 'TRACKED_CLUSTER';
  /** Absent for a tracked cluster, which has none of its own. */
  readonly TargetHealth?: TargetHealth;
}

/** A proxy as it is put into the store. */
export interface ProxyDraft {
  readonly name: string;
  readonly engineFamily: 'MYSQL' | 'POSTGRESQL' | 'SQLSERVER';
  /** ARNs of the secrets with which it logs in. */
  readonly secrets: readonly string[];
  readonly targets: readonly ProxyTarget[];
  readonly status?: string;
}

/** A proxy with what AWS adds. */
export interface Proxy extends ProxyDraft {
  readonly status: string;
  readonly arn: string;
  readonly targetGroupArn: string;
  readonly createdAt: number;
}

/** The account's proxies. They are put here, not made by calls, and their health is what was said of it last. */
export class ProxyStore {
  private readonly proxies = new Map<string, Proxy>();

  constructor(
    private readonly where: { readonly account: string; readonly region: string; readonly partition: string },
    private readonly now: () => number,
  ) {}

  /** Puts a proxy, or puts another one in its place. */
  put(draft: ProxyDraft): void {
    const { account, partition, region } = this.where;
    // AWS names both by ids that it makes up.
    const id = createHash('sha256').update(draft.name).digest('hex').slice(0, 17);
    const prefix = `arn:${partition}:rds:${region}:${account}`;
    this.proxies.set(draft.name, {
      status: 'available',
      ...draft,
      arn: `${prefix}:db-proxy:prx-${id}`,
      targetGroupArn: `${prefix}:target-group:prx-tg-${id}`,
      createdAt: this.proxies.get(draft.name)?.createdAt ?? this.now(),
    });
  }

  /** Changes the status of a proxy, such as `available` or `modifying`. */
  setStatus(name: string, status: string): void {
    this.proxies.set(name, { ...this.known(name), status });
  }

  /** Changes the health of one target. */
  setHealth(name: string, resourceId: string, health: TargetHealth): void {
    const proxy = this.known(name);
    const targets = proxy.targets.map((target) =>
      target.RdsResourceId === resourceId ? { ...target, TargetHealth: health } : target,
    );
    this.proxies.set(name, { ...proxy, targets });
  }

  find(name: string): Proxy | undefined {
    return this.proxies.get(name);
  }

  get all(): readonly Proxy[] {
    return [...this.proxies.values()];
  }

  private known(name: string): Proxy {
    const proxy = this.proxies.get(name);
    if (proxy === undefined) throw new Error(`no proxy ${name} was put`);
    return proxy;
  }
}
