import { createHash } from 'node:crypto';
import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import { type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { parameterLevel } from '../domain/names';
import { currentMovedPattern } from './event-patterns';
import type { RotationOrchestrator } from './rotation-orchestrator';

/** How the names of all rules begin that bring moves of AWSCURRENT to Rotor. */
const namePrefix = 'rotor-follow-';

/**
 * Lets every rule of this account and region whose name begins as those of followed secrets do invoke the function
 * `follow`, and leave what it could not deliver in the dead-letter queue.
 *
 * By a pattern and once: a permission for each rule would make the orchestrator's stack refer to the stacks of its
 * secrets, and Lambda takes 20 KB of such a policy, which is some fifty rules.
 */
export function admitFollowRules(orchestrator: RotationOrchestrator): void {
  const { functions, deadLetters } = orchestrator;
  const stack = Stack.of(orchestrator);
  const rules = stack.formatArn({
    service: 'events',
    resource: 'rule',
    resourceName: `${namePrefix}*`,
    arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
  });
  functions.follow.function.addPermission('FollowRules', {
    principal: new ServicePrincipal('events.amazonaws.com'),
    sourceArn: rules,
  });
  deadLetters.addToResourcePolicy(
    new PolicyStatement({
      sid: 'FollowRules',
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['sqs:SendMessage'],
      resources: [deadLetters.queueArn],
      conditions: { ArnLike: { 'aws:SourceArn': rules } },
    }),
  );
}

/** The rule on the default bus that brings every move of AWSCURRENT of one secret to Rotor. */
export function followRule(scope: Construct, orchestrator: RotationOrchestrator, secretName: string): Rule {
  const { functions, deadLetters } = orchestrator;
  const target: IRuleTarget = {
    // Not CDK's own target, which would add a permission for this rule.
    bind: () => ({
      arn: functions.follow.function.functionArn,
      deadLetterConfig: { arn: deadLetters.queueArn },
      // The longest that EventBridge tries: nobody else tells the applications.
      retryPolicy: {
        maximumEventAgeInSeconds: Duration.hours(24).toSeconds(),
        maximumRetryAttempts: 185,
      },
    }),
  };
  return new Rule(scope, 'MovesOfCurrent', {
    ruleName: ruleName(secretName),
    description: `Moves of AWSCURRENT of ${secretName}, for the applications that use it`,
    eventPattern: currentMovedPattern(secretName, Stack.of(scope)),
    targets: [target],
  });
}

/** EventBridge allows 64 characters. */
function ruleName(secretName: string): string {
  const full = `${namePrefix}${parameterLevel(secretName)}`;
  return full.length <= 64
    ? full
    : `${full.slice(0, 51)}-${createHash('sha256').update(secretName).digest('hex').slice(0, 12)}`;
}
