import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { heldLabel } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import type { RotatorTraits, Verb } from '../rotators/rotator';

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
  /** ARNs of the change calendars that its policy names. */
  readonly calendarArns: readonly string[];
  /** ARN of the path below which the turns of its group lie, where its policy names one. */
  readonly turnsArn: string | undefined;
  /** Region of the secret, for the condition on its key. */
  readonly region: string;
  /** ARN of the secret and of its replicas in whatever region. */
  readonly replicasArn: string;
}

/** What each function may do with one enrolled secret; functions that are not here may do nothing with it. */
export const secretGrants = {
  rotation: ({ secret, admin, parametersArn, traits, calendarArns, turnsArn, region }) => [
    // IAM cannot limit PutSecretValue to AWSPENDING; the rotation function has one place that calls it.
    allow(
      ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'],
      secret.arn,
    ),
    ...useKey(secret, ['kms:Decrypt', 'kms:GenerateDataKey'], region),
    // Whether the rotation may begin now: the policy says whom to ask.
    allow(['ssm:GetParameter'], `${parametersArn}/policy`),
    ...(calendarArns.length === 0 ? [] : [allow(['ssm:GetCalendarState'], ...calendarArns)]),
    ...(turnsArn === undefined ? [] : [takeTurns(turnsArn)]),
    // Only a target that invents credentials itself is asked while the new value is built.
    ...(traits.mint === 'target' ? [...read(admin, region), ...atTarget(traits, 'create')] : []),
  ],
  plan: ({ parametersArn }: Pick<EnrolledSecret, 'parametersArn'>) => [
    // Asked for by the path itself and, page by page, for what lies below it.
    allow(['ssm:GetParametersByPath'], parametersArn, `${parametersArn}/*`),
  ],
  'set-secret': reachTarget('apply'),
  'test-secret': ({ secret, traits, region }) => [...read(secret, region), ...atTarget(traits, 'verify')],
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
  usage: reachTarget('usage'),
  retire: reachTarget('retire', 'end'),
  // Labels alone: whether a region serves a version can be seen without its value, and so without the region's key.
  replicas: ({ replicasArn }: Pick<EnrolledSecret, 'replicasArn'>) => [
    allow(['secretsmanager:DescribeSecret'], replicasArn),
  ],
} as const satisfies Partial<Record<FunctionName, (enrolled: EnrolledSecret) => PolicyStatement[]>>;

/** Functions that work on a credential at its target read it, and the admin's, and can move no label. */
function reachTarget(...verbs: readonly Verb[]) {
  return ({ secret, admin, traits, region }: EnrolledSecret): PolicyStatement[] => [
    ...read(secret, region),
    ...read(admin, region),
    ...atTarget(traits, ...verbs),
  ];
}

/**
 * A turn is created once and never overwritten, or two members could have it. One statement, since a role's policies may
 * not grow without bound: to the other actions, which know no such key, the condition is nothing.
 */
function takeTurns(turnsArn: string): PolicyStatement {
  return new PolicyStatement({
    actions: ['ssm:GetParametersByPath', 'ssm:GetParameter', 'ssm:PutParameter', 'ssm:DeleteParameter'],
    resources: [turnsArn, `${turnsArn}/*`],
    conditions: { StringNotEquals: { 'ssm:Overwrite': 'true' } },
  });
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

function atTarget({ iam }: RotatorTraits, ...asked: readonly Verb[]): PolicyStatement[] {
  return iam
    .filter(({ verbs }) => verbs.some((verb) => asked.includes(verb)))
    .map(({ actions, resources }) => allow([...actions], ...resources));
}

function allow(actions: string[], ...resources: string[]): PolicyStatement {
  return new PolicyStatement({ effect: Effect.ALLOW, actions, resources });
}
