/** What a command's invocation at one node has come to, in AWS's words (Command, "Understanding command statuses"). */
export type InvocationDetails =
  | 'Pending'
  | 'InProgress'
  | 'Success'
  | 'Failed'
  | 'ExecutionTimedOut'
  | 'DeliveryTimedOut'
  | 'Undeliverable'
  | 'Terminated'
  | 'InvalidPlatform'
  | 'AccessDenied';

/** What a command as a whole has come to. */
export type CommandDetails =
  | 'Pending'
  | 'InProgress'
  | 'Success'
  | 'Failed'
  | 'ExecutionTimedOut'
  | 'DeliveryTimedOut'
  | 'Incomplete'
  | 'NoInstancesInTag';

/** One command at one node. */
export interface Invocation {
  readonly instanceId: string;
  readonly requestedAt: number;
  details: InvocationDetails;
}

/** One criterion of SendCommand's Targets. */
export interface Target {
  readonly Key: string;
  readonly Values: readonly string[];
}

/** One call of SendCommand, and what has become of it. Times are milliseconds since the epoch. */
export interface Command {
  readonly commandId: string;
  readonly documentName: string;
  readonly comment: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  readonly instanceIds: readonly string[];
  readonly targets: readonly Target[];
  /** As given: a number, or a percentage of the targets. */
  readonly maxConcurrency: string;
  readonly maxErrors: string;
  readonly timeoutSeconds: number;
  readonly executionTimeoutSeconds: number;
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** Empty until the targets are found out. */
  invocations: readonly Invocation[];
  details: CommandDetails;
}

const statuses = {
  Pending: 'Pending',
  InProgress: 'InProgress',
  Success: 'Success',
  Failed: 'Failed',
  ExecutionTimedOut: 'TimedOut',
  DeliveryTimedOut: 'TimedOut',
  Undeliverable: 'Failed',
  Terminated: 'Cancelled',
  InvalidPlatform: 'Failed',
  AccessDenied: 'Failed',
  Incomplete: 'Failed',
  // Observed and not documented: nothing has failed where there was nothing to do.
  NoInstancesInTag: 'Success',
} as const satisfies Readonly<Record<InvocationDetails | CommandDetails, string>>;

/** The coarse status beside the details. */
export function statusOf(details: InvocationDetails | CommandDetails): string {
  return statuses[details];
}

/** Whether nothing more happens to a command or to an invocation of it. */
export function isEnded(details: InvocationDetails | CommandDetails): boolean {
  return details !== 'Pending' && details !== 'InProgress';
}

/** How many invocations have come to one of these details. */
export function count({ invocations }: Command, ...details: readonly InvocationDetails[]): number {
  return invocations.filter((invocation) => details.includes(invocation.details)).length;
}

/** What MaxErrors and MaxConcurrency come to: a number, or a percentage of the targets, rounded down. */
export function limitOf(text: string, targets: number): number {
  return text.endsWith('%') ? Math.floor((targets * Number(text.slice(0, -1))) / 100) : Number(text);
}

/** Whether so many have failed that AWS sends the command to nobody else. */
export function isOverErrors(command: Command): boolean {
  return (
    count(command, 'Failed', 'ExecutionTimedOut') > limitOf(command.maxErrors, command.invocations.length)
  );
}

/** What a command comes to whose invocations have all ended. */
export function outcomeOf(command: Command): CommandDetails {
  const { length } = command.invocations;
  if (length === 0) return 'NoInstancesInTag';
  if (isOverErrors(command)) return count(command, 'Failed') > 0 ? 'Failed' : 'ExecutionTimedOut';
  if (count(command, 'DeliveryTimedOut') > limitOf(command.maxErrors, length)) return 'DeliveryTimedOut';
  if (count(command, 'Failed', 'ExecutionTimedOut', 'DeliveryTimedOut') > 0) return 'Incomplete';
  // Nodes that were not reached spoil a command only where no node was.
  return count(command, 'Success') === 0 ? 'Failed' : 'Success';
}

/** A command as SendCommand and ListCommands answer it. */
export function describeCommand(command: Command): object {
  return {
    CommandId: command.commandId,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    Comment: command.comment,
    ExpiresAfter: new Date(command.expiresAt),
    Parameters: command.parameters,
    InstanceIds: command.instanceIds,
    Targets: command.targets,
    RequestedDateTime: new Date(command.requestedAt),
    Status: statusOf(command.details),
    StatusDetails: command.details,
    MaxConcurrency: command.maxConcurrency,
    MaxErrors: command.maxErrors,
    TargetCount: command.invocations.length,
    CompletedCount: command.invocations.filter(({ details }) => isEnded(details)).length,
    ErrorCount: count(command, 'Failed', 'ExecutionTimedOut'),
    DeliveryTimedOutCount: count(command, 'DeliveryTimedOut'),
    TimeoutSeconds: command.timeoutSeconds,
  };
}

/** An invocation as ListCommandInvocations answers it without details: no output of the node's. */
export function describeInvocation(command: Command, invocation: Invocation): object {
  return {
    CommandId: command.commandId,
    InstanceId: invocation.instanceId,
    InstanceName: '',
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: '$DEFAULT',
    RequestedDateTime: new Date(invocation.requestedAt),
    Status: statusOf(invocation.details),
    StatusDetails: invocation.details,
    StandardOutputUrl: '',
    StandardErrorUrl: '',
    CommandPlugins: [],
  };
}
