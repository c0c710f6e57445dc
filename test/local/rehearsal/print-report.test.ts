import { detailTypes } from '../../../domain/events';
import { sessionsAtEnd } from '../../../local/rehearsal/history';
import { parseOptions } from '../../../local/rehearsal/options';
import { printReport } from '../../../local/rehearsal/print-report';
import type { Report } from '../../../local/rehearsal/report';

const report: Report = {
  outcome: 'rotated',
  secret: 'example/app',
  rotator: 'postgres-alternating',
  overlap: 'two-principals',
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
  expect(lines.slice(from, from + 4)).toEqual([
    '  sessions left behind',
    '    nightly                2 from 10.0.0.7, open for 12 s, ended',
    '    without a name         1 from an unknown address, nobody knows since when, not ended',
    '  applications meanwhile',
  ]);
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
