import type { LambdaFunction } from './function';

/** What the REPORT line says about an invocation. */
export interface Report {
  readonly requestId: string;
  readonly durationMs: number;
  readonly initMs?: number | undefined;
  readonly heapBytes: number;
  readonly failed: boolean;
}

/** The line that Lambda writes before an invocation, in the function's log format. */
export function startLine(fn: LambdaFunction, requestId: string): string {
  return fn.logFormat === 'Text'
    ? `START RequestId: ${requestId} Version: $LATEST`
    : record('platform.start', { requestId, version: '$LATEST' });
}

/** The line that Lambda writes after an invocation; with the JSON format AWS calls it runtimeDone. */
export function endLine(fn: LambdaFunction, requestId: string): string {
  return fn.logFormat === 'Text'
    ? `END RequestId: ${requestId}`
    : record('platform.runtimeDone', { requestId });
}

/** The last line of an invocation: its time and memory, and the time that loading the code took. */
export function reportLine(fn: LambdaFunction, report: Report): string {
  const durationMs = report.durationMs.toFixed(2);
  const billedMs = Math.ceil(report.durationMs);
  // A worker's heap stands for its memory: the process's own figure counts all workers together.
  const usedMb = Math.max(1, Math.ceil(report.heapBytes / 2 ** 20));
  if (fn.logFormat === 'JSON')
    return record('platform.report', {
      requestId: report.requestId,
      status: report.failed ? 'error' : 'success',
      metrics: {
        durationMs: Number(durationMs),
        billedDurationMs: billedMs,
        memorySizeMB: fn.memoryMb,
        maxMemoryUsedMB: usedMb,
        ...(report.initMs === undefined ? {} : { initDurationMs: Number(report.initMs.toFixed(2)) }),
      },
    });
  const parts = [
    `REPORT RequestId: ${report.requestId}`,
    `Duration: ${durationMs} ms`,
    `Billed Duration: ${billedMs} ms`,
    `Memory Size: ${fn.memoryMb} MB`,
    `Max Memory Used: ${usedMb} MB`,
    ...(report.initMs === undefined ? [] : [`Init Duration: ${report.initMs.toFixed(2)} ms`]),
  ];
  return parts.join('\t') + '\t';
}

function record(type: string, detail: object): string {
  return JSON.stringify({ time: new Date().toISOString(), type, record: detail });
}
