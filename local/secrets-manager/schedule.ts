import { ServiceError } from '../kernel/service';
import { nextOccurrence, parseCron, type Cron } from './cron';

/** RotationRules as RotateSecret takes and DescribeSecret answers them. */
export interface RotationRules {
  readonly AutomaticallyAfterDays?: number | undefined;
  readonly ScheduleExpression?: string | undefined;
  readonly Duration?: string | undefined;
}

/** The next time a rotation may begin, from the window's start to its end. */
export interface RotationWindow {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** A window that is open all day ends at 23:59:59. */
const second = 1000;
const hour = 60 * 60 * 1000;
const day = 24 * hour;

/** A schedule in the form that the next window is computed from. */
export type Schedule =
  | { readonly kind: 'days'; readonly days: number; readonly durationMs: number | undefined }
  | { readonly kind: 'hours'; readonly hours: number; readonly durationMs: number | undefined }
  | { readonly kind: 'cron'; readonly cron: Cron; readonly durationMs: number | undefined };

/** Reads RotationRules, or refuses them as AWS does; undefined where they hold no schedule. */
export function parseSchedule(rules: RotationRules): Schedule | undefined {
  const { AutomaticallyAfterDays: days, ScheduleExpression: expression } = rules;
  if (days !== undefined && expression !== undefined)
    throw invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.");
  const durationMs = rules.Duration === undefined ? undefined : parseDuration(rules.Duration);
  if (days !== undefined) {
    if (!Number.isInteger(days) || days < 1 || days > 1000)
      throw invalid('RotationRules.AutomaticallyAfterDays must be within 1-1000.');
    return withWindow({ kind: 'days', days, durationMs });
  }
  if (expression === undefined) {
    if (durationMs !== undefined) throw invalid('Duration needs a schedule.');
    return undefined;
  }
  const rate = /^rate\(\s*(\d+)\s+(hours?|days?)\s*\)$/u.exec(expression);
  if (rate !== null) {
    const amount = Number(rate[1]);
    if (rate[2]?.startsWith('day') === true) {
      if (amount < 1 || amount > 999) throw invalid(`Invalid schedule expression: ${expression}`);
      return withWindow({ kind: 'days', days: amount, durationMs });
    }
    if (amount < 4 || amount > 999 * 24)
      throw invalid(`Invalid schedule expression: ${expression}. The rate must be at least 4 hours.`);
    return withWindow({ kind: 'hours', hours: amount, durationMs });
  }
  const cron = parseCron(expression);
  if (cron === undefined) throw invalid(`Invalid schedule expression: ${expression}`);
  return withWindow({ kind: 'cron', cron, durationMs });
}

/**
 * The first window after `from`, in which the value last changed (a manual write counts as a rotation).
 *
 * Schedules in days open at midnight UTC and close at the end of that day; schedules in hours open on the hour and close
 * after one hour; cron opens when it says and closes at the end of the day, or after an hour if it opens several times a
 * day. Duration overrides the length.
 */
export function nextWindow(schedule: Schedule, from: number): RotationWindow | undefined {
  switch (schedule.kind) {
    case 'days': {
      const startsAt = Math.floor(from / day) * day + schedule.days * day;
      return { startsAt, endsAt: startsAt + (schedule.durationMs ?? day - second) };
    }
    case 'hours': {
      const startsAt = Math.floor(from / hour) * hour + schedule.hours * hour;
      return { startsAt, endsAt: startsAt + (schedule.durationMs ?? hour) };
    }
    case 'cron': {
      const startsAt = nextOccurrence(schedule.cron, from);
      if (startsAt === undefined) return undefined;
      const endOfDay = Math.floor(startsAt / day) * day + day - second;
      const standard = schedule.cron.hours.length > 1 ? startsAt + hour : endOfDay;
      return {
        startsAt,
        endsAt: schedule.durationMs === undefined ? standard : startsAt + schedule.durationMs,
      };
    }
  }
}

function withWindow(schedule: Schedule): Schedule {
  const { durationMs } = schedule;
  if (durationMs === undefined) return schedule;
  const room =
    schedule.kind === 'hours'
      ? schedule.hours * hour
      : schedule.kind === 'cron'
        ? day - Math.max(...schedule.cron.hours) * hour
        : day;
  if (durationMs > room)
    throw invalid('The rotation window must not extend into the next rotation window or the next UTC day.');
  return schedule;
}

function parseDuration(text: string): number {
  const hours = Number(/^(\d{1,2})h$/u.exec(text)?.[1] ?? 0);
  if (hours < 1 || hours > 24) throw invalid(`Invalid duration: ${text}`);
  return hours * hour;
}

function invalid(message: string): ServiceError {
  return new ServiceError('InvalidParameterException', message);
}
