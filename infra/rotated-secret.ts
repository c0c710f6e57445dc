import { createHash } from 'node:crypto';
import { ArnFormat, type Duration, Stack, Token } from 'aws-cdk-lib';
import { Policy } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { parameterLevel, secretParameters, secretPolicyParameter } from '../domain/names';
import { parsePolicy, type PolicyInput } from '../domain/policy';
import type { FunctionName } from '../functions/environment';
import { rotators, type RotatorName } from '../rotators/registry';
import { acceptPattern } from './accepted';
import type { RotationOrchestrator } from './rotation-orchestrator';
import { pascalCase } from './rotor-functions';
import { type EnrolledSecret, secretGrants, type SecretReference } from './secret-grants';

/** When a secret is rotated. */
export interface RotationWindow {
  /** `rate(30 days)` or `cron(0 4 ? * SUN *)`, in UTC; four hours apart at least, at minute 0. */
  readonly expression: string;
  /** How long Secrets Manager may take to begin, and repeats what failed. Default: until the end of the UTC day. */
  readonly duration?: Duration;
}

/** A secret of this app or of another: any `ISecret`, or the ARN alone. */
export interface SecretLike {
  readonly secretArn: string;
  /** The ARN with its six last characters; absent: `secretArn` is taken to lack them. */
  readonly secretFullArn?: string | undefined;
  /** Its key, where that is a customer-managed one; the key's policy has to leave access to IAM. */
  readonly encryptionKey?: { readonly keyArn: string } | undefined;
}

/** One secret, and how Rotor rotates it. */
export interface RotatedSecretProps {
  readonly orchestrator: RotationOrchestrator;
  readonly secret: SecretLike;
  /** The secret's name, in letters: the name of its parameters is made from it, and a reference cannot be mapped. */
  readonly secretName: string;
  readonly rotator: RotatorName;
  /** Secret of the user that may change others at the target. */
  readonly admin?: SecretLike;
  readonly schedule: RotationWindow;
  /** Everything else that the policy may say; the defaults are those of domain/policy.ts. */
  readonly policy?: Omit<PolicyInput, 'rotator' | 'admin'>;
  /** Rotate on deployment and on every change of the schedule. Default: false; AWS only tests the function then. */
  readonly rotateImmediately?: boolean;
}

/**
 * Enrols a secret: its policy as a parameter, what each function may do with it, and last its schedule.
 *
 * It may stand in another stack than the orchestrator: everything it makes lies in its own, so that references go one
 * way. Its grants are inline policies of the functions' roles, one each; IAM allows 10,240 characters of them a role,
 * which is enough for some twenty secrets.
 */
export class RotatedSecret extends Construct {
  constructor(scope: Construct, id: string, props: RotatedSecretProps) {
    super(scope, id);
    const { secretName, rotator, admin } = props;
    if (Token.isUnresolved(secretName)) {
      throw new Error(`${this.node.path}: secretName must be the name in letters, not a reference`);
    }
    const traits = rotators[rotator].traits;
    if (traits.admin === 'required' && admin === undefined) {
      throw new Error(`${this.node.path}: rotator ${rotator} needs the admin's secret`);
    }
    const stack = Stack.of(this);
    const parameter = new StringParameter(this, 'Policy', {
      parameterName: secretPolicyParameter(secretName),
      description: `How Rotor rotates ${secretName}`,
      stringValue: this.policyText(props),
    });
    const grants = this.grant(props.orchestrator, secretName, {
      secret: referTo(props.secret),
      admin: admin === undefined ? undefined : referTo(admin),
      parametersArn: stack.formatArn({
        service: 'ssm',
        resource: 'parameter',
        // The name begins with the slash that an ARN has before a resource's name.
        resourceName: secretParameters(secretName).slice(1),
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
      traits,
      region: stack.region,
    });
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: props.secret.secretArn,
      rotationLambdaArn: props.orchestrator.functions.rotation.function.functionArn,
      rotationRules: {
        scheduleExpression: props.schedule.expression,
        ...(props.schedule.duration === undefined
          ? {}
          : { duration: `${props.schedule.duration.toHours().toString()}h` }),
      },
      rotateImmediatelyOnUpdate: props.rotateImmediately ?? false,
    });
    // Secrets Manager calls the function as soon as there is a schedule, if only to test it; everything that the
    // function needs has to be there before.
    schedule.node.addDependency(parameter, props.orchestrator, ...grants);
  }

  private policyText({ secretName, rotator, admin, policy }: RotatedSecretProps): string {
    const input: PolicyInput = {
      rotator,
      ...(admin === undefined ? {} : { admin: admin.secretArn }),
      ...policy,
    };
    // What Plan would refuse in the night is refused here.
    parsePolicy(JSON.stringify(input), `policy of ${secretName}`);
    return Stack.of(this).toJsonString(input);
  }

  private grant(orchestrator: RotationOrchestrator, secretName: string, enrolled: EnrolledSecret): Policy[] {
    return (Object.keys(secretGrants) as (keyof typeof secretGrants)[]).flatMap((name) => {
      const statements = secretGrants[name](enrolled);
      if (statements.length === 0) return [];
      const policy = new Policy(this, pascalCase(name), {
        policyName: policyName(name, secretName),
        roles: [orchestrator.functions[name].role],
        statements,
      });
      if (name === 'plan') {
        acceptPattern(
          policy,
          `${enrolled.parametersArn}/*`,
          'Consumers of this secret enrol themselves below this path, so their names are not known here.',
        );
      }
      return [policy];
    });
  }
}

/** Names of policies must differ within a role, also between stacks that do not know of each other. */
function policyName(name: FunctionName, secretName: string): string {
  const full = `rotor-${name}-${parameterLevel(secretName)}`;
  // IAM allows 128 characters.
  return full.length <= 128
    ? full
    : `${full.slice(0, 111)}-${createHash('sha256').update(secretName).digest('hex').slice(0, 16)}`;
}

function referTo(secret: SecretLike): SecretReference {
  return {
    // Without the six characters that AWS appends, an ARN names no secret for IAM; each may be any character.
    arn: secret.secretFullArn ?? `${secret.secretArn}-??????`,
    ...(secret.encryptionKey === undefined ? {} : { keyArn: secret.encryptionKey.keyArn }),
  };
}
