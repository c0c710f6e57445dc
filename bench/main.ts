import { rotatorNames, rotators, type RotatorName } from '../rotators/registry';
import { measureBundles } from './bundles';
import { publish } from './readme';
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
 * `npm run bench`: the budgets, from real runs of `npm start`, into README.md, and 1 as exit code where one is exceeded.
 *
 * AWS's figures were measured against its own PostgreSQL rotation templates on PostgreSQL 15 and 18.
 */
async function main(): Promise<number> {
  const runs = new Map<RotatorName, Rehearsed>();
  for (const name of rotatorNames) runs.set(name, await rehearse(name, rotations));
  const of = (name: RotatorName) => present(runs.get(name));
  const alternating = of('postgres-alternating');
  const single = of('postgres-single');
  const bundles = measureBundles('postgres-alternating');
  const rows: Row[] = [
    ...budgets('alternating', alternating, { fourSteps: 10, whole: 15, connections: 5, awsConnections: '4' }),
    ...budgets('single', single, { fourSteps: 9, whole: 15, connections: 2, awsConnections: '3' }),
    ...budgets('MariaDB, alternating', of('mysql-alternating'), {
      fourSteps: 10,
      whole: 15,
      connections: 5,
      awsConnections: '–',
    }),
    ...budgets('MariaDB, single', of('mysql-single'), {
      fourSteps: 9,
      whole: 15,
      connections: 2,
      awsConnections: '–',
    }),
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
  publish(
    'bench',
    [
      '| | AWS’s template | budget | measured |',
      '|---|---|---|---|',
      ...rows.map(lineOf),
      `\n${everyRotator(runs)}\n`,
      'Not budgeted:',
      `- single: without a valid login for ${single.report.gapMs} ms, ${single.report.refusedLogins / rotations} refused logins of applications a rotation`,
      `- cost on AWS, a rotation: $${(alternating.report.costUsd / rotations).toFixed(6)} alternating, $${(single.report.costUsd / rotations).toFixed(6)} single`,
      `- time to import: ${bundles.map(({ name, importMs }) => `${name} ${importMs} ms`).join(', ')}`,
    ].join('\n'),
  );
  const exceeded = [...rows.filter(({ measured, bound }) => measured > bound), ...broken(runs)];
  for (const { figure } of exceeded) console.log(`exceeded: ${figure}`);
  return exceeded.length === 0 ? 0 : 1;
}

/** One line a rotator: what a rotation of its kind takes, and what its functions weigh. */
function everyRotator(runs: ReadonlyMap<RotatorName, Rehearsed>): string {
  const lines = [...runs].map(([name, run]) => {
    const { report } = run;
    const kib = new Map(measureBundles(name).map((figures) => [figures.name, figures.kib]));
    return [
      name,
      total(report.calls['secretsmanager']) / rotations,
      report.transitions,
      Math.round((10 * report.connections) / rotations) / 10,
      `${report.refusedByRotation} / ${report.refusedLogins / rotations}`,
      `${report.apps.reduce((sum, { queries }) => sum + queries, 0)} / ${failedRounds(run)}`,
      `${report.gapMs} ms`,
      `${report.workflowMs} ms`,
      `${kib.get('rotation') ?? 0} / ${kib.get('set-secret') ?? 0} KiB`,
    ].join(' | ');
  });
  return [
    '| rotator | Secrets Manager calls | transitions | logins by the rotation | refused: the rotation’s / applications’ | rounds of applications / failed | gap | workflow | bundle: rotation / set-secret |',
    '|---|---|---|---|---|---|---|---|---|',
    ...lines.map((line) => `| ${line} |`),
  ].join('\n');
}

function lineOf({ figure, aws, bound, measured, unit }: Row): string {
  const inUnit = unit === undefined ? '' : ` ${unit}`;
  const text = `${measured}${inUnit}`;
  return `| ${figure} | ${aws} | ≤ ${bound}${inUnit} | ${measured > bound ? `**${text}**` : text} |`;
}

/** What no rotator may do: fail an application, or refuse a login where both credentials work. */
function broken(runs: ReadonlyMap<RotatorName, Rehearsed>): Pick<Row, 'figure'>[] {
  return [...runs].flatMap(([name, run]) => {
    const hasOverlap = rotators[name].traits(rotators[name].example.settings).overlap !== 'none';
    return [
      ...(failedRounds(run) > 0 ? [{ figure: `${name}: failed rounds of applications` }] : []),
      ...(hasOverlap && run.report.refusedLogins > 0 ? [{ figure: `${name}: refused logins` }] : []),
    ];
  });
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new RangeError('a rotator was not rehearsed');
  return value;
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
      aws: bounds.awsConnections === '–' ? '–' : '14',
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
      aws: bounds.awsConnections === '–' ? '–' : '≥ 1',
      bound: 0,
      measured: report.refusedByRotation,
    },
    {
      figure: `${name}: passwords in the server’s log with every statement in it`,
      aws: bounds.awsConnections === '–' ? '–' : '1',
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
