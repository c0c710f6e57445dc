import '../functions/lambda-environment';
import { changeCalendars } from '../../aws/change-calendars';
import { policyParameters } from '../../aws/policies';
import { AwsEndpoint } from '../functions/aws-endpoint';

let aws: AwsEndpoint;
beforeAll(async () => (aws = await AwsEndpoint.listen()));
afterAll(() => aws.close());
beforeEach(() => aws.clear());

test('calendars are asked together, in one call', async () => {
  aws.calendar = { State: 'OPEN', NextTransitionTime: '2026-12-24T00:00:00Z' };
  await expect(changeCalendars().ask(['freeze', 'year-end'])).resolves.toEqual({
    open: true,
    until: '2026-12-24T00:00:00Z',
  });
  expect(aws.received.map(({ operation, input }) => [operation, input])).toEqual([
    ['GetCalendarState', { CalendarNames: ['freeze', 'year-end'] }],
  ]);
});

test.each(['CLOSED', 'A_STATE_OF_THE_FUTURE'])('a calendar that is %s is not open', async (State) => {
  aws.calendar = { State };
  await expect(changeCalendars().ask(['freeze'])).resolves.toEqual({ open: false, until: undefined });
});

test.each([
  'InvalidDocument',
  'InvalidDocumentType',
  'UnsupportedCalendarException',
  'AccessDeniedException',
  'ValidationException',
])('a calendar that answers %s is an error that names it, and no open door', async (name) => {
  aws.failNext('GetCalendarState', name);
  await expect(changeCalendars().ask(['freeze'])).rejects.toMatchObject({
    name: 'ChangeCalendarUnreadable',
    message: `change calendars freeze cannot be asked: ${name}`,
  });
});

test('what is wrong with the service for a moment passes by its own name', async () => {
  for (let tries = 0; tries < 5; tries++) aws.failNext('GetCalendarState', 'InternalServerError');
  await expect(changeCalendars().ask(['freeze'])).rejects.toMatchObject({ name: 'InternalServerError' });
});

test('a policy is read by its own name, and its absence is none', async () => {
  await expect(policyParameters().read('shop/db')).resolves.toBeUndefined();
  aws.parameters.set('/rotor/secrets/shop_2fdb/policy', '{"retire":"leave"}');
  await expect(policyParameters().read('shop/db')).resolves.toBe('{"retire":"leave"}');
  aws.failNext('GetParameter', 'AccessDeniedException');
  await expect(policyParameters().read('shop/db')).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
