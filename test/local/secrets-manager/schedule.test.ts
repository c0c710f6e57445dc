import { ServiceError } from '../../../local/kernel/service';
import { nextWindow, parseSchedule, type RotationRules } from '../../../local/secrets-manager/schedule';

function windows(rules: RotationRules, from: string, count = 1): readonly string[] {
  const schedule = parseSchedule(rules);
  if (schedule === undefined) throw new Error('no schedule');
  const found: string[] = [];
  let time = Date.parse(from);
  for (let index = 0; index < count; index++) {
    const window = nextWindow(schedule, time);
    if (window === undefined) break;
    found.push(`${text(window.startsAt)} to ${text(window.endsAt)}`);
    time = window.startsAt;
  }
  return found;
}

function text(time: number): string {
  return new Date(time).toISOString().slice(0, 19);
}

describe('windows', () => {
  it.each<[RotationRules, readonly string[]]>([
    [{ AutomaticallyAfterDays: 30 }, ['2026-02-14T00:00:00 to 2026-02-14T23:59:59']],
    [{ ScheduleExpression: 'rate(10 days)' }, ['2026-01-25T00:00:00 to 2026-01-25T23:59:59']],
    [{ ScheduleExpression: 'rate(10 days)', Duration: '3h' }, ['2026-01-25T00:00:00 to 2026-01-25T03:00:00']],
    [{ ScheduleExpression: 'rate(4 hours)' }, ['2026-01-15T14:00:00 to 2026-01-15T15:00:00']],
    [
      { ScheduleExpression: 'cron(0 8 * * ? *)' },
      ['2026-01-16T08:00:00 to 2026-01-16T23:59:59', '2026-01-17T08:00:00 to 2026-01-17T23:59:59'],
    ],
    [
      { ScheduleExpression: 'cron(0 0/8 * * ? *)' },
      ['2026-01-15T16:00:00 to 2026-01-15T17:00:00', '2026-01-16T00:00:00 to 2026-01-16T01:00:00'],
    ],
    [
      { ScheduleExpression: 'cron(0 16 ? * SUN *)', Duration: '2h' },
      ['2026-01-18T16:00:00 to 2026-01-18T18:00:00', '2026-01-25T16:00:00 to 2026-01-25T18:00:00'],
    ],
    [
      { ScheduleExpression: 'cron(0 10 ? * 2#1 *)' },
      ['2026-02-02T10:00:00 to 2026-02-02T23:59:59', '2026-03-02T10:00:00 to 2026-03-02T23:59:59'],
    ],
    [{ ScheduleExpression: 'cron(0 10 ? * 6L *)' }, ['2026-01-30T10:00:00 to 2026-01-30T23:59:59']],
    [
      { ScheduleExpression: 'cron(0 10 L 1,2 ? *)' },
      ['2026-01-31T10:00:00 to 2026-01-31T23:59:59', '2026-02-28T10:00:00 to 2026-02-28T23:59:59'],
    ],
    [{ ScheduleExpression: 'cron(0 10 29 FEB ? *)' }, ['2028-02-29T10:00:00 to 2028-02-29T23:59:59']],
  ])('%j, after a change on 2026-01-15 at 10:30, open %j', (rules, expected) => {
    expect(windows(rules, '2026-01-15T10:30:00Z', expected.length)).toEqual(expected);
  });
});

describe('rules that are refused', () => {
  it.each<RotationRules>([
    { AutomaticallyAfterDays: 0 },
    { AutomaticallyAfterDays: 1001 },
    { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(1 day)' },
    { ScheduleExpression: 'rate(3 hours)' },
    { ScheduleExpression: 'rate(5 minutes)' },
    { ScheduleExpression: 'every day' },
    { ScheduleExpression: 'cron(0 8 * * ?)' },
    { ScheduleExpression: 'cron(30 8 * * ? *)' },
    { ScheduleExpression: 'cron(0 8 * * ? 2027)' },
    { ScheduleExpression: 'cron(0 8 1 * MON *)' },
    { ScheduleExpression: 'cron(0 8 ? * ? *)' },
    { ScheduleExpression: 'cron(0 */2 * * ? *)' },
    { ScheduleExpression: 'cron(0 24 * * ? *)' },
    { ScheduleExpression: 'cron(0 8 15W * ? *)' },
    { AutomaticallyAfterDays: 1, Duration: '25h' },
    { AutomaticallyAfterDays: 1, Duration: '2d' },
    { ScheduleExpression: 'rate(4 hours)', Duration: '5h' },
    { ScheduleExpression: 'cron(0 22 * * ? *)', Duration: '3h' },
    { Duration: '2h' },
  ])('%j', (rules) => {
    const refusal = () => parseSchedule(rules);
    expect(refusal).toThrow(ServiceError);
    expect(refusal).toThrow(/schedule|duration|window|RotationRules|can't specify both/iu);
  });

  it('no rule at all is no schedule', () => {
    expect(parseSchedule({})).toBeUndefined();
  });
});
