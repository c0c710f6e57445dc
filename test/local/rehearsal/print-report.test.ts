import { detailTypes } from '../../../domain/events';
import { executionName } from '../../../domain/names';
import { sessionsAtEnd } from '../../../local/rehearsal/history';
import { parseOptions, PortTaken, usage } from '../../../local/rehearsal/options';
import { printAlert, printReport } from '../../../local/rehearsal/print-report';
import type { Failure, Report } from '../../../local/rehearsal/report';

const report: Report = {
  outcome: 'rotated',
  failure: null,
  reason: null,
  secret: 'example/app',
  rotator: 'postgres-alternating',
  overlap: 'two-principals',
  endsSessions: true,
  states: [],
  transitions: 22,
  consumers: [],
  sessions: [],
  ended: [],
  gapMs: 0,
  workflowMs: 2000,
  wallMs: 2100,
  refusedTasks: 0,
  rotations: [],
  calls: {},
  polls: {},
  callsByFunction: {},
  connections: 4,
  refusedLogins: 0,
  refusedByRotation: 0,
  apps: [],
  probe: { logins: 1, refused: 0 },
  faultStrikes: null,
  decided: null,
  costUsd: 0,
  alerts: [],
  leaks: 0,
  firstRotationMs: 9000,
};

const holder = {
  application: 'nightly',
  clientAddress: '10.0.0.7',
  count: 2,
  newestBegan: '2026-01-01T00:00:00Z',
  oldestBegan: '2026-01-01T00:00:00Z',
  openSeconds: 12,
};
const unknown = { application: null, clientAddress: null, newestBegan: null, oldestBegan: null };

test('the report says who held sessions, for how long, and who was ended, each once', () => {
  const sessions = [holder, { ...holder, ...unknown, count: 1, openSeconds: null }];
  const lines = printReport({ ...report, sessions, ended: [holder] }).split('\n');
  const from = lines.indexOf('  sessions left behind');
  expect(lines.slice(from, from + 5)).toEqual([
    '  sessions left behind',
    '    nightly                2 from 10.0.0.7, open for 12 s, ended',
    '    without a name         1 from an unknown address, nobody knows since when,',
    '                           not ended',
    '  applications meanwhile',
  ]);
});

test('where a target knows no sessions the report speaks of uses', () => {
  const used = {
    ...holder,
    application: 'ssm in us-east-1',
    clientAddress: null,
    count: 1,
    openSeconds: null,
  };
  const printed = printReport({ ...report, endsSessions: false, sessions: [used] });
  expect(printed).toContain(
    '  last uses of the old credential\n    ssm in us-east-1       at 2026-01-01T00:00:00Z\n',
  );
  expect(printed).not.toContain('session');
});

test('where nobody held one it says nothing about sessions', () => {
  expect(printReport(report)).not.toContain('sessions');
});

test('who held sessions is read from the event of the end, and from nothing else', () => {
  const said = (type: string, detail: object) => ({
    taskScheduledEventDetails: {
      parameters: JSON.stringify({ Entries: [{ DetailType: type, Detail: detail }] }),
    },
  });
  const history = [
    said(detailTypes.started, {}),
    said(detailTypes.succeeded, { sessions: [holder], ended: [holder] }),
    {},
  ];
  expect(sessionsAtEnd(history)).toEqual({ sessions: [holder], ended: [holder] });
  expect(sessionsAtEnd([said(detailTypes.failed, {})])).toEqual({ sessions: [], ended: [] });
});

test('a rule for open sessions that does not exist is refused with those that do', () => {
  expect(parseOptions(['--drain', 'end'])).toMatchObject({ drain: 'end' });
  expect(() => parseOptions(['--drain', 'kill'])).toThrow('--drain kill: there are report, block, end');
});

const failed = (outcome: Failure['outcome'], state = 'SetSecret'): Failure => ({
  state,
  error: 'TargetRefused',
  outcome,
});

