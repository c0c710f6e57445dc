import type { Operation, Service, Surroundings } from '../kernel/service';
import type { AuthorizeKeyUse, Context } from './context';
import { lambdaRotationFunctions } from './lambda-port';
import {
  deleteResourcePolicy,
  deleteSecret,
  getResourcePolicy,
  putResourcePolicy,
  restoreSecret,
  tagResource,
  untagResource,
  validateResourcePolicy,
} from './manage-operations';
import {
  batchGetSecretValue,
  describeSecret,
  getRandomPassword,
  getSecretValue,
  listSecrets,
  listSecretVersionIds,
} from './read-operations';
import { replicaRegion, type ReplicaRegion } from './replica-region';
import {
  removeRegionsFromReplication,
  replicateSecretToRegions,
  stopReplicationToReplica,
} from './replica-operations';
import { Replication, replicationTiming, type ReplicationTiming } from './replication';
import { cancelRotateSecret, rotateSecret } from './rotate-operations';
import {
  defaultRepeatPolicy,
  RotationDriver,
  type RepeatPolicy,
  type RotationEvent,
  type RotationFunctions,
} from './rotation-driver';
import { SecretStore, type SecretLabelUpdated, type StoredValue } from './secret-store';
import { createSecret, putSecretValue, updateSecret, updateSecretVersionStage } from './write-operations';

/** What Secrets Manager may be given; everything has a default that uses the embedded cloud itself. */
export interface SecretsManagerOptions {
  /** Receives `Secret Label Updated`, to be put on the default event bus. */
  readonly onLabelUpdated?: (event: SecretLabelUpdated) => void;
  readonly onRotation?: (event: RotationEvent) => void;
  readonly authorizeKeyUse?: AuthorizeKeyUse;
  readonly functions?: RotationFunctions;
  readonly repeatPolicy?: Partial<RepeatPolicy>;
  /** The Secrets Manager of another region of the account, for replicas; none by default. */
  readonly regionAt?: (region: string) => ReplicaRegion | undefined;
  readonly replication?: Partial<ReplicationTiming>;
}

/** The embedded Secrets Manager and what no API of it shows. */
export interface SecretsManager extends Service {
  /** Cancels schedules and repeats; nothing of it keeps the process alive afterwards. */
  stop(): void;
  /** Every secret value that was ever stored, for the search for leaks. */
  storedValues(): readonly StoredValue[];
  /** Takes replicas of secrets of other regions. */
  readonly replicas: ReplicaRegion;
}

const factories = {
  BatchGetSecretValue: batchGetSecretValue,
  CancelRotateSecret: cancelRotateSecret,
  CreateSecret: createSecret,
  DeleteResourcePolicy: deleteResourcePolicy,
  DeleteSecret: deleteSecret,
  DescribeSecret: describeSecret,
  GetRandomPassword: getRandomPassword,
  GetResourcePolicy: getResourcePolicy,
  GetSecretValue: getSecretValue,
  ListSecretVersionIds: listSecretVersionIds,
  ListSecrets: listSecrets,
  PutResourcePolicy: putResourcePolicy,
  PutSecretValue: putSecretValue,
  RemoveRegionsFromReplication: removeRegionsFromReplication,
  ReplicateSecretToRegions: replicateSecretToRegions,
  RestoreSecret: restoreSecret,
  RotateSecret: rotateSecret,
  StopReplicationToReplica: stopReplicationToReplica,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateSecret: updateSecret,
  UpdateSecretVersionStage: updateSecretVersionStage,
  ValidateResourcePolicy: validateResourcePolicy,
} satisfies Readonly<Record<string, (context: Context) => Operation>>;

/** Builds the embedded Secrets Manager. */
export function createSecretsManager(
  surroundings: Surroundings,
  options: SecretsManagerOptions = {},
): SecretsManager {
  const functions = options.functions ?? lambdaRotationFunctions(surroundings);
  const driver: RotationDriver = new RotationDriver({
    clock: surroundings.clock,
    store: () => store,
    functions,
    policy: { ...defaultRepeatPolicy, ...options.repeatPolicy },
    onRotation: (event) => options.onRotation?.(event),
  });
  const store = new SecretStore(surroundings, {
    labelUpdated: (event) => options.onLabelUpdated?.(event),
    currentChanged: (secret, versionId) => driver.currentChanged(secret, versionId),
    changed: (secret) => replication.changed(secret),
  });
  const replication = new Replication({
    ...replicationTiming,
    ...options.replication,
    clock: surroundings.clock,
    region: surroundings.region,
    regionAt: options.regionAt ?? (() => undefined),
  });
  const context: Context = {
    surroundings,
    store,
    driver,
    replication,
    functions,
    authorizeKeyUse: options.authorizeKeyUse,
  };
  return {
    id: 'secretsmanager',
    operations: Object.fromEntries(
      Object.entries(factories).map(([name, factory]) => [name, factory(context)]),
    ),
    stop: () => {
      driver.stop();
      replication.stop();
    },
    replicas: replicaRegion(context),
    storedValues: () => store.storedValues(),
  };
}
