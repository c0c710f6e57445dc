import { Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { secretPolicyParameter } from '../domain/names';
import { parsePolicy, type PolicyInput } from '../domain/policy';
import { checkSecretName } from './checks';
import { followRule } from './follow-rule';
import type { RotationOrchestrator } from './rotation-orchestrator';
import { secretGrants, type SecretReference } from './secret-grants';
import { parametersArnOf, replicasArnOf } from './secret-arns';
import { attachGrants, referTo, type SecretLike } from './secret-policies';

/** One secret that something else rotates. */
export interface FollowedSecretProps {
  readonly orchestrator: RotationOrchestrator;
  readonly secret: SecretLike;
  /** The secret's name, in letters: the name of its parameters is made from it, and a reference cannot be mapped. */
  readonly secretName: string;
  /** Bounds of deadlines, the pause between waves, quorums; the defaults are those of domain/policy.ts. */
  readonly consumers?: NonNullable<PolicyInput['consumers']>;
}

/**
 * Enrols a secret for following: whenever AWSCURRENT moves, by AWS's managed rotation, a partner or a person, its
 * applications are asked to load the new version, wave by wave, and waited for.
 *
 * Rotor reads no value of it, moves no label and reaches no target. Like a `RotatedSecret` it may stand in any stack.
 */
export class FollowedSecret extends Construct {
  constructor(scope: Construct, id: string, props: FollowedSecretProps) {
    super(scope, id);
    const { orchestrator, secretName, consumers } = props;
    checkSecretName(this, secretName, props.secret.secretArn);
    const policy: PolicyInput = consumers === undefined ? {} : { consumers };
    // What Plan would refuse in the night is refused here.
    parsePolicy(JSON.stringify(policy), `policy of ${secretName}`);
    const parameter = new StringParameter(this, 'Policy', {
      parameterName: secretPolicyParameter(secretName),
      description: `How Rotor follows ${secretName}`,
      stringValue: Stack.of(this).toJsonString(policy),
    });
    const secret = referTo(props.secret);
    const grants = attachGrants(this, props, {
      plan: secretGrants.plan({ parametersArn: parametersArnOf(this, secretName) }),
      // It says where the labels are when an application refuses.
      'finish-secret': mayDescribe(secret),
      replicas: secretGrants.replicas({ replicasArn: replicasArnOf(this, secretName) }),
      follow: mayFollow(secret),
    });
    // The first event may come as soon as there is a rule.
    followRule(this, orchestrator, secretName).node.addDependency(parameter, ...grants);
  }
}

/** What the function `follow` does with a secret. */
export function mayFollow(secret: SecretReference): PolicyStatement[] {
  return mayDescribe(secret);
}

function mayDescribe(secret: SecretReference): PolicyStatement[] {
  return [
    new PolicyStatement({
      effect: Effect.ALLOW,
      actions: ['secretsmanager:DescribeSecret'],
      resources: [secret.arn],
    }),
  ];
}
