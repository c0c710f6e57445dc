import { createAuthorize } from '../../../local/iam/authorize';
import { RoleStore } from '../../../local/iam/role-store';
import { VirtualClock } from '../../../local/kernel/clock';
import { ServiceError, type Call, type Principal } from '../../../local/kernel/service';
import { createChangeCalendars } from '../../../local/ssm/change-calendars';
import { calendarText, event } from './calendar-text';

const account = '111122223333';
const prefix = `arn:aws:ssm:us-east-1:${account}:document/`;
const freeze = event('20260101T060000Z', '20260102T000000Z');

/** Change calendars on 1 January 2026, midnight. */
function createWorld() {
  const where = { account, region: 'us-east-1', partition: 'aws', clock: new VirtualClock() };
  const roles = new RoleStore(where);
  const operations = createChangeCalendars({
    ...where,
    authorize: createAuthorize({ ...where, roles }),
    callService: () => Promise.reject(new Error('this world has one service')),
  });
  const run = async (op: string, input: object, as: Principal = roles.operator.principal) => {
    const call: Call = { principal: as, requestId: 'r', userAgent: 'u', conditions: {} };
    return { ...(await operations[op]?.({ ...input }, call)) } as Readonly<Record<string, unknown>>;
  };
  return {
    run,
    clock: where.clock,
    role: (Resource: string) => {
      const trustPolicy = {
        Statement: {
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
        },
      };
      const policy = { Statement: { Effect: 'Allow', Action: 'ssm:GetCalendarState', Resource } };
      const arn = roles.put({ name: 'rotation', trustPolicy, policies: { policy } });
      return roles.assume(arn, 'lambda.amazonaws.com', 'run').principal;
    },
    create: (Name: string, Content: string, more: object = {}) =>
      run('CreateDocument', {
        Name,
        Content,
        DocumentType: 'ChangeCalendar',
        DocumentFormat: 'TEXT',
        ...more,
      }),
    state: (...CalendarNames: readonly string[]) => run('GetCalendarState', { CalendarNames }),
    code: async (work: Promise<unknown>) => {
      const error: unknown = await work.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return error instanceof ServiceError ? error.code : 'no error';
    },
  };
}

let world: ReturnType<typeof createWorld>;
beforeEach(() => (world = createWorld()));

test('a calendar answers its state now and when it changes, by name or ARN', async () => {
  await world.create('freeze', calendarText('DEFAULT_OPEN', freeze));
  const open = { State: 'OPEN', AtTime: '2026-01-01T00:00:00Z', NextTransitionTime: '2026-01-01T06:00:00Z' };
  expect(await world.state('freeze')).toEqual(open);
  expect(await world.state(`${prefix}freeze`)).toEqual(open);
  world.clock.after(6 * 3_600_000, () => undefined);
  world.clock.advance();
  expect(await world.state('freeze')).toEqual({
    State: 'CLOSED',
    AtTime: '2026-01-01T06:00:00Z',
    NextTransitionTime: '2026-01-02T00:00:00Z',
  });
});

test('it answers for another time where one is asked for, and no next change where there is none', async () => {
  await world.create('freeze', calendarText('DEFAULT_OPEN', freeze));
  const ask = (AtTime: string) => world.run('GetCalendarState', { CalendarNames: ['freeze'], AtTime });
  expect(await ask('2026-01-01T12:00:00+01:00')).toMatchObject({
    State: 'CLOSED',
    AtTime: '2026-01-01T11:00:00Z',
  });
  expect(await ask('2026-02-01T00:00:00Z')).toEqual({ State: 'OPEN', AtTime: '2026-02-01T00:00:00Z' });
  expect(await world.code(ask('tomorrow'))).toBe('ValidationException');
});

test('several calendars are closed where one is', async () => {
  await world.create('always', calendarText('DEFAULT_OPEN'));
  await world.create('never', calendarText('DEFAULT_CLOSED'));
  expect(await world.state('always', 'never')).toEqual({ State: 'CLOSED', AtTime: '2026-01-01T00:00:00Z' });
});

test('a calendar that is not there, or has gone, is an invalid document, and another account’s is out of reach', async () => {
  await world.create('freeze', calendarText('DEFAULT_OPEN'));
  expect(await world.code(world.state('freeze', 'nowhere'))).toBe('InvalidDocument');
  expect(await world.code(world.state('arn:aws:ssm:us-east-1:444455556666:document/freeze'))).toBe(
    'AccessDeniedException',
  );
  await world.run('DeleteDocument', { Name: 'freeze' });
  expect(await world.code(world.state('freeze'))).toBe('InvalidDocument');
  expect(await world.code(world.run('GetDocument', { Name: 'freeze' }))).toBe('InvalidDocument');
});

test('a document of another type has no state', async () => {
  expect(await world.code(world.state('AWS-RunShellScript'))).toBe('InvalidDocumentType');
});

test('a document can be read again as it was written', async () => {
  const text = calendarText('DEFAULT_OPEN', freeze);
  const { DocumentDescription } = await world.create('freeze', text);
  expect(DocumentDescription).toMatchObject({
    Name: 'freeze',
    DocumentType: 'ChangeCalendar',
    Owner: account,
  });
  expect(await world.run('GetDocument', { Name: 'freeze' })).toMatchObject({
    Content: text,
    Status: 'Active',
  });
});

test.each([
  ['DocumentAlreadyExists', { Name: 'there' }],
  ['ValidationException', { Name: 'no' }],
  ['ValidationException', { Name: 'amazon-freeze' }],
  ['InvalidDocumentContent', { DocumentFormat: undefined }],
  ['InvalidDocumentContent', { Content: '{}' }],
  ['MaxDocumentSizeExceeded', { Content: 'x'.repeat(64 * 1024 + 1) }],
  ['UnsupportedParameter', { DocumentType: 'Command' }],
  ['UnsupportedParameter', { Tags: [] }],
])('creation ends with %s for %j', async (code, changes) => {
  await world.create('there', calendarText('DEFAULT_OPEN'));
  expect(await world.code(world.create('new', calendarText('DEFAULT_OPEN'), changes))).toBe(code);
});

test('every calendar of a request needs its own permission', async () => {
  await world.create('freeze', calendarText('DEFAULT_OPEN'));
  await world.create('other', calendarText('DEFAULT_OPEN'));
  const role = world.role(`${prefix}freeze`);
  const ask = (...CalendarNames: readonly string[]) => world.run('GetCalendarState', { CalendarNames }, role);
  expect(await ask('freeze')).toMatchObject({ State: 'OPEN' });
  expect(await world.code(ask('freeze', 'other'))).toBe('AccessDeniedException');
});
