import { silence } from '../../local/rehearsal/progress';
import { startRehearsal } from '../../local/rehearsal/rehearsal';
import type { Report } from '../../local/rehearsal/report';
import { optionsOf } from './options-of';

const rotations = 20;
let report: Report;

function medianOf(figure: (rotation: Report['rotations'][number]) => number): number {
  const sorted = report.rotations.map(figure).sort((a, b) => a - b);
  return sorted[rotations / 2] ?? NaN;
}

beforeAll(async () => {
  const rehearsal = await startRehearsal(
    optionsOf('--rotator', 'postgres-alternating', '--rotations', String(rotations)),
    silence,
    { quietSeconds: 0, restMs: 20 },
  );
  try {
    report = await rehearsal.run(Date.now());
  } finally {
    await rehearsal.stop();
  }
}, 900_000);

test('twenty rotations in a row succeed while three applications work without pause', () => {
  expect(report.rotations.map(({ outcome }) => outcome)).toEqual(
    Array.from({ length: rotations }, () => 'rotated'),
  );
  expect(report.apps.map(({ name }) => name).sort()).toEqual(['billing', 'orders', 'reports']);
  // Each of them came to its data many times in every rotation: otherwise their silence would prove nothing.
  for (const { queries } of report.apps) expect(queries).toBeGreaterThan(rotations * 3);
});

test('no query fails, no login is refused, and no secret value is found where none may be', () => {
  expect(report.apps.map(({ errors }) => errors)).toEqual([0, 0, 0]);
  expect(report.refusedLogins).toBe(0);
  expect(report.probe.logins).toBeGreaterThan(rotations * 3);
  expect(report.probe.refused).toBe(0);
  expect(report.leaks).toBe(0);
  expect(report.alerts).toEqual([]);
});

test('a rotation takes no more than 3 s of workflow time, or where the machine is slow, than 60 rounds of an application', () => {
  const wholeMs = report.rotations.reduce((sum, { wallMs }) => sum + wallMs, 0);
  const rounds = report.apps.find(({ name }) => name === 'reports')?.queries ?? 0;
  // It works beside the rotations: a round of 35 ms is usual, and a rotation takes 30 of them.
  expect(medianOf(({ workflowMs }) => workflowMs)).toBeLessThan(Math.max(3000, (60 * wholeMs) / rounds));
});

test('each rotation stays within its budget of calls, connections and transitions', () => {
  const secretsManager = Object.values(report.calls['secretsmanager'] ?? {}).reduce(
    (sum, count) => sum + count,
    0,
  );
  expect(secretsManager / rotations).toBeLessThanOrEqual(15);
  expect(report.calls['secretsmanager']?.['PutSecretValue']).toBe(rotations);
  expect(report.calls['sfn']?.['StartExecution']).toBe(rotations);
  expect(report.connections / rotations).toBeLessThanOrEqual(5);
  // Two waves, three consumers.
  const budget = 17 + 2 * 2 + 3;
  expect(medianOf(({ transitions }) => transitions)).toBeLessThanOrEqual(budget);
  // Where an application comes late with a login, the drain looks again.
  for (const { transitions } of report.rotations) expect(transitions).toBeLessThanOrEqual(budget + 6);
});
