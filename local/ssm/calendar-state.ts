import type { ChangeCalendar } from './icalendar';

/** Whether changes are allowed at a moment, and when that is different. */
export interface CalendarState {
  readonly open: boolean;
  /** Milliseconds since the epoch; undefined where it stays so for ever. */
  readonly nextTransition: number | undefined;
}

/** The common state of several calendars: open only while all of them are (AWS: GetCalendarState). */
export function stateOf(calendars: readonly ChangeCalendar[], time: number): CalendarState {
  const open = areOpen(calendars, time);
  const changes = calendars
    .flatMap(({ events }) => events.flatMap(({ from, to }) => [from, to]))
    .filter((moment) => moment > time)
    .sort((a, b) => a - b);
  return { open, nextTransition: changes.find((moment) => areOpen(calendars, moment) !== open) };
}

function areOpen(calendars: readonly ChangeCalendar[], time: number): boolean {
  return calendars.every(({ type, events }) => {
    const during = events.some(({ from, to }) => from <= time && time < to);
    return type === 'DEFAULT_OPEN' ? !during : during;
  });
}
