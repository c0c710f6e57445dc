import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Report } from '../local/rehearsal/report';
import type { RotatorName } from '../rotators/registry';

/** What a run of `npm start` reports, and what it took. */
export interface Rehearsed {
  readonly report: Report;
  /** From the start of the command to the end of the first rotation, its own start-up included. */
  readonly commandMs: number;
  /** Resident memory of the command and everything that it starts, at its highest; 0 where /proc is not to be had. */
  readonly peakMiB: number;
}

/** Runs `npm start` for one rotator as a user does. */
export async function rehearse(rotator: RotatorName, rotations: number): Promise<Rehearsed> {
  const root = path.resolve(__dirname, '..');
  const child = spawn(
    process.execPath,
    [
      path.join(root, 'bin/run.mjs'),
      'local/rehearsal/main.ts',
      '--json',
      '--rotator',
      rotator,
      '--rotations',
      String(rotations),
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  let peakMiB = 0;
  const sampler = setInterval(() => (peakMiB = Math.max(peakMiB, residentMiB(child.pid ?? 0))), 100);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(sampler);
  if (code !== 0) throw new Error(`npm start -- --rotator ${rotator} ended with ${String(code)}`);
  const report = JSON.parse(printed) as Report;
  return { report, commandMs: report.firstRotationMs, peakMiB: Math.round(peakMiB) };
}

/** Resident memory of a process and all below it. Shared pages are counted in each, so the truth is a little less. */
function residentMiB(pid: number): number {
  const parents = new Map<number, number>();
  const sizes = new Map<number, number>();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${entry}/status`, 'utf8');
      parents.set(Number(entry), Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]));
      sizes.set(
        Number(entry),
        Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) +
          Number(/^RssShmem:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0),
      );
    } catch {
      // It ended while we looked.
    }
  }
  const isBelow = (candidate: number): boolean => {
    for (let at: number | undefined = candidate; at !== undefined && at > 1; at = parents.get(at))
      if (at === pid) return true;
    return false;
  };
  return [...sizes].reduce((sum, [candidate, kib]) => (isBelow(candidate) ? sum + kib : sum), 0) / 1024;
}
