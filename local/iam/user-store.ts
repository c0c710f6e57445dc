import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import { ServiceError, type Principal } from '../kernel/service';
import type { IdentityPolicies } from './authorize';
import { parsePolicy, type PolicyDocument } from './policy-document';

/** How late IAM is; the defaults are AWS's own where it gives a figure. */
export interface AccessKeyTiming {
  /** Real milliseconds after its creation in which a key is not yet accepted. AWS: seconds, without a figure. */
  readonly newKeyMs: number;
  /** Milliseconds of the cloud's clock after a recorded use in which no further use is recorded. AWS: 15 minutes. */
  readonly lastUsedSpanMs: number;
}

export const accessKeyTiming: AccessKeyTiming = { newKeyMs: 150, lastUsedSpanMs: 15 * 60_000 };

/** One access key of a user. */
export interface AccessKey {
  readonly userName: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly createdAt: number;
  status: 'Active' | 'Inactive';
  lastUsed: { readonly at: number; readonly service: string; readonly region: string } | undefined;
}

/** One user, with its inline policies by name. */
export interface User {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly policies: Map<string, PolicyDocument>;
}

type UserPrincipal = Extract<Principal, { readonly kind: 'user' }>;

/** A user may have so many keys, active or not. */
const keysPerUser = 2;

/**
 * The account's users, their inline policies and their access keys.
 *
 * A key: spreading (created, not accepted yet) → active → inactive → active …; deleted from any of them. Only an active
 * one is accepted, and what it does is recorded, not more often than once in `lastUsedSpanMs`.
 */
export class UserStore implements IdentityPolicies {
  private readonly users = new Map<string, User>();
  private readonly keys = new Map<string, AccessKey>();
  private readonly spreading = new Set<string>();
  private readonly timing: AccessKeyTiming;

  constructor(
    private readonly where: {
      readonly account: string;
      readonly partition: string;
      readonly clock: Clock;
      /** What the spreading of new keys goes by. */
      readonly realTime: Clock;
      readonly timing?: Partial<AccessKeyTiming>;
    },
  ) {
    this.timing = { ...accessKeyTiming, ...where.timing };
  }

  /** ARN of a user by its name, also of one that does not exist. */
  arnOf(name: string): string {
    return this.users.get(name)?.arn ?? this.arn('/', name);
  }

  /** EntityAlreadyExists; names that differ in case alone are the same. */
  create(name: string, path: string): User {
    if ([...this.users.keys()].some((known) => known.toLowerCase() === name.toLowerCase()))
      throw new ServiceError('EntityAlreadyExists', `User with name ${name} already exists.`, 409);
    const arn = this.arn(path, name);
    const user: User = { name, path, arn, createdAt: this.where.clock.now(), policies: new Map() };
    this.users.set(name, user);
    return user;
  }

  /** NoSuchEntity. */
  user(name: string): User {
    const user = this.users.get(name);
    if (user === undefined) throw notFound(`The user with name ${name} cannot be found.`);
    return user;
  }

  /** DeleteConflict while it has keys or policies. */
  delete(name: string): void {
    const user = this.user(name);
    if (this.keysOf(name).length > 0) throw conflict('access keys');
    if (user.policies.size > 0) throw conflict('policies');
    this.users.delete(name);
  }

  identityPolicies(arn: string): readonly PolicyDocument[] {
    const user = [...this.users.values()].find((candidate) => candidate.arn === arn);
    return user === undefined ? [] : [...user.policies.values()];
  }

  /** Adds or replaces an inline policy; PolicyMalformed. */
  putPolicy(name: string, policyName: string, document: string): void {
    this.user(name).policies.set(policyName, parsePolicy(document));
  }

  /** LimitExceeded for a third key. */
  addKey(name: string): AccessKey {
    this.user(name);
    if (this.keysOf(name).length >= keysPerUser)
      throw new ServiceError(
        'LimitExceeded',
        `Cannot exceed quota for AccessKeysPerUser: ${keysPerUser}`,
        409,
      );
    const key: AccessKey = {
      userName: name,
      accessKeyId: `AKIA${randomText(16)}`,
      secretAccessKey: randomBytes(30).toString('base64'),
      createdAt: this.where.clock.now(),
      status: 'Active',
      lastUsed: undefined,
    };
    this.keys.set(key.accessKeyId, key);
    if (this.timing.newKeyMs > 0) {
      this.spreading.add(key.accessKeyId);
      this.where.realTime.after(this.timing.newKeyMs, () => this.spreading.delete(key.accessKeyId));
    }
    return key;
  }

  /** The keys of a user, the oldest first. */
  keysOf(name: string): readonly AccessKey[] {
    return [...this.keys.values()].filter(({ userName }) => userName === name);
  }

  /** A key by its id; undefined where no user has it. */
  key(accessKeyId: string): AccessKey | undefined {
    return this.keys.get(accessKeyId);
  }

  /** A key of this user. NoSuchEntity, also for a key of another one. */
  keyOf(name: string, accessKeyId: string): AccessKey {
    this.user(name);
    const key = this.keys.get(accessKeyId);
    if (key?.userName !== name) throw notFound(`The Access Key with id ${accessKeyId} cannot be found.`);
    return key;
  }

  /** NoSuchEntity. */
  deleteKey(name: string, accessKeyId: string): void {
    this.keys.delete(this.keyOf(name, accessKeyId).accessKeyId);
  }

  /** Whom a key stands for; undefined for one that is not accepted: inactive, deleted, never made, or made just now. */
  principalOf(accessKeyId: string): UserPrincipal | undefined {
    const key = this.accepted(accessKeyId);
    if (key === undefined) return undefined;
    const { userName } = key;
    return { kind: 'user', arn: this.arnOf(userName), account: this.where.account, userName };
  }

  /** What signatures of a key are made with; undefined like `principalOf`. */
  secretOf(accessKeyId: string): string | undefined {
    return this.accepted(accessKeyId)?.secretAccessKey;
  }

  /** Records that a request was signed with a key; the first use of a span stands for all of it. */
  noteUse(accessKeyId: string, service: string, region: string): void {
    const key = this.keys.get(accessKeyId);
    const at = this.where.clock.now();
    if (key === undefined) return;
    if (key.lastUsed !== undefined && at - key.lastUsed.at < this.timing.lastUsedSpanMs) return;
    key.lastUsed = { at, service, region };
  }

  private accepted(accessKeyId: string): AccessKey | undefined {
    const key = this.keys.get(accessKeyId);
    return key?.status === 'Active' && !this.spreading.has(accessKeyId) ? key : undefined;
  }

  private arn(path: string, name: string): string {
    return `arn:${this.where.partition}:iam::${this.where.account}:user${path}${name}`;
  }
}

function notFound(message: string): ServiceError {
  return new ServiceError('NoSuchEntity', message, 404);
}

function conflict(what: string): ServiceError {
  return new ServiceError('DeleteConflict', `Cannot delete entity, must delete ${what} first.`, 409);
}

function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...randomBytes(length)].map((byte) => alphabet[byte % 32]).join('');
}
