import type { Progress } from '../adapter';
import type { CommandInvocation, SentCommand } from './commands';
import type { SsmSettings } from './definition';

/** So many instances a reason names. */
const mostNamed = 5;

/** Details that say nothing about the command itself: Systems Manager did not get an answer from the node. */
const unreached: readonly string[] = ['Undeliverable', 'DeliveryTimedOut'];

/** Details of invocations that still go on. */
const underWay: readonly string[] = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];

/**
 * Says what an ended command means for the application: `done` only where it has ended well at every instance that it went
 * to. An instance with the tags that Systems Manager does not manage is none of them, and nothing here shows it; that there
 * are fewer than the settings say does.
 *
 * The status of the command as a whole is not asked. AWS calls a command a success that did not reach four instances of
 * five, or that found none, and one that has failed at fewer instances than MaxErrors allows.
 */
export function verdictOf(
  command: SentCommand,
  invocations: readonly CommandInvocation[],
  { unreachable, minimumInstances = 1 }: Pick<SsmSettings, 'unreachable' | 'minimumInstances'>,
): Progress {
  if (invocations.length < command.targets || invocations.some(({ details }) => underWay.includes(details)))
    return { state: 'working' };
  if (invocations.length === 0)
    // A success at no instance is not: lists are behind, and the next look shows where it was.
    return command.details === 'Success'
      ? { state: 'working' }
      : { state: 'refused', reason: emptyReason(command) };
  const succeeded = invocations.filter(({ details }) => details === 'Success');
  const counted = invocations.filter(({ details }) => details !== 'Success');
  const failed =
    unreachable === 'accept' && succeeded.length > 0
      ? counted.filter(({ details }) => !unreached.includes(details))
      : counted;
  if (failed.length > 0)
    return { state: 'refused', reason: failureReason(command, failed, invocations.length) };
  if (invocations.length < minimumInstances)
    return { state: 'refused', reason: tooFewReason(command, invocations.length, minimumInstances) };
  return { state: 'done' };
}

function emptyReason({ commandId, details }: SentCommand): string {
  return details === 'NoInstancesInTag'
    ? `NoInstancesInTag: no managed instance has the tags of the settings (command ${commandId})`
    : `CommandFailed: ${details} before any instance was reached (command ${commandId})`;
}

function tooFewReason({ commandId }: SentCommand, found: number, wanted: number): string {
  return (
    `TooFewInstances: Systems Manager found ${found} of at least ${wanted} instances (command ${commandId}); ` +
    'it does not see those that it does not manage'
  );
}

/** Those that have failed come before those that AWS has left alone because of them. */
function failureReason(
  { commandId }: SentCommand,
  failed: readonly CommandInvocation[],
  all: number,
): string {
  const inOrder = [
    ...failed.filter(({ details }) => details !== 'Terminated'),
    ...failed.filter(({ details }) => details === 'Terminated'),
  ];
  const named = inOrder.slice(0, mostNamed).map(({ instanceId, details }) => `${instanceId} ${details}`);
  const more = failed.length > mostNamed ? ' …' : '';
  return `CommandFailed: ${failed.length} of ${all} instances (command ${commandId}): ${named.join(', ')}${more}`;
}
