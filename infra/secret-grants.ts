import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { heldLabel } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import type { RotatorTraits } from '../rotators/rotator';

/** A secret as grants need it. */
export interface SecretReference {
  readonly arn: string;
  /** The customer-managed key that it is encrypted with, if any. */
  readonly keyArn?: string;
}

/** What the grants for one enrolled secret are made from. */
export interface EnrolledSecret {
  readonly secret: SecretReference;
  readonly admin: SecretReference | undefined;
  /** ARN of the path below which its parameters lie. */
  readonly parametersArn: string;
  readonly traits: RotatorTraits;
  /** Region of the secret, for the condition on its key. */
  readonly region: string;
}

/** What each function may do with one enrolled secret; functions that are not here may do nothing with it. */
export const secretGrants = {
  rotation: ({ secret, admin, traits, region }) => [
    // IAM cannot limit PutSecretValue to AWSPENDING; the rotation function has one place that calls it.
    allow(
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      secret.arn,
    ),
    ...useKey(secret, ['kms:Decrypt', 'kms:GenerateDataKey'], region),
    // Only a target that invents credentials itself is asked while the new value is built.
    ...(traits.mint === 'target' ? [...read(admin, region), ...atTarget(traits)] : []),
  ],
  plan: ({ parametersArn }) => [
    // Asked for by the path itself and, page by page, for what lies below it.
    allow(['ssm:GetParametersByPath'], parametersArn, `${parametersArn}/*`),
  ],
  'set-secret': reachTarget,
  'test-secret': ({ secret, traits, region }) => [...read(secret, region), ...atTarget(traits)],
  'finish-secret': ({ secret }) => [
    allow(['secretsmanager:DescribeSecret'], secret.arn),
    new PolicyStatement({
      actions: ['secretsmanager:UpdateSecretVersionStage'],
      resources: [secret.arn],
      conditions: {
        StringEquals: { 'secretsmanager:VersionStage': ['AWSCURRENT', 'AWSPENDING', heldLabel] },
      },
    }),
  ],
  // The secret says where the target is; the admin's need not.
  usage: reachTarget,
  retire: reachTarget,
} as const satisfies Partial<Record<FunctionName, (enrolled: EnrolledSecret) => PolicyStatement[]>>;

/** Functions that work on a credential at its target read it, and the admin's, and can move no label. */
function reachTarget({ secret, admin, traits, region }: EnrolledSecret): PolicyStatement[] {
  return [...read(secret, region), ...read(admin, region), ...atTarget(traits)];
}

function read(secret: SecretReference | undefined, region: string): PolicyStatement[] {
  if (secret === undefined) return [];
  return [allow(['secretsmanager:GetSecretValue'], secret.arn), ...useKey(secret, ['kms:Decrypt'], region)];
}

function useKey(secret: SecretReference, actions: string[], region: string): PolicyStatement[] {
  if (secret.keyArn === undefined) return [];
  return [
    new PolicyStatement({
      actions,
      resources: [secret.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } },
    }),
  ];
}

function atTarget(traits: RotatorTraits): PolicyStatement[] {
  return traits.iam.map(({ actions, resources }) => allow([...actions], ...resources));
}

function allow(actions: string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources });
}
