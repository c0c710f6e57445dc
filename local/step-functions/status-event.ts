import type { ExecutionRecord } from './records';

/** The part of an execution's record that its events show. */
export type Shown = Pick<
  ExecutionRecord,
  'arn' | 'execution' | 'inputText' | 'machineArn' | 'mapRun' | 'name' | 'startedAt'
>;

/** What Step Functions puts on the default event bus when an execution's status changes. */
export interface StatusEvent {
  readonly source: 'aws.states';
  readonly 'detail-type': 'Step Functions Execution Status Change';
  readonly resources: readonly [string];
  readonly time: Date;
  readonly detail: Readonly<Record<string, unknown>>;
}

// Beyond 248 KiB together, AWS leaves input and output out of the event.
const dataLimit = 248 * 1024;

/** The event for the status that an execution has now; times in it are milliseconds since the epoch. */
export function statusEvent(record: Shown, time: Date): StatusEvent {
  const { end, status } = record.execution;
  const { output, error, cause } = endOf(record);
  const included = Buffer.byteLength(record.inputText) + Buffer.byteLength(output ?? '') <= dataLimit;
  return {
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    resources: [record.arn],
    time,
    detail: {
      executionArn: record.arn,
      stateMachineArn: record.machineArn,
      name: record.name,
      status,
      startDate: record.startedAt.getTime(),
      stopDate: end?.at.getTime() ?? null,
      input: included ? record.inputText : null,
      output: included ? (output ?? null) : null,
      inputDetails: { included },
      outputDetails: output === undefined ? null : { included },
      error: error ?? null,
      cause: cause ?? null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: redrive(record).redriveStatus,
      redriveStatusReason: redrive(record).redriveStatusReason ?? null,
    },
  };
}

/** An execution's output as text, or its error and cause; nothing while it runs. */
export function endOf({ execution: { end } }: Pick<ExecutionRecord, 'execution'>): {
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
} {
  if (end === undefined) return {};
  return end.status === 'SUCCEEDED'
    ? { output: JSON.stringify(end.output) }
    : { error: end.error, cause: end.cause };
}

/** Whether AWS would redrive the execution. */
export function redrive(record: Pick<ExecutionRecord, 'execution' | 'mapRun'>): {
  readonly redriveStatus: string;
  readonly redriveStatusReason?: string;
} {
  const { status } = record.execution;
  if (status === 'RUNNING' || status === 'SUCCEEDED')
    return {
      redriveStatus: 'NOT_REDRIVABLE',
      redriveStatusReason: `Execution is ${status} and cannot be redriven`,
    };
  return { redriveStatus: record.mapRun === undefined ? 'REDRIVABLE' : 'REDRIVABLE_BY_MAP_RUN' };
}
