import { setTimeout as pause } from 'node:timers/promises';
import { consumerParameter, secretNameOf, secretPolicyParameter } from '../../domain/names';
import type { RotatorName } from '../../rotators/registry';
import type { Cloud } from '../cloud';
import type { DeployedResource } from '../cloudformation/deploy-stack';
import type { RehearsalTarget, TargetServer } from '../targets/target';
import type { RehearsalOptions } from './options';

/** Names that the example app gives; the rehearsal finds everything else through the stacks' outputs. */
export const secretName = 'example/app';
const adminName = 'example/app-admin';

/** What the application that is to stay silent is enrolled with, so that nobody waits for a quarter of an hour. */
const shortDeadline = { deadlineSeconds: 4, reminders: 1 };

/**
 * Puts the true credentials into the secrets as soon as the template has made them, as an operator must before the schedule
 * exists: setting it makes Secrets Manager test the credential in use.
 */
export class Seeding {
  private provisioned: RehearsalTarget | undefined;

  constructor(
    private readonly cloud: Cloud,
    private readonly server: TargetServer,
    private readonly rotator: RotatorName,
  ) {}

  get target(): RehearsalTarget {
    if (this.provisioned === undefined) throw new Error(`the stacks hold no secret ${adminName}`);
    return this.provisioned;
  }

  async seed({ type, physicalId: ref }: DeployedResource): Promise<void> {
    if (type !== 'AWS::SecretsManager::Secret') return;
    const name = secretNameOf(ref);
    if (name === adminName) {
      const alternating = this.rotator === 'postgres-alternating';
      this.provisioned = await this.server.provision(alternating ? { adminArn: ref } : {});
      await this.put(ref, this.provisioned.admin);
    }
    if (name === secretName) await this.put(ref, this.target.secret);
  }

  private async put(SecretId: string, SecretString: string): Promise<void> {
    await this.cloud.call('secretsmanager', 'PutSecretValue', {
      SecretId,
      SecretString,
      ClientRequestToken: crypto.randomUUID(),
    });
  }
}

/** Overwrites parameters where the example's own values would make a rehearsal wait. */
export async function enrol(
  cloud: Cloud,
  { rotator, silent }: RehearsalOptions,
  quietSeconds = 1,
): Promise<void> {
  const change = async (Name: string, members: object) => {
    const { Parameter } = await cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name });
    const Value = JSON.stringify({ ...(JSON.parse(Parameter.Value) as object), ...members });
    await cloud.call('ssm', 'PutParameter', { Name, Value, Type: 'String', Overwrite: true });
  };
  await change(secretPolicyParameter(secretName), { rotator, drain: { quietSeconds } });
  if (silent !== undefined) await change(consumerParameter(secretName, silent), shortDeadline);
}

/** Waits for the test that setting the schedule has begun: until AWSPENDING is on no version of its own any more. */
export async function testOfCurrent(cloud: Cloud): Promise<void> {
  const until = Date.now() + 20_000;
  for (;;) {
    const { VersionIdsToStages: stages } = await cloud.call<{ VersionIdsToStages: Record<string, string[]> }>(
      'secretsmanager',
      'DescribeSecret',
      { SecretId: secretName },
    );
    if (
      !Object.values(stages).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'))
    )
      return;
    if (Date.now() > until) throw new Error(`the test of the credential in ${secretName} does not end`);
    await pause(20);
  }
}
