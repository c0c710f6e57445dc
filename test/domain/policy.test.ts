import { parseEnrolment, parsePolicy } from '../../domain/policy';
import { thrownBy } from './thrown';

const where = 'parameter /rotor/secrets/app/policy';
const refused = (message: string) => ({ name: 'PolicyInvalid', message });

test('no parameter at all is a valid policy, with every default', () => {
  expect(parsePolicy(undefined, where)).toEqual({
    settings: {},
    onRefusal: 'back',
    onSilence: 'hold',
    retire: 'stop',
    drain: { quietSeconds: 5, deadlineSeconds: 3600, openSessions: 'report' },
    patienceSeconds: 600,
    replicaDeadlineSeconds: 900,
    password: { length: 32, excludeCharacters: '', require: ['lower', 'upper', 'digit'] },
    consumers: { maxDeadlineSeconds: 86_400, maxVerifySeconds: 180, pauseSeconds: 0, quorum: {} },
    urgency: 'routine',
    changeCalendars: [],
  });
});

test('an empty object is the same policy as none', () => {
  expect(parsePolicy('{}', where)).toEqual(parsePolicy(undefined, where));
});

test('a part of a group keeps the defaults of the rest', () => {
  expect(parsePolicy('{"drain":{"quietSeconds":0}}', where).drain).toEqual({
    quietSeconds: 0,
    deadlineSeconds: 3600,
    openSessions: 'report',
  });
});

test('patience and what else comes before FinishSecret fit 14 minutes by default', () => {
  expect(parsePolicy(undefined, where).patienceSeconds).toBeLessThanOrEqual(10 * 60);
});

test.each([
  ['{"onRefusel":"back"}', 'unknown field onRefusel'],
  ['{"drain":{"quiet":1}}', 'unknown field drain.quiet'],
  ['{"drain":{"openSessions":"kill"}}', 'field drain.openSessions: must be one of report, block, end'],
  [
    '{"retire":"leave","drain":{"openSessions":"end"}}',
    'field drain.openSessions: cannot be end with retire leave, since sessions would come back',
  ],
  ['{"onRefusal":"retry"}', 'field onRefusal: must be one of back, hold'],
  ['{"password":{"length":11}}', 'field password.length: must be at least 12'],
  ['{"password":{"length":129}}', 'field password.length: must be at most 128'],
  [
    '{"password":{"require":["lower","kanji"]}}',
    'field password.require.1: must be one of lower, upper, digit, punctuation',
  ],
  ['{"patienceSeconds":1.5}', 'field patienceSeconds: must be a whole number'],
  ['{"patienceSeconds":"600"}', 'field patienceSeconds: must be of type number'],
  ['{"consumers":{"mayRequire":"web"}}', 'field consumers.mayRequire: must be of type array'],
  ['[]', 'field (whole text): must be of type object'],
  ['{"urgency":"now"}', 'field urgency: must be one of routine, compromised'],
  ['{"changeCalendars":"freeze"}', 'field changeCalendars: must be of type array'],
  ['{"changeCalendars":["year end"]}', 'field changeCalendars.0: has a wrong form'],
  ['{"changeCalendars":["ab"]}', 'field changeCalendars.0: has a wrong form'],
  [
    '{"changeCalendars":["arn:aws:ssm:eu-central-1:111122223333:parameter/freeze"]}',
    'field changeCalendars.0: has a wrong form',
  ],
  ['{"group":{"minimumDistanceSeconds":60}}', 'field group.name: must be of type string'],
  ['{"group":{"name":""}}', 'field group.name: must be at least 1'],
  [
    '{"group":{"name":"db","minimumDistanceSeconds":86401}}',
    'field group.minimumDistanceSeconds: must be at most 86400',
  ],
])('policy %s is refused with the words: %s', (text, fault) => {
  expect(thrownBy(() => parsePolicy(text, where))).toEqual(refused(`${where}: ${fault}`));
});

test('more than ten change calendars are refused', () => {
  const eleven = JSON.stringify({
    changeCalendars: Array.from({ length: 11 }, (_, index) => `freeze-${index}`),
  });
  expect(thrownBy(() => parsePolicy(eleven, where))).toEqual(
    refused(`${where}: field changeCalendars: must be at most 10`),
  );
});

test('calendars are named by name or ARN, and a group has no distance unless it says so', () => {
  const changeCalendars = ['freeze', 'arn:aws:ssm:eu-central-1:111122223333:document/year-end'];
  expect(
    parsePolicy(JSON.stringify({ changeCalendars, group: { name: 'shop databases' } }), where),
  ).toMatchObject({
    changeCalendars,
    group: { name: 'shop databases', minimumDistanceSeconds: 0 },
  });
});

test('several faults are named together', () => {
  expect(thrownBy(() => parsePolicy('{"retire":"no","colour":1}', where))).toEqual(
    refused(`${where}: field retire: must be one of stop, leave; unknown field colour`),
  );
});

test('a wrong value is never repeated in the error, since it may stand in the wrong place', () => {
  expect(
    thrownBy(() => parsePolicy('{"onRefusal":"hunter2-in-the-wrong-field"}', where)).message,
  ).not.toContain('hunter2');
});

test('text that is not JSON is refused without quoting it', () => {
  expect(thrownBy(() => parsePolicy('hunter2', where))).toEqual(refused(`${where} is not JSON`));
});

test('an empty enrolment is a required consumer of the first wave', () => {
  expect(parseEnrolment('{}', 'web')).toEqual({
    acknowledge: 'required',
    phase: 'load',
    wave: 1,
    deadlineSeconds: 900,
    reminders: 2,
  });
});

test.each([
  ['{"account":"1234"}', 'web: field account: has a wrong form'],
  ['{"phase":"retire"}', 'web: field phase: must be one of load, verify'],
  ['{"wave":0}', 'web: field wave: must be at least 1'],
  ['{"reminders":11}', 'web: field reminders: must be at most 10'],
  ['{"deadline":5}', 'web: unknown field deadline'],
])('enrolment %s is refused with the words: %s', (text, message) => {
  expect(thrownBy(() => parseEnrolment(text, 'web'))).toEqual(refused(message));
});

test('a quiet time that the deadline leaves no room for is refused', () => {
  expect(() => parsePolicy('{"drain":{"quietSeconds":60,"deadlineSeconds":60}}', where)).toThrow(
    'field drain.quietSeconds: must be less than drain.deadlineSeconds',
  );
});
