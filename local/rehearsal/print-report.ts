import type { Calls, Report } from './report';

/** The report as people read it. */
export function printReport(report: Report): string {
  const titles = {
    rotated: 'Rotated',
    reverted: 'Failed safely: the rotation went back, and the old credential works',
    kept: 'Failed safely: nothing that may still be in use was stopped',
    failed: 'FAILED',
  };
  const row = (name: string, value: string) => `  ${name.padEnd(24)} ${value}`;
  const consumers = report.consumers.map(({ name, wave, outcome, ms }) =>
    row(`  ${name}`, `wave ${wave}, ${outcome} after ${ms} ms`),
  );
  const apps = report.apps.map(({ name, queries, errors }) =>
    row(`  ${name}`, `${queries} rounds, ${errors} failed`),
  );
  return [
    titles[report.outcome],
    row('secret', `${report.secret} (${report.rotator})`),
    ...(report.rotations.length > 1 ? [row('rotations', outcomesOf(report))] : []),
    row('workflow', `${report.workflowMs} ms, ${report.transitions} state transitions`),
    row('without a valid login', `${report.gapMs} ms`),
    row(
      'Secrets Manager calls',
      `${sum(report.calls, 'secretsmanager')} (and ${sum(report.polls, 'secretsmanager')} while waiting)`,
    ),
    row('logins at the target', `${report.connections} by the rotation, ${report.refusedLogins} refused`),
    row('AWSCURRENT tried', `${report.probe.logins} logins, ${report.probe.refused} refused`),
    row('secret values found', `${report.leaks} (history, events, messages, logs, database log)`),
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
    '  applications meanwhile',
    ...apps,
    ...report.alerts.flatMap((alert) => ['', 'Alert', ...alert.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
}

function outcomesOf({ rotations }: Report): string {
  const counts = new Map<string, number>();
  for (const { outcome } of rotations) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
}

function sum(calls: Calls, service: string): number {
  return Object.values(calls[service] ?? {}).reduce((total, count) => total + count, 0);
}
