import { stateOf } from '../../../local/ssm/calendar-state';
import { parseChangeCalendar } from '../../../local/ssm/icalendar';
import { calendarText, event } from './calendar-text';

const at = (text: string) => Date.parse(text);
const parse = (type: 'DEFAULT_OPEN' | 'DEFAULT_CLOSED', ...events: readonly string[]) =>
  parseChangeCalendar(calendarText(type, ...events));
const christmas = event('20261224T000000Z', '20261227T000000Z');

describe('the state', () => {
  const open = parse('DEFAULT_OPEN', christmas);
  const closed = parse('DEFAULT_CLOSED', christmas);

  test.each([
    ['2026-12-23T23:59:59Z', true, '2026-12-24T00:00:00Z'],
    ['2026-12-24T00:00:00Z', false, '2026-12-27T00:00:00Z'],
    ['2026-12-26T23:59:59Z', false, '2026-12-27T00:00:00Z'],
    ['2026-12-27T00:00:00Z', true, undefined],
  ])('of a calendar that is open but for its event, at %s', (time, isOpen, next) => {
    const nextTransition = next === undefined ? undefined : at(next);
    expect(stateOf([open], at(time))).toEqual({ open: isOpen, nextTransition });
    // One that is closed but for the same event changes at the same times, the other way round.
    expect(stateOf([closed], at(time))).toEqual({ open: !isOpen, nextTransition });
  });

  test('of a calendar without events is the same for ever', () => {
    expect(stateOf([parse('DEFAULT_OPEN')], 0)).toEqual({ open: true, nextTransition: undefined });
    expect(stateOf([parse('DEFAULT_CLOSED')], 0)).toEqual({ open: false, nextTransition: undefined });
  });

  test('of several calendars is open only while all of them are', () => {
    const window = parse('DEFAULT_CLOSED', event('20261223T000000Z', '20261225T000000Z'));
    const both = (time: string) => stateOf([open, window], at(time));
    expect(both('2026-12-22T12:00:00Z')).toEqual({ open: false, nextTransition: at('2026-12-23T00:00:00Z') });
    expect(both('2026-12-23T12:00:00Z')).toEqual({ open: true, nextTransition: at('2026-12-24T00:00:00Z') });
    expect(both('2026-12-24T12:00:00Z')).toEqual({ open: false, nextTransition: undefined });
  });

  test('does not change where one event ends and the next begins', () => {
    const seam = parse(
      'DEFAULT_OPEN',
      christmas,
      event('20261227T000000Z', '20261228T000000Z'),
      event('20261226T000000Z', '20261226T120000Z'),
    );
    expect(stateOf([seam], at('2026-12-25T00:00:00Z'))).toEqual({
      open: false,
      nextTransition: at('2026-12-28T00:00:00Z'),
    });
  });
});

describe('the text', () => {
  test('may be folded, and may hold what AWS writes into a calendar without events', () => {
    const todo = ['BEGIN:VTODO', 'DTSTAMP:20200320T004207Z', 'SUMMARY:Add events', 'END:VTODO'].join('\r\n');
    const folded = christmas.replace('DTSTART:2026', 'DTSTART:\r\n 2026');
    expect(parse('DEFAULT_OPEN', todo, folded).events).toEqual([
      { from: at('2026-12-24T00:00:00Z'), to: at('2026-12-27T00:00:00Z') },
    ]);
  });

  test.each([
    ['a recurrence', event('20261224T000000Z', '20261227T000000Z', 'RRULE:FREQ=YEARLY'), 'RRULE:FREQ=YEARLY'],
    ['an exception', event('20261224T000000Z', '20261227T000000Z', 'EXDATE:20271224T000000Z'), 'EXDATE'],
    [
      'a time zone',
      christmas.replace('DTSTART:20261224T000000Z', 'DTSTART;TZID=Asia/Tokyo:20261224T000000'),
      'DTSTART;TZID=Asia/Tokyo',
    ],
    ['a floating time', event('20261224T000000', '20261227T000000Z'), 'DTSTART:20261224T000000'],
    [
      'a whole day',
      christmas.replace('DTSTART:20261224T000000Z', 'DTSTART;VALUE=DATE:20261224'),
      'DTSTART;VALUE=DATE',
    ],
    ['a duration', christmas.replace('DTEND:20261227T000000Z', 'DURATION:P3D'), 'DURATION:P3D'],
    ['no end', christmas.replace('DTEND:20261227T000000Z\r\n', ''), 'without DTSTART and DTEND'],
    [
      'an advisory event',
      event('20261224T000000Z', '20261227T000000Z', 'X-EVENT-TYPE:ADVISORY'),
      'X-EVENT-TYPE:ADVISORY',
    ],
    ['an alarm', event('20261224T000000Z', '20261227T000000Z', 'BEGIN:VALARM\r\nEND:VALARM'), 'VALARM'],
    ['a definition of a time zone', 'BEGIN:VTIMEZONE\r\nEND:VTIMEZONE', 'VTIMEZONE'],
    ['the events of Systems Manager', 'X-CALENDAR-CMEVENTS:ENABLED', 'X-CALENDAR-CMEVENTS:ENABLED'],
  ])('with %s is refused by name, since half of it would be wrong', (_, part, named) => {
    expect(() => parse('DEFAULT_OPEN', part)).toThrow(
      expect.objectContaining({
        code: 'UnsupportedParameter',
        message: expect.stringContaining(named) as string,
      }) as Error,
    );
  });

  test.each([
    ['is no calendar', 'schemaVersion: "2.2"', 'not one VCALENDAR'],
    ['is no property', calendarText('DEFAULT_OPEN').replace('VERSION:2.0', 'VERSION'), 'no property'],
    ['has no type', calendarText('DEFAULT_OPEN').replace(/X-CALENDAR-TYPE.*\r\n/, ''), 'X-CALENDAR-TYPE'],
    ['has another type', calendarText('DEFAULT_OPEN').replace('DEFAULT_OPEN', 'OPEN'), 'X-CALENDAR-TYPE'],
    ['has no version', calendarText('DEFAULT_OPEN').replace('VERSION:2.0\r\n', ''), 'no VERSION'],
    ['ends too early', calendarText('DEFAULT_OPEN', 'BEGIN:VEVENT'), 'END:VCALENDAR ends nothing'],
    ['goes on after its end', `${calendarText('DEFAULT_OPEN')}SUMMARY:x\r\nEND:VCALENDAR`, 'outside'],
    [
      'has an event that ends before it begins',
      calendarText('DEFAULT_OPEN', event('20261227T000000Z', '20261224T000000Z')),
      'ends before it begins',
    ],
  ])('that %s is no content for a calendar', (_, text, why) => {
    expect(() => parseChangeCalendar(text)).toThrow(
      expect.objectContaining({
        code: 'InvalidDocumentContent',
        message: expect.stringContaining(why) as string,
      }) as Error,
    );
  });
});