test.each<Partial<Report> & { readonly says: string }>([
  { outcome: 'rotated', says: 'Rotated' },
  {
    outcome: 'reverted',
    failure: failed('unchanged'),
    says: 'Failed safely: nothing was changed, and the credential in use works as before',
  },
  {
    outcome: 'reverted',
    failure: failed('reverted'),
    says: 'Failed safely: the rotation went back, and the old credential works',
  },
  { outcome: 'held', failure: failed('kept', 'AskWave'), says: 'Held for a decision: both credentials work' },
  {
    outcome: 'held',
    failure: failed('kept', 'RetirePrevious'),
    says: 'Held for a decision: the new credential works, the old may be stopped',
  },
  {
    outcome: 'held',
    overlap: 'none',
    failure: failed('kept', 'AskWave'),
    says: 'Held for a decision: the new credential works, the old one is gone',
  },
  { outcome: 'held', says: 'Held for a decision: the alert says what works' },
  {
    outcome: 'failed',
    failure: failed('revert-failed'),
    alerts: ['A secret rotation did not succeed.'],
    says: 'FAILED: going back failed as well; the alert says what works',
  },
])('the headline is as true as the alert: $says', ({ says, ...changes }) => {
  expect(printReport({ ...report, ...changes }).split('\n')[0]).toBe(says);
});

test('a rotation that was given up says why', () => {
  const reason = 'given up after 180 s: the execution x is RUNNING, last in the state Hold';
  expect(
    printReport({ ...report, outcome: 'failed', reason })
      .split('\n')
      .slice(0, 3),
  ).toEqual([
    'FAILED',
    '  reason                   given up after 180 s: the execution x is RUNNING,',
    '                           last in the state Hold',
  ]);
});

test('who was silent and then left out by a decision is told so', () => {
  const whenHeld = { outcome: 'silent', ms: 4010 };
  const reports = { name: 'reports', wave: 1, outcome: 'skipped', ms: 0 };
  const consumers = [
    { ...reports, whenHeld },
    { ...reports, name: 'billing' },
  ];
  const lines = printReport({ ...report, consumers }).split('\n');
  expect(lines).toContain('    reports                wave 1, silent after 4010 ms, left out by decision');
  expect(lines).toContain('    billing                wave 1, left out by decision');
});

test('how often a planned failure struck, and a decision was made, is counted in words', () => {
  const { decided, ...of } = { ...report, faultStrikes: 1, decided: { decision: 'back', times: 0 } as const };
  const lines = printReport({ ...of, decided }).split('\n');
  expect(lines).toContain('  planned failure          struck once');
  expect(lines).toContain('  decision                 back, but nothing was to be decided: no rotation was');
  expect(printReport({ ...report, faultStrikes: 4 })).toContain('struck 4 times');
});

test('with several rotations it says which numbers are of the last', () => {
  const rotation = { outcome: 'rotated', transitions: 22, gapMs: 0, workflowMs: 2000, wallMs: 2100 } as const;
  const consumers = [{ name: 'orders', wave: 1, outcome: 'loaded', ms: 5 }];
  const printed = printReport({ ...report, consumers, rotations: [rotation, rotation] }).replace(
    /\n +/g,
    ' ',
  );
  expect(printed).toContain(
    '2000 ms, 22 state transitions in the last rotation; 44 state transitions in all 2',
  );
  expect(printed).toContain('consumers of the last rotation');
});

test('an alert of the test that setting the schedule made is told apart', () => {
  const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:example/app-plhgSX';
  const of = (mode: 'rotate' | 'test') =>
    printAlert(
      `Execution:  https://x/arn:aws:states:x:execution:rotor:${executionName(secret, 'abc', 1, mode)}`,
    );
  expect(of('test')).toMatch(/^Alert of the test that setting the schedule made/);
  expect(of('rotate')).toMatch(/^Alert\n/);
});

test('no line of the report, but for the alerts, and none of the help is longer than 80 characters', () => {
  const large = {
    ...report,
    leaks: 10_000,
    decided: { decision: 'accept', times: 0 },
    faultStrikes: 0,
    connections: 10_000,
    refusedLogins: 20_000,
    consumers: [
      { name: 'reports', wave: 1, outcome: 'skipped', ms: 0, whenHeld: { outcome: 'silent', ms: 900_000 } },
    ],
    sessions: [{ ...holder, ...unknown, count: 100, openSeconds: null }],
  } as const;
  const long = [...printReport(large).split('\n'), ...usage.split('\n')].filter((line) => line.length > 80);
  expect(long).toEqual([]);
});

test('the help says how many rotations there may be, and a port in use what to do', () => {
  expect(usage).toContain('1 to 95');
  expect(new PortTaken(4566).message).toMatch(/^--port 4566: something listens there already; .*free one$/);
});
