import { type Duration, Stack } from 'aws-cdk-lib';
import type { Policy } from 'aws-cdk-lib/aws-iam';
import { CfnRotationSchedule } from 'aws-cdk-lib/aws-secretsmanager';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { secretPolicyParameter } from '../domain/names';
import { parsePolicy, refuseUnkept, type PolicyInput } from '../domain/policy';
import { rotators, type RotatorName } from '../rotators/registry';
import { acceptPattern } from './accepted';
import { beginningArnsOf } from './beginning-arns';
import { checkAdmin, checkRotators, checkSchedule, checkSecretName } from './checks';
import { followRule } from './follow-rule';
import type { OtherAccounts } from './other-accounts';
import type { RotationOrchestrator } from './rotation-orchestrator';
import { mayFollow } from './followed-secret';
import { pascalCase } from './rotor-functions';
import { type EnrolledSecret, secretGrants } from './secret-grants';
import { letOthersRead } from './secret-readers';
import { parametersArnOf, replicasArnOf } from './secret-arns';
import { attachGrants, referTo, type SecretLike } from './secret-policies';

/** When a secret is rotated. */
export interface RotationWindow {
  /** `rate(30 days)` or `cron(0 4 ? * SUN *)`, in UTC; four hours apart at least, at minute 0. */
  readonly expression: string;
  /** How long Secrets Manager may take to begin, and repeats what failed. Default: until the end of the UTC day. */
  readonly duration?: Duration;
}

/** One secret, how Rotor rotates it, and which other accounts read it. */
export interface RotatedSecretProps extends OtherAccounts {
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
  /**
   * Bring a value that somebody else writes to the applications too, a person for example: they are asked as in a
   * rotation, and nothing is stopped. Default: false.
   */
  readonly follow?: boolean;
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
    const { orchestrator, secretName, rotator, admin } = props;
    checkSecretName(this, secretName, props.secret.secretArn);
    checkRotators(this, [rotator]);
    checkAdmin(this, props.secret, admin);
    checkSchedule(this, props.schedule);
    const traits = rotators[rotator].traits(props.policy?.settings);
    if (!orchestrator.rotators.includes(rotator)) {
      throw new Error(
        `${this.node.path}: the orchestrator was made without rotator ${rotator}; add it to its rotators`,
      );
    }
    if (traits.admin === 'required' && admin === undefined) {
      throw new Error(`${this.node.path}: rotator ${rotator} needs the admin's secret`);
    }
    const stack = Stack.of(this);
    const parameter = new StringParameter(this, 'Policy', {
      parameterName: secretPolicyParameter(secretName),
      description: `How Rotor rotates ${secretName}`,
      stringValue: this.policyText(props),
    });
    letOthersRead(this, props.secret, props);
    const enrolled: EnrolledSecret = {
      secret: referTo(props.secret),
      admin: admin === undefined ? undefined : referTo(admin),
      parametersArn: parametersArnOf(this, secretName),
      traits,
      ...beginningArnsOf(this, props.policy),
      region: stack.region,
      replicasArn: replicasArnOf(this, secretName),
    };
    const grants = attachGrants(this, props, {
      ...grantsOf(enrolled),
      ...(props.follow === true ? { follow: mayFollow(enrolled.secret) } : {}),
    });
    this.acceptTurns(grants, enrolled);
    if (props.follow === true) followRule(this, orchestrator, secretName);
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: props.secret.secretArn,
      rotationLambdaArn: orchestrator.functions.rotation.function.functionArn,
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
    schedule.node.addDependency(parameter, orchestrator, ...grants);
  }

  private acceptTurns(grants: readonly Policy[], { turnsArn }: EnrolledSecret): void {
    const rotation = grants.find(({ node }) => node.id === pascalCase('rotation'));
    if (turnsArn === undefined || rotation === undefined) return;
    acceptPattern(rotation, `${turnsArn}/*`, 'The turns of this one group: their numbers go up for ever.');
  }

  private policyText({ secretName, rotator, admin, policy }: RotatedSecretProps): string {
    const input: PolicyInput = {
      rotator,
      ...(admin === undefined ? {} : { admin: admin.secretArn }),
      ...policy,
    };
    // What Plan would refuse in the night is refused here.
    const { drain, settings } = parsePolicy(JSON.stringify(input), `policy of ${secretName}`);
    refuseUnkept(drain.openSessions, rotators[rotator].traits(settings), rotator);
    return Stack.of(this).toJsonString(input);
  }
}

/** What each function may do with the secret. */
function grantsOf(enrolled: EnrolledSecret) {
  const names = Object.keys(secretGrants) as (keyof typeof secretGrants)[];
  return Object.fromEntries(names.map((name) => [name, secretGrants[name](enrolled)]));
}
