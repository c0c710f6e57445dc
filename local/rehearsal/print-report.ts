import type { SessionHolder } from '../../rotators/rotator';
import type { Calls, Report } from './report';

const overlaps: Readonly<Record<Report['overlap'], string>> = {
  'two-principals': 'two users, which take turns',
  'two-credentials': 'two credentials at once',
  none: 'none: the gap is measured, and the client bridges it',
};

/** The report as people read it. */
export function printReport(report: Report): string {
  const titles = {
    rotated: 'Rotated',
    reverted: 'Failed safely: the rotation went back, and the old credential works',
    kept: 'Failed safely: nothing that may still be in use was stopped',
    held: 'Held: both credentials work, and the rotation waits for a decision',
    failed: 'FAILED',
  };
  const row = (name: string, value: string) => `  ${name.padEnd(24)} ${value}`;
  const consumers = report.consumers.map(({ name, wave, outcome, ms }) =>
    row(`  ${name}`, `wave ${wave}, ${outcome} after ${ms} ms`),
  );
  const apps = report.apps.map(({ name, queries, errors }) =>
    row(`  ${name}`, `${queries} rounds, ${errors} failed`),
  );
  const left = holdersIn(report).map(({ holder, isEnded }) =>
    row(`  ${holder.application ?? 'without a name'}`, describeHolder(holder, isEnded)),
  );
  return [
    titles[report.outcome],
    row('secret', `${report.secret} (${report.rotator})`),
    ...(report.rotations.length > 1 ? [row('rotations', outcomesOf(report))] : []),
    row('workflow', `${report.workflowMs} ms, ${report.transitions} state transitions`),
    row('overlap', overlaps[report.overlap]),
    row('without a valid login', `${report.gapMs} ms`),
    row(
      'Secrets Manager calls',
      `${sum(report.calls, 'secretsmanager')} (and ${sum(report.polls, 'secretsmanager')} while waiting)`,
    ),
    row(
      'logins at the target',
      `${report.connections} by the rotation; refused: ${report.refusedByRotation} to it, ${report.refusedLogins - report.refusedByRotation} to applications`,
    ),
    row('AWSCURRENT tried', `${report.probe.logins} logins, ${report.probe.refused} refused`),
    row('secret values found', `${report.leaks} (history, events, messages, logs, log of the target)`),
    ...(report.faultStrikes === null
      ? []
      : [
          row(
            'planned failure',
            report.faultStrikes === 0
              ? 'never struck: the rotation did not come to that state'
              : `struck ${report.faultStrikes} times`,
          ),
        ]),
    row('cost on AWS', `$${report.costUsd.toFixed(6)}`),
    ...(consumers.length > 0 ? ['  consumers', ...consumers] : []),
    ...(left.length > 0 ? ['  sessions left behind', ...left] : []),
    '  applications meanwhile',
    ...apps,
    ...report.alerts.flatMap((alert) => ['', 'Alert', ...alert.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
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
