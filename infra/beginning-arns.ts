import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { groupTurns } from '../domain/names';
import type { PolicyInput } from '../domain/policy';

/** ARNs of what the rotation function asks before a rotation begins; only what the policy names. */
export interface BeginningArns {
  readonly calendarArns: readonly string[];
  /** The path below which the turns of the policy's group lie. */
  readonly turnsArn: string | undefined;
}

/** Finds out from a policy whom the rotation function has to ask; calendars by name are those of the stack's region. */
export function beginningArnsOf(
  scope: Construct,
  policy: Omit<PolicyInput, 'rotator' | 'admin'> = {},
): BeginningArns {
  const stack = Stack.of(scope);
  const arnOf = (resource: string, resourceName: string) =>
    stack.formatArn({ service: 'ssm', resource, resourceName, arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
  return {
    calendarArns: (policy.changeCalendars ?? []).map((calendar) =>
      calendar.startsWith('arn:') ? calendar : arnOf('document', calendar),
    ),
    // The path begins with the slash that an ARN has before a resource's name.
    turnsArn:
      policy.group === undefined ? undefined : arnOf('parameter', groupTurns(policy.group.name).slice(1)),
  };
}
