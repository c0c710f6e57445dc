/** A cron expression of Secrets Manager: hours of days of months, in UTC; the minute is always 0. */
export interface Cron {
  readonly hours: readonly number[];
  readonly isDay: (date: Date) => boolean;
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const hour = 60 * 60 * 1000;
const day = 24 * hour;
/** February 29 on a given weekday returns after 40 years at most. */
const horizonDays = 41 * 366;

/**
 * Reads `cron(0 hours day-of-month month day-of-week year)`; undefined when it is not one, or opens more often than
 * every four hours. One of the two day fields must be `?`. `L` and `#` are understood, `W` is not.
 */
export function parseCron(expression: string): Cron | undefined {
  const fields = /^cron\(\s*(.*?)\s*\)$/u.exec(expression)?.[1]?.split(/\s+/u);
  if (fields?.length !== 6) return undefined;
  const [minute, hourField, dayOfMonth, monthField, dayOfWeek, year] = fields;
  if (minute !== '0' || year !== '*' || (dayOfMonth === '?') === (dayOfWeek === '?')) return undefined;
  const hours = list(hourField ?? '', 0, 23, []);
  const monthNumbers = list(monthField ?? '', 1, 12, months);
  const onDay = dayOfMonth === '?' ? weekdayRule(dayOfWeek ?? '') : monthDayRule(dayOfMonth ?? '');
  if (hours === undefined || monthNumbers === undefined || onDay === undefined) return undefined;
  const tooOften = hours.some((value, index) => {
    const following = hours[index + 1] ?? (hours[0] ?? 0) + 24;
    return following - value < 4;
  });
  if (tooOften) return undefined;
  return { hours, isDay: (date) => monthNumbers.includes(date.getUTCMonth() + 1) && onDay(date) };
}

/** The first opening later than `after`, in milliseconds since the epoch; undefined when there is none. */
export function nextOccurrence(cron: Cron, after: number): number | undefined {
  const firstDay = Math.floor(after / day) * day;
  for (let index = 0; index < horizonDays; index++) {
    const midnight = firstDay + index * day;
    if (!cron.isDay(new Date(midnight))) continue;
    const found = cron.hours.map((value) => midnight + value * hour).find((time) => time > after);
    if (found !== undefined) return found;
  }
  return undefined;
}

function monthDayRule(field: string): ((date: Date) => boolean) | undefined {
  if (field === 'L') return isLastDay;
  const days = list(field, 1, 31, []);
  return days === undefined ? undefined : (date) => days.includes(date.getUTCDate());
}

function weekdayRule(field: string): ((date: Date) => boolean) | undefined {
  const special = /^(\w+?)(?:(L)|#([1-5]))$/u.exec(field);
  if (special !== null) {
    const weekday = number(special[1] ?? '', weekdays, 1);
    if (weekday === undefined || weekday < 1 || weekday > 7) return undefined;
    const which = Number(special[3] ?? 0);
    return (date) =>
      date.getUTCDay() + 1 === weekday &&
      (which === 0
        ? new Date(date.getTime() + 7 * day).getUTCMonth() !== date.getUTCMonth()
        : Math.ceil(date.getUTCDate() / 7) === which);
  }
  const days = list(field, 1, 7, weekdays);
  return days === undefined ? undefined : (date) => days.includes(date.getUTCDay() + 1);
}

function isLastDay(date: Date): boolean {
  return new Date(date.getTime() + day).getUTCMonth() !== date.getUTCMonth();
}

function list(field: string, min: number, max: number, names: readonly string[]): number[] | undefined {
  const values = new Set<number>();
  for (const item of field.split(',')) {
    const match = /^(?:\*|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/u.exec(item);
    if (match === null) return undefined;
    const [, fromText, toText, stepText] = match;
    const from = fromText === undefined ? min : number(fromText, names, min);
    const single = fromText !== undefined && toText === undefined && stepText === undefined;
    const to = single ? from : toText === undefined ? max : number(toText, names, min);
    const step = Number(stepText ?? 1);
    if (from === undefined || to === undefined || from < min || to > max || from > to || step < 1)
      return undefined;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function number(text: string, names: readonly string[], min: number): number | undefined {
  if (/^\d+$/u.test(text)) return Number(text);
  const index = names.indexOf(text.toUpperCase());
  return index < 0 ? undefined : index + min;
}
