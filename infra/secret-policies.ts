import { createHash } from 'node:crypto';
import { Policy, type PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { parameterLevel } from '../domain/names';
import type { FunctionName } from '../functions/environment';
import { acceptPattern } from './accepted';
import type { RotationOrchestrator } from './rotation-orchestrator';
import { pascalCase } from './rotor-functions';
import { parametersArnOf, replicasArnOf } from './secret-arns';
import type { SecretReference } from './secret-grants';

/** A secret of this app or of another: any `ISecret`, or the ARN alone. */
export interface SecretLike {
  readonly secretArn: string;
  /** The ARN with its six last characters; absent: `secretArn` is taken to lack them. */
  readonly secretFullArn?: string | undefined;
  /** Its key, where that is a customer-managed one; the key's policy has to leave access to IAM. */
  readonly encryptionKey?: { readonly keyArn: string } | undefined;
}

/** What the grants of one secret are attached to. */
export interface EnrolledIn {
  readonly orchestrator: RotationOrchestrator;
  readonly secretName: string;
}

/** A secret as grants need it. */
export function referTo(secret: SecretLike): SecretReference {
  return {
    // Without the six characters that AWS appends, an ARN names no secret for IAM; each may be any character.
    arn: secret.secretFullArn ?? `${secret.secretArn}-??????`,
    ...(secret.encryptionKey === undefined ? {} : { keyArn: secret.encryptionKey.keyArn }),
  };
}

/**
 * Lets each function do with one secret what its statements say; functions without any get no policy.
 *
 * The policies lie in the scope's own stack, so that references go one way.
 */
export function attachGrants(
  scope: Construct,
  { orchestrator, secretName }: EnrolledIn,
  statements: { readonly [Name in FunctionName]?: PolicyStatement[] },
): Policy[] {
  return (Object.keys(statements) as FunctionName[]).flatMap((name) => {
    const given = statements[name] ?? [];
    if (given.length === 0) return [];
    const policy = new Policy(scope, pascalCase(name), {
      policyName: policyName(name, secretName),
      roles: [orchestrator.functions[name].role],
      statements: given,
    });
    if (name === 'plan') {
      acceptPattern(
        policy,
        `${parametersArnOf(scope, secretName)}/*`,
        'Consumers of this secret enrol themselves below this path, so their names are not known here.',
      );
    }
    if (name === 'replicas') {
      acceptPattern(
        policy,
        replicasArnOf(scope, secretName),
        'The replicas of this one secret: regions may be added without a deployment, and labels are all that is read.',
      );
    }
    return [policy];
  });
}

/** Names of policies must differ within a role, also between stacks that do not know of each other. */
function policyName(name: FunctionName, secretName: string): string {
  const full = `rotor-${name}-${parameterLevel(secretName)}`;
  // IAM allows 128 characters.
  return full.length <= 128
    ? full
    : `${full.slice(0, 111)}-${createHash('sha256').update(secretName).digest('hex').slice(0, 16)}`;
}
