import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { publish } from './readme';
import type { ScaleFigures } from './scale-run';

const root = path.resolve(__dirname, '..');

/** Up to forty consumers of a wave are iterations of an inline Map; more are executions of their own. */
const sizes = [1, 10, 40, 100, 1000];

/** `npm run scale`: one rotation for each number of consumers, each in a process of its own; writes the table into README.md. */
function main(): void {
  publish('scale', tableOf(sizes.map(measure)));
}

function measure(consumers: number): ScaleFigures {
  const printed = execFileSync(
    process.execPath,
    [path.join(root, 'bin/run.mjs'), 'bench/scale-run.ts', String(consumers)],
    { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return JSON.parse(printed) as ScaleFigures;
}

function tableOf(figures: readonly ScaleFigures[]): string {
  const thousands = (value: number) => value.toLocaleString('en-US');
  const rows = figures.map((each) =>
    [
      thousands(each.consumers),
      thousands(each.transitions),
      `${thousands(each.historyEvents)}${each.longestIteration === 0 ? '' : ` and ${each.longestIteration} each`}`,
      `${thousands(Math.ceil(each.longestPayload / 1024))} KiB`,
      `$${each.costUsd.toFixed(4)}`,
      `${thousands(each.lastAcknowledgementMs)} ms`,
      `${thousands(each.peakMiB)} MiB`,
    ].join(' | '),
  );
  return [
    '| consumers | transitions | history events | longest payload | cost on AWS | to the last acknowledgement | peak memory |',
    '|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

main();
