import * as z from 'zod';
import { ServiceError } from '../kernel/service';
import { isEnded, statusOf, type Command, type Invocation } from './command';

/** One filter of ListCommands and ListCommandInvocations. */
export const commandFilter = z.strictObject({
  key: z.enum(['InvokedAfter', 'InvokedBefore', 'Status', 'DocumentName', 'ExecutionStage']),
  value: z.string().min(1).max(128),
});

export type CommandFilter = z.infer<typeof commandFilter>;

/** Whether a command passes every filter. */
export function passes(command: Command, filters: readonly CommandFilter[]): boolean {
  return filters.every(({ key, value }) => {
    switch (key) {
      case 'InvokedAfter':
        return command.requestedAt >= instant(value);
      case 'InvokedBefore':
        return command.requestedAt < instant(value);
      case 'Status':
        return [statusOf(command.details), command.details].includes(value);
      case 'DocumentName':
        return command.documentName === value;
      case 'ExecutionStage':
        if (value !== 'Executing' && value !== 'Complete')
          throw new ServiceError('InvalidFilterKey', 'ExecutionStage is Executing or Complete.');
        return isEnded(command.details) === (value === 'Complete');
    }
  });
}

/** Whether an invocation passes every filter. ListCommandInvocations does not know the filter ExecutionStage. */
export function invocationPasses(
  command: Command,
  invocation: Invocation,
  filters: readonly CommandFilter[],
): boolean {
  if (filters.some(({ key }) => key === 'ExecutionStage'))
    throw new ServiceError('InvalidFilterKey', 'ExecutionStage is a filter of ListCommands only.');
  const status = filters.filter(({ key }) => key === 'Status');
  return (
    passes(
      command,
      filters.filter(({ key }) => key !== 'Status'),
    ) && status.every(({ value }) => [statusOf(invocation.details), invocation.details].includes(value))
  );
}

function instant(text: string): number {
  const parsed = Date.parse(text);
  if (Number.isNaN(parsed) || !text.includes('T'))
    throw new ServiceError('ValidationException', 'The value of a time filter is no ISO 8601 timestamp.');
  return parsed;
}
