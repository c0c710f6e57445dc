import { ServiceError } from '../kernel/service';

/** A stretch of time, in milliseconds since the epoch; its end is no longer part of it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What a change calendar says: what holds as a rule, and when the contrary does. */
export interface ChangeCalendar {
  readonly type: 'DEFAULT_OPEN' | 'DEFAULT_CLOSED';
  readonly events: readonly Span[];
}

interface Line {
  readonly name: string;
  readonly parameters: string;
  readonly value: string;
}

/** Properties that say nothing about when a calendar is open. */
const ignored: Readonly<Record<string, readonly string[]>> = {
  VCALENDAR: ['X-WR-CALDESC', 'X-WR-TIMEZONE', 'CALSCALE'],
  VEVENT: ['UID', 'DTSTAMP', 'SEQUENCE', 'SUMMARY', 'DESCRIPTION', 'CATEGORIES', 'CREATED', 'LAST-MODIFIED'],
};

/** Properties of which one value is understood. */
const understood: Readonly<Record<string, string>> = {
  PRODID: '-//AWS//Change Calendar 1.0//EN',
  VERSION: '2.0',
  'X-CALENDAR-CMEVENTS': 'DISABLED',
  'X-EVENT-TYPE': 'STANDARD',
};

/**
 * Reads a change calendar's iCalendar text: events with a beginning and an end in UTC.
 *
 * InvalidDocumentContent where it is no calendar. Recurrence, time zones, whole days and whatever else would change when
 * a calendar is open are refused by name, since half of a recurrence would open what is closed.
 */
export function parseChangeCalendar(content: string): ChangeCalendar {
  const lines = linesOf(content);
  const [first, last] = [lines[0], lines.at(-1)];
  if (first?.name !== 'BEGIN' || first.value !== 'VCALENDAR' || last?.name !== 'END')
    throw invalid('it is not one VCALENDAR');
  const inside: string[] = [];
  const calendar = new Map<string, string>();
  const events: Span[] = [];
  let event = new Map<string, number>();
  for (const line of lines) {
    const within = inside.at(-1);
    if (line.name === 'BEGIN') {
      if (inside.length === 0 ? line.value !== 'VCALENDAR' : !['VEVENT', 'VTODO'].includes(line.value))
        throw unsupported(line.value);
      if (inside.length > 1) throw unsupported(`${line.value} in ${within ?? ''}`);
      inside.push(line.value);
      event = new Map();
    } else if (line.name === 'END') {
      if (within !== line.value) throw invalid(`END:${line.value} ends nothing`);
      if (within === 'VEVENT') events.push(spanOf(event));
      inside.pop();
    } else if (within === 'VEVENT' && (line.name === 'DTSTART' || line.name === 'DTEND')) {
      event.set(line.name, timeOf(line));
    } else if (within === undefined) {
      throw invalid('something stands outside of VCALENDAR');
    } else if (within !== 'VTODO' && !(ignored[within] ?? []).includes(line.name)) {
      // AWS writes a VTODO into calendars without events; it means nothing.
      if (within === 'VCALENDAR' && line.name === 'X-CALENDAR-TYPE') calendar.set(line.name, line.value);
      else if (understood[line.name] === line.value) calendar.set(line.name, line.value);
      else throw unsupported(`${line.name}:${line.value}`);
    }
  }
  if (inside.length > 0) throw invalid(`${inside.at(-1) ?? ''} has no end`);
  for (const needed of ['PRODID', 'VERSION']) if (!calendar.has(needed)) throw invalid(`it has no ${needed}`);
  const type = calendar.get('X-CALENDAR-TYPE');
  if (type !== 'DEFAULT_OPEN' && type !== 'DEFAULT_CLOSED')
    throw invalid('X-CALENDAR-TYPE is neither DEFAULT_OPEN nor DEFAULT_CLOSED');
  return { type, events };
}

/** Long lines are folded: a line that begins with a blank goes on with the one before (RFC 5545, 3.1). */
function linesOf(content: string): readonly Line[] {
  return content
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', parameters = '', value = ''] =
        /^([A-Za-z0-9-]+)((?:;[^:]*)?):(.*)$/.exec(line) ?? [];
      if (name === '') throw invalid('a line is no property');
      return { name: name.toUpperCase(), parameters, value: value.trim() };
    });
}

function timeOf({ name, parameters, value }: Line): number {
  const digits = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value);
  if (parameters !== '' || digits === null) throw unsupported(`${name}${parameters}:${value}`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function spanOf(event: ReadonlyMap<string, number>): Span {
  const [from, to] = [event.get('DTSTART'), event.get('DTEND')];
  if (from === undefined || to === undefined) throw unsupported('a VEVENT without DTSTART and DTEND');
  if (to <= from) throw invalid('an event ends before it begins');
  return { from, to };
}

function invalid(what: string): ServiceError {
  return new ServiceError(
    'InvalidDocumentContent',
    `The content of the change calendar is not valid: ${what}.`,
  );
}

function unsupported(what: string): ServiceError {
  return new ServiceError(
    'UnsupportedParameter',
    `The embedded cloud does not implement change calendars with ${what}.`,
  );
}
