import { statesOfStopping } from '../../domain/alerts';
import type { SessionHolder } from '../../rotators/rotator';
import type { Calls, ConsumerReport, Report } from './report';

const overlaps: Readonly<Record<Report['overlap'], string>> = {
  'two-principals': 'two credentials at a time',
  'two-credentials': 'two credentials at a time',
  none: 'none: the gap is measured, and the client bridges it',
};

/** How wide a line is at most, where its words allow it, and where the value of a row begins. */
const width = 80;
const valueAt = 27;

/** The report as people read it. */
export function printReport(report: Report): string {
  const { rotations, reason, decided } = report;
  const isOne = rotations.length <= 1;
  const ofLast = isOne ? '' : ' of the last rotation';
  const consumers = report.consumers.map((consumer) =>
    row(`  ${consumer.name}`, `wave ${consumer.wave}, ${describeConsumer(consumer)}`),
  );
  const apps = report.apps.map(({ name, queries, errors }) =>
    row(`  ${name}`, `${queries} rounds, ${errors} failed`),
  );
  const refusedToApplications = report.refusedLogins - report.refusedByRotation;
  return [
    titleOf(report),
    ...(reason === null ? [] : [row('reason', reason)]),
    row('secret', `${report.secret} (${report.rotator})`),
    ...(isOne ? [] : [row('rotations', outcomesOf(report))]),
    row('workflow', workflowOf(report)),
    row('overlap', overlaps[report.overlap]),
    row('without a valid login', gapOf(report)),
    row(
      'Secrets Manager calls',
      `${sum(report.calls, 'secretsmanager')} (and ${sum(report.polls, 'secretsmanager')} while waiting)`,
    ),
    row('logins by the rotation', `${report.connections}, ${report.refusedByRotation} refused`),
    row('logins by applications', `${refusedToApplications} refused`),
    row('AWSCURRENT tried', `${report.probe.logins} logins, ${report.probe.refused} refused`),
    row('secret values found', `${report.leaks} (history, events, messages, logs, log of target)`),
    ...(report.faultStrikes === null ? [] : [row('planned failure', strikesOf(report.faultStrikes))]),
    ...(decided === null ? [] : [row('decision', decisionOf(decided))]),
    row('cost on AWS', `$${report.costUsd.toFixed(6)}`),
    ...(consumers.length > 0 ? [`  consumers${ofLast}`, ...consumers] : []),
    ...holderRows(report, ofLast),
    '  applications meanwhile',
    ...apps,
    ...report.alerts.flatMap((alert) => ['', printAlert(alert)]),
  ].join('\n');
}

/** One alert as people read it; one of the test that setting the schedule makes is no word about the rotation. */
export function printAlert(alert: string): string {
  const heading = isOfTest(alert)
    ? [
        'Alert of the test that setting the schedule made, before the rotation',
        '(it is no word about the rotation)',
      ]
    : ['Alert'];
  return [...heading, ...alert.split('\n').map((line) => `  ${line}`.trimEnd())].join('\n');
}

/** The name of a test's execution ends with `t` and the number of the attempt (`executionName`). */
function isOfTest(alert: string): boolean {
  return /:execution:\S+-t\d+$/m.test(alert);
}

