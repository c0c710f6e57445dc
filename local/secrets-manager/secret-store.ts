import { randomBytes } from 'node:crypto';
import type { Clock } from '../kernel/clock';
import { ServiceError } from '../kernel/service';
import { attached, type Labels } from './labels';
import { versionsToPrune, type Secret, type SecretValue, type Version } from './secret';

/** An event as Secrets Manager sends it to the default bus of EventBridge. */
export interface SecretLabelUpdated {
  readonly source: 'aws.secretsmanager';
  readonly detailType: 'Secret Label Updated';
  readonly resources: readonly string[];
  readonly detail: { readonly name: string; readonly labelUpdated: string; readonly versionId: string };
}

/** A value that was stored at some time, for whoever looks for leaks. */
export interface StoredValue {
  readonly secretArn: string;
  readonly versionId: string;
  readonly value: SecretValue;
}

/** What the store tells others about changes. */
export interface StoreListener {
  /** A label came to a version; AWS reports every label but AWSPENDING and AWSPREVIOUS. */
  labelUpdated(event: SecretLabelUpdated): void;
  /** AWSCURRENT is on another version than before. */
  currentChanged(secret: Secret, versionId: string): void;
  /** Values or labels are others than before. */
  changed(secret: Secret): void;
}

/** The account's secrets, their versions and labels. */
export class SecretStore {
  private readonly secrets = new Map<string, Secret>();
  private readonly stored: StoredValue[] = [];

  constructor(
    private readonly where: {
      readonly account: string;
      readonly region: string;
      readonly partition: string;
      readonly clock: Clock;
    },
    private readonly listener: StoreListener,
  ) {}

  /** Adds a secret without versions; the caller has checked that the name is free. */
  create(name: string): Secret {
    const now = this.where.clock.now();
    const secret: Secret = {
      arn: this.arnOf(name),
      name,
      createdAt: now,
      description: undefined,
      kmsKeyId: undefined,
      changedAt: now,
      accessedAt: undefined,
      deletion: undefined,
      tags: undefined,
      policy: undefined,
      versions: new Map(),
      labels: new Map(),
      rotation: undefined,
      replicas: new Map(),
      primaryRegion: undefined,
    };
    this.secrets.set(secret.arn, secret);
    return secret;
  }

  /** The ARN of a new secret of this name, with AWS's six random characters. */
  arnOf(name: string): string {
    const { partition, region, account } = this.where;
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    const suffix = Array.from(randomBytes(6), (byte) => letters[byte % letters.length]).join('');
    return `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
  }

  /** Finds a secret by ARN, by ARN without the random characters, or by name. */
  find(secretId: string): Secret | undefined {
    this.purge();
    const exact = this.secrets.get(secretId);
    if (exact !== undefined) return exact;
    const { partition, region, account } = this.where;
    const prefix = `arn:${partition}:secretsmanager:${region}:${account}:secret:`;
    // An ARN of another account or region names nothing here, even where the names agree.
    const name = secretId.startsWith(prefix) ? secretId.slice(prefix.length) : secretId;
    return this.all().find((secret) => secret.name === name);
  }

  /** Every secret, deleted ones within their recovery window included, oldest first. */
  all(): readonly Secret[] {
    this.purge();
    return [...this.secrets.values()];
  }

  /** Removes a secret for good. */
  remove(secret: Secret): void {
    this.secrets.delete(secret.arn);
  }

  /** Adds a version without a value and without labels; LimitExceededException beyond 100 that cannot be pruned. */
  addVersion(secret: Secret, versionId: string): Version {
    const now = this.where.clock.now();
    for (const id of versionsToPrune(secret, now)) secret.versions.delete(id);
    if (secret.versions.size >= 100)
      throw new ServiceError(
        'LimitExceededException',
        "You can't have more than 100 versions of a secret, and none that is younger than 24 hours is removed.",
      );
    const version: Version = {
      id: versionId,
      createdAt: now,
      accessedAt: undefined,
      value: undefined,
      writtenBy: undefined,
      carriedToken: false,
    };
    secret.versions.set(versionId, version);
    return version;
  }

  /** Removes a version and the labels on it: only for the temporary version of a rotation's test. */
  removeVersion(secret: Secret, versionId: string): void {
    secret.versions.delete(versionId);
    secret.labels = new Map([...secret.labels].filter(([id]) => id !== versionId));
    this.listener.changed(secret);
  }

  /** Writes a version's value, and keeps it for the search for leaks. */
  setValue(secret: Secret, version: Version, value: SecretValue): void {
    version.value = value;
    this.stored.push({ secretArn: secret.arn, versionId: version.id, value });
    this.listener.changed(secret);
  }

  /** Takes a replica in place of the one before, and keeps when that one was read last. */
  putReplica(copy: Secret, accessedAt: number | undefined): void {
    copy.accessedAt = accessedAt;
    this.secrets.set(copy.arn, copy);
  }

  /** Sets a secret's labels and tells the listener what moved. */
  setLabels(secret: Secret, labels: Labels): void {
    const moved = attached(secret.labels, labels);
    secret.labels = labels;
    this.listener.changed(secret);
    for (const { label, versionId } of moved) {
      if (label === 'AWSPENDING' || label === 'AWSPREVIOUS') continue;
      if (label === 'AWSCURRENT') this.listener.currentChanged(secret, versionId);
      this.listener.labelUpdated({
        source: 'aws.secretsmanager',
        detailType: 'Secret Label Updated',
        resources: [secret.arn],
        detail: { name: secret.name, labelUpdated: label, versionId },
      });
    }
  }

  /** Every value that any version of any secret ever had, also of secrets and versions that are gone. */
  storedValues(): readonly StoredValue[] {
    return this.stored;
  }

  private purge(): void {
    const now = this.where.clock.now();
    for (const secret of this.secrets.values())
      if (secret.deletion !== undefined && secret.deletion.goneAt <= now) this.secrets.delete(secret.arn);
  }
}
