import { GetCalendarStateCommand, SSMClient } from '@aws-sdk/client-ssm';
import { ChangeCalendarUnreadable } from '../domain/errors';
import { isNamed } from './named';
import { promptly } from './promptly';

/** Whether changes are allowed now. */
export interface CalendarState {
  readonly open: boolean;
  /** When that changes next, as ISO 8601 text; undefined where it never does. */
  readonly until: string | undefined;
}

/** Asks change calendars of Systems Manager. */
export interface ChangeCalendars {
  /** Open only if all are (AWS: GetCalendarState). ChangeCalendarUnreadable where one of them cannot be asked. */
  ask(names: readonly string[]): Promise<CalendarState>;
}

/** Makes a client for change calendars, by names of this account and region or by ARNs. */
export function changeCalendars(): ChangeCalendars {
  const client = new SSMClient(promptly);
  return {
    async ask(names) {
      try {
        const answer = await client.send(new GetCalendarStateCommand({ CalendarNames: [...names] }));
        // Whatever is not said to be open is closed.
        return { open: answer.State === 'OPEN', until: answer.NextTransitionTime };
      } catch (error) {
        if (
          isNamed(
            error,
            'InvalidDocument',
            'InvalidDocumentType',
            'UnsupportedCalendarException',
            'AccessDeniedException',
            'ValidationException',
          )
        )
          throw new ChangeCalendarUnreadable(
            `change calendars ${names.join(', ')} cannot be asked: ${error.name}`,
          );
        throw error;
      }
    },
  };
}