/** A name and a value, with the value's further lines below its first. */
function row(name: string, value: string): string {
  const lines: string[] = [];
  for (const word of value.split(' ')) {
    const longer = `${lines.at(-1) ?? ''} ${word}`;
    if (lines.length > 0 && valueAt + longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return `  ${name.padEnd(valueAt - 3)} ${lines.join(`\n${' '.repeat(valueAt)}`)}`;
}

/** What came of it, and no more than the alert below says. */
function titleOf(report: Report): string {
  const { outcome, failure, alerts } = report;
  if (outcome === 'rotated') return 'Rotated';
  if (outcome === 'held') return `Held for a decision: ${whatWorksWhileHeld(report)}`;
  if (outcome === 'kept') return 'Failed safely: nothing that may still be in use was stopped';
  if (outcome === 'reverted')
    return failure?.outcome === 'unchanged'
      ? 'Failed safely: nothing was changed, and the credential in use works as before'
      : 'Failed safely: the rotation went back, and the old credential works';
  if (failure?.outcome !== 'revert-failed') return 'FAILED';
  return `FAILED: going back failed as well${alerts.length > 0 ? '; the alert says what works' : ''}`;
}

function whatWorksWhileHeld({ overlap, failure }: Report): string {
  if (overlap === 'none') return 'the new credential works, the old one is gone';
  if (failure === null) return 'the alert says what works';
  return statesOfStopping.has(failure.state)
    ? 'the new credential works, the old may be stopped'
    : 'both credentials work';
}

function workflowOf({ workflowMs, transitions, rotations }: Report): string {
  const last = `${workflowMs} ms, ${transitions} state transitions`;
  if (rotations.length <= 1) return last;
  const all = rotations.reduce((total, rotation) => total + rotation.transitions, 0);
  return `${last} in the last rotation; ${all} state transitions in all ${rotations.length}`;
}

function gapOf({ gapMs, rotations }: Report): string {
  if (rotations.length <= 1) return `${gapMs} ms`;
  const longest = Math.max(...rotations.map((rotation) => rotation.gapMs));
  return `${gapMs} ms in the last rotation, ${longest} ms at most`;
}

function strikesOf(strikes: number): string {
  if (strikes === 0) return 'never struck: the rotation did not come to that state';
  return strikes === 1 ? 'struck once' : `struck ${strikes} times`;
}

function decisionOf({ decision, times }: NonNullable<Report['decided']>): string {
  if (times === 0) return `${decision}, but nothing was to be decided: no rotation was held`;
  return times === 1 ? decision : `${decision}, ${times} times`;
}

function describeConsumer({ outcome, ms, whenHeld }: ConsumerReport): string {
  if (outcome !== 'skipped') return `${outcome} after ${ms} ms`;
  const decision = 'left out by decision';
  return whenHeld === undefined ? decision : `${whenHeld.outcome} after ${whenHeld.ms} ms, ${decision}`;
}

/** Who held sessions when the old credential was stopped, and, where there are no sessions, who had used it last. */
function holderRows(report: Report, ofLast: string): readonly string[] {
  const held = holdersIn(report).map(({ holder, isEnded }) => ({
    name: `  ${holder.application ?? 'without a name'}`,
    holder,
    isEnded,
    isUse: !report.endsSessions && !isEnded && holder.openSeconds === null,
  }));
  const uses = held.filter(({ isUse }) => isUse).map(({ name, holder }) => row(name, describeUse(holder)));
  const left = held
    .filter(({ isUse }) => !isUse)
    .map(({ name, holder, isEnded }) => row(name, describeHolder(holder, isEnded)));
  return [
    ...(left.length > 0 ? [`  sessions left behind${ofLast}`, ...left] : []),
    ...(uses.length > 0 ? [`  last uses of the old credential${ofLast}`, ...uses] : []),
  ];
}

/** Of a target that knows uses and no sessions. */
function describeUse({ newestBegan, clientAddress }: SessionHolder): string {
  const when = newestBegan === null ? 'at a time that nobody knows' : `at ${newestBegan}`;
  return clientAddress === null ? when : `${when} from ${clientAddress}`;
}

/** Who still held sessions with the old credential, and whether they were ended. */
function holdersIn({
  sessions,
  ended,
}: Report): readonly { readonly holder: SessionHolder; readonly isEnded: boolean }[] {
  const isSame = (one: SessionHolder, other: SessionHolder) =>
    one.application === other.application && one.clientAddress === other.clientAddress;
  const others = sessions.filter((holder) => !ended.some((one) => isSame(one, holder)));
  return [
    ...ended.map((holder) => ({ holder, isEnded: true })),
    ...others.map((holder) => ({ holder, isEnded: false })),
  ];
}

function describeHolder({ count, clientAddress, openSeconds }: SessionHolder, isEnded: boolean): string {
  return [
    `${count} from ${clientAddress ?? 'an unknown address'}`,
    openSeconds === null ? 'nobody knows since when' : `open for ${openSeconds} s`,
    isEnded ? 'ended' : 'not ended',
  ].join(', ');
}

function outcomesOf({ rotations }: Report): string {
  const counts = new Map<string, number>();
  for (const { outcome } of rotations) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

function sum(calls: Calls, service: string): number {
  return Object.values(calls[service] ?? {}).reduce((total, count) => total + count, 0);
}
