import { parseEnrolment, parsePolicy } from '../../domain/policy';
import { thrownBy } from './thrown';

const where = 'parameter /rotor/secrets/app/policy';
const refused = (message: string) => ({ name: 'PolicyInvalid', message });

test('no parameter at all is a valid policy, with every default', () => {
  expect(parsePolicy(undefined, where)).toEqual({
    onRefusal: 'back',
    onSilence: 'hold',
    retire: 'stop',
    drain: { quietSeconds: 5, deadlineSeconds: 3600, openSessions: 'report' },
    patienceSeconds: 600,
    password: { length: 32, excludeCharacters: '', require: ['lower', 'upper', 'digit'] },
    consumers: { maxDeadlineSeconds: 86_400 },
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
])('policy %s is refused with the words: %s', (text, fault) => {
  expect(thrownBy(() => parsePolicy(text, where))).toEqual(refused(`${where}: ${fault}`));
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
  ['{"phase":"verify"}', 'web: field phase: must be one of load'],
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
