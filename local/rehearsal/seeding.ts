import { setTimeout as pause } from 'node:timers/promises';
import { consumerParameter, secretNameOf, secretPolicyParameter } from '../../domain/names';
import { rotators } from '../../rotators/registry';
import type { Cloud } from '../cloud';
import type { DeployedResource } from '../cloudformation/deploy-stack';
import type { RehearsalTarget, TargetServer } from '../targets/target';
import { applicationNames, type RehearsalOptions } from './options';

/** Long enough for a session to be seen, and short enough for somebody who watches. */
const drainDeadlineSeconds = 3;

/** Names that the example app gives; the rehearsal finds everything else through the stacks' outputs. */
export const secretName = 'example/app';
const adminName = 'example/app-admin';

/**
 * Puts the true credentials into the secrets, and where the target is into the policy, as soon as the template has made
 * them, as an operator must before the schedule exists: setting it makes Secrets Manager test the credential in use.
 */
export class Seeding {
  private provisioned: Promise<RehearsalTarget> | undefined;
  private adminArn: string | undefined;

  constructor(
    private readonly cloud: Cloud,
    private readonly server: TargetServer,
    private readonly options: RehearsalOptions,
    private readonly quietSeconds: number,
  ) {}

  /** The credential that is rotated, once the stacks have a secret for it. */
  target(): Promise<RehearsalTarget> {
    return (this.provisioned ??= this.server.provision(
      this.adminArn === undefined ? {} : { adminArn: this.adminArn },
    ));
  }

  async seed({ type, physicalId: ref }: DeployedResource): Promise<void> {
    if (type === 'AWS::SSM::Parameter' && ref === secretPolicyParameter(secretName)) await this.settle();
    if (type !== 'AWS::SecretsManager::Secret') return;
    const name = secretNameOf(ref);
    if (name === adminName) {
      // The ARN in the secret is what asks for alternating users; elsewhere the policy alone names the admin.
      if (rotators[this.options.rotator].example.adminMember !== undefined) this.adminArn = ref;
      const { admin } = await this.target();
      if (admin !== undefined) await this.put(ref, admin);
    }
    if (name === secretName) await this.put(ref, (await this.target()).secret);
  }

  private async settle(): Promise<void> {
    const { settings } = await this.target();
    await changeParameter(this.cloud, secretPolicyParameter(secretName), {
      drain: {
        quietSeconds: this.quietSeconds,
        ...(this.options.drain === undefined
          ? {}
          : {
              openSessions: this.options.drain,
              deadlineSeconds: this.quietSeconds + drainDeadlineSeconds,
            }),
      },
      ...(settings === undefined ? {} : { settings }),
    });
  }

  private async put(SecretId: string, SecretString: string): Promise<void> {
    await this.cloud.call('secretsmanager', 'PutSecretValue', {
      SecretId,
      SecretString,
      ClientRequestToken: crypto.randomUUID(),
    });
  }
}

/** Gives an application that is to stay silent little time, so that nobody waits for a quarter of an hour. */
export async function shortenDeadline(cloud: Cloud, { silent }: RehearsalOptions): Promise<void> {
  if (silent === undefined) return;
  await changeParameter(cloud, consumerParameter(secretName, silent), { deadlineSeconds: 4, reminders: 1 });
}

/** Waits for each application so long, whatever the example says. */
export async function setDeadlines(cloud: Cloud, deadlineSeconds: number): Promise<void> {
  for (const name of applicationNames)
    await changeParameter(cloud, consumerParameter(secretName, name), { deadlineSeconds });
}

/** Overwrites members of a parameter that holds JSON. */
export async function changeParameter(cloud: Cloud, Name: string, members: object): Promise<void> {
  const { Parameter } = await cloud.call<{ Parameter: { Value: string } }>('ssm', 'GetParameter', { Name });
  const Value = JSON.stringify({ ...(JSON.parse(Parameter.Value) as object), ...members });
  await cloud.call('ssm', 'PutParameter', { Name, Value, Type: 'String', Overwrite: true });
}

/** The test takes two seconds, and many where all processors are at work; only one that hangs is given up. */
const testPatienceMs = 120_000;

/** Waits for the test that setting the schedule has begun: until AWSPENDING is on no version of its own any more. */
export async function testOfCurrent(cloud: Cloud, secret = secretName): Promise<void> {
  const until = Date.now() + testPatienceMs;
  for (;;) {
    const { VersionIdsToStages: stages } = await cloud.call<{ VersionIdsToStages: Record<string, string[]> }>(
      'secretsmanager',
      'DescribeSecret',
      { SecretId: secret },
    );
    if (
      !Object.values(stages).some((labels) => labels.includes('AWSPENDING') && !labels.includes('AWSCURRENT'))
    )
      return;
    if (Date.now() > until) throw new Error(`the test of the credential in ${secret} does not end`);
    await pause(20);
  }
}
