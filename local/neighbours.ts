import type { Dispatcher } from './gateway/dispatch';
import type { Receiver } from './events/arrival';
import { isRecord } from './gateway/wire-values';
import type { IdentityPolicies } from './iam/authorize';
import type { RoleStore } from './iam/role-store';
import type { UserStore } from './iam/user-store';
import { ServiceError, type Principal } from './kernel/service';
import type { ReplicaRegion } from './secrets-manager/replica-region';

/** An account: its identities are the same in every region, as IAM's are. */
export interface Account {
  readonly roles: RoleStore;
  readonly users: UserStore;
  /** The organisation that it belongs to, `o-…`; undefined for an account that stands alone. */
  readonly organizationId: string | undefined;
}

/** One account in one region, as the others reach it. */
export interface Neighbour {
  readonly account: string;
  readonly region: string;
  readonly dispatcher: Dispatcher;
  readonly events: Receiver;
  readonly secrets: ReplicaRegion;
}

/** Actions on a secret that another account can be allowed (AWS: Secrets Manager, "Access from a different account"). */
const secretsOfOthers = new Set([
  'CancelRotateSecret',
  'DeleteResourcePolicy',
  'DeleteSecret',
  'DescribeSecret',
  'GetResourcePolicy',
  'GetSecretValue',
  'ListSecretVersionIds',
  'PutResourcePolicy',
  'PutSecretValue',
  'RestoreSecret',
  'RotateSecret',
  'TagResource',
  'UntagResource',
  'UpdateSecret',
  'UpdateSecretVersionStage',
  'ValidateResourcePolicy',
]);

/** Services without regions: whichever endpoint is asked answers. */
const global = new Set(['iam', 'sts']);

/**
 * Clouds that reach each other: several accounts, several regions of one account, or both.
 *
 * A request goes to the region that it is signed for, and there to the account of the resource that it names by ARN; that
 * account's services judge the caller by the policies of the caller's own account and of the resource.
 */
export class Neighbours implements IdentityPolicies {
  private readonly accounts = new Map<string, Account>();
  private readonly clouds = new Map<string, Neighbour>();

  /** The account of that number, which `make` makes for its first region. */
  account(account: string, make: () => Account): Account {
    const known = this.accounts.get(account) ?? make();
    this.accounts.set(account, known);
    return known;
  }

  /** Lets a cloud be reached; RangeError where its account has one in that region already. */
  join(cloud: Neighbour): void {
    const key = keyOf(cloud.account, cloud.region);
    if (this.clouds.has(key)) throw new RangeError(`there is a cloud for ${key} already`);
    this.clouds.set(key, cloud);
  }

  /** The cloud of an account in a region; undefined where nobody started one. */
  at(account: string, region: string): Neighbour | undefined {
    return this.clouds.get(keyOf(account, region));
  }

  identityPolicies(arn: string): ReturnType<IdentityPolicies['identityPolicies']> {
    return this.accounts.get(arn.split(':')[4] ?? '')?.roles.identityPolicies(arn) ?? [];
  }

  /** The organisation of an account; undefined for one that has none or is not here. */
  organisationOf(account: string): string | undefined {
    return this.accounts.get(account)?.organizationId;
  }

  /** Who answers a request; UnsupportedRegion for a region in which nobody started a cloud. */
  answering(
    asked: Neighbour,
    principal: Principal,
    region: string,
    service: string,
    operation: string,
    input: Readonly<Record<string, unknown>>,
  ): Dispatcher {
    if (global.has(service)) return asked.dispatcher;
    const own = { account: principal.account, region };
    const [owner = own, ...others] = resourcesOf(service, operation, input).map(
      (named) => ownerOf(named) ?? own,
    );
    if (others.some((other) => other.account !== owner.account || other.region !== owner.region))
      throw new ServiceError(
        'UnsupportedParameter',
        `The embedded cloud does not implement ${operation} on resources of several accounts or regions at once.`,
      );
    // A resource of another region is nothing that this region knows.
    const account = owner.region === region ? owner.account : own.account;
    const cloud = this.at(account, region) ?? this.at(own.account, region);
    if (cloud !== undefined) return cloud.dispatcher;
    throw new ServiceError(
      'UnsupportedRegion',
      `The embedded cloud has no region ${region} in account ${own.account}.`,
    );
  }
}

function keyOf(account: string, region: string): string {
  return `${account} ${region}`;
}

/** The resources that a request names and that may be another account's, by name or ARN. */
function resourcesOf(
  service: string,
  operation: string,
  input: Readonly<Record<string, unknown>>,
): readonly unknown[] {
  if (service === 'secretsmanager' && secretsOfOthers.has(operation)) return [input['SecretId']];
  if (service === 'eventbridge' && operation === 'PutEvents' && Array.isArray(input['Entries'])) {
    const entries: readonly unknown[] = input['Entries'];
    return entries.map((entry) => (isRecord(entry) ? entry['EventBusName'] : undefined));
  }
  return [];
}

/** Account and region of an ARN; undefined for a name. */
function ownerOf(named: unknown): { readonly account: string; readonly region: string } | undefined {
  if (typeof named !== 'string' || !named.startsWith('arn:')) return undefined;
  const [, , , region = '', account = ''] = named.split(':');
  return { region, account };
}
