import { measureBundles } from './bundles';
import { rehearse, type Rehearsed } from './rehearse';

/** One figure with its bound, next to what AWS's own template does where that was measured. */
interface Row {
  readonly figure: string;
  readonly aws: string;
  readonly bound: number;
  readonly measured: number;
  readonly unit?: string;
}

const rotations = 3;

/**
 * `npm run bench`: the budgets, from real runs of `npm start`, and 1 as exit code where one is exceeded.
 *
 * AWS's figures were measured against its own PostgreSQL rotation templates on PostgreSQL 15 and 18.
 */
async function main(): Promise<number> {
  const alternating = await rehearse('postgres-alternating', rotations);
  const single = await rehearse('postgres-single', rotations);
  const bundles = measureBundles();
  const rows: Row[] = [
    ...budgets('alternating', alternating, { fourSteps: 10, whole: 15, connections: 5, awsConnections: '4' }),
    ...budgets('single', single, { fourSteps: 9, whole: 15, connections: 2, awsConnections: '3' }),
    {
      figure: 'alternating: refused logins of applications',
      aws: 'not bounded',
      bound: 0,
      measured: alternating.report.refusedLogins,
    },
    {
      figure: 'alternating: failed rounds of applications',
      aws: '–',
      bound: 0,
      measured: failedRounds(alternating),
    },
    { figure: 'single: failed rounds of applications', aws: '–', bound: 0, measured: failedRounds(single) },
    {
      figure: 'workflow, consumers answering at once',
      aws: '–',
      bound: 3000,
      measured: alternating.report.workflowMs,
      unit: 'ms',
    },
    {
      figure: 'npm start to the end of the first rotation',
      aws: '–',
      bound: 20_000,
      measured: alternating.commandMs,
      unit: 'ms',
    },
    {
      figure: 'peak memory of all processes of npm start',
      aws: '–',
      bound: 1024,
      measured: alternating.peakMiB,
      unit: 'MiB',
    },
    ...bundles.map(({ name, kib, hasDriver }) => ({
      figure: `bundle ${name}, minified`,
      aws: '–',
      bound: hasDriver ? 600 : 400,
      measured: kib,
      unit: 'KiB',
    })),
  ];
  console.log('| | AWS’s template | budget | measured |\n|---|---|---|---|');
  for (const { figure, aws, bound, measured, unit = '' } of rows)
    console.log(
      `| ${figure} | ${aws} | ≤ ${bound} ${unit} | ${measured > bound ? '**' : ''}${measured} ${unit}${measured > bound ? '**' : ''} |`,
    );
  console.log('\nNot budgeted:');
  console.log(
    `- single: without a valid login for ${single.report.gapMs} ms, ${single.report.refusedLogins / rotations} refused logins of applications a rotation`,
  );
  console.log(
    `- cost on AWS, a rotation: $${(alternating.report.costUsd / rotations).toFixed(6)} alternating, $${(single.report.costUsd / rotations).toFixed(6)} single`,
  );
  console.log(
    `- time to import: ${bundles.map(({ name, importMs }) => `${name} ${importMs} ms`).join(', ')}`,
  );
  const exceeded = rows.filter(({ measured, bound }) => measured > bound);
  for (const { figure } of exceeded) console.log(`exceeded: ${figure}`);
  return exceeded.length === 0 ? 0 : 1;
}

interface Bounds {
  readonly fourSteps: number;
  readonly whole: number;
  readonly connections: number;
  readonly awsConnections: string;
}

function budgets(name: string, { report }: Rehearsed, bounds: Bounds): Row[] {
  const callsOf = (...functions: readonly string[]) =>
    functions.reduce((sum, fn) => sum + total(report.callsByFunction[fn]?.['secretsmanager']), 0) / rotations;
  const whole = total(report.calls['secretsmanager']) / rotations;
  // finish-secret also takes the hold off after the retirement, which is none of the four steps.
  const release = report.states.includes('ReleasePrevious') ? 1 : 0;
  const waves = new Set(report.consumers.map(({ wave }) => wave)).size;
  return [
    {
      figure: `${name}: Secrets Manager calls, the four steps`,
      aws: '14',
      bound: bounds.fourSteps,
      measured: callsOf('rotation', 'set-secret', 'test-secret', 'finish-secret') - release,
    },
    { figure: `${name}: … with plan, usage, retire`, aws: '–', bound: bounds.whole, measured: whole },
    {
      figure: `${name}: connections to the target`,
      aws: bounds.awsConnections,
      bound: bounds.connections,
      measured: report.connections / rotations,
    },
    {
      figure: `${name}: refused logins caused by the rotation`,
      aws: '≥ 1',
      bound: 0,
      measured: report.refusedByRotation,
    },
    {
      figure: `${name}: passwords in the server’s log under log_statement=ddl`,
      aws: '1',
      bound: 0,
      measured: report.leaks,
    },
    {
      figure: `${name}: state transitions, ${waves} waves and ${report.consumers.length} consumers`,
      aws: '–',
      bound: 17 + 2 * waves + report.consumers.length,
      measured: report.transitions,
    },
  ];
}

function failedRounds({ report }: Rehearsed): number {
  return report.apps.reduce((sum, { errors }) => sum + errors, 0);
}

function total(calls: Readonly<Record<string, number>> | undefined): number {
  return Object.values(calls ?? {}).reduce((sum, count) => sum + count, 0);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
