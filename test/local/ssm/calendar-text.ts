/** The text of a change calendar, as AWS's console writes it, with these parts in it. */
export function calendarText(type: 'DEFAULT_OPEN' | 'DEFAULT_CLOSED', ...parts: readonly string[]): string {
  return [
    'BEGIN:VCALENDAR',
    'PRODID:-//AWS//Change Calendar 1.0//EN',
    'VERSION:2.0',
    `X-CALENDAR-TYPE:${type}`,
    'X-WR-CALDESC:when nothing may change',
    ...parts,
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

/** One event, with times as iCalendar writes them: `20261224T000000Z`. */
export function event(from: string, to: string, ...more: readonly string[]): string {
  return [
    'BEGIN:VEVENT',
    'UID:event',
    'SUMMARY:frozen',
    `DTSTART:${from}`,
    `DTEND:${to}`,
    ...more,
    'END:VEVENT',
  ].join('\r\n');
}

/** A time of the clock as iCalendar writes it, in UTC and to the second. */
export function written(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '');
}
