import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { assertArn, assertName, executionArn, withoutLabel } from './arns';
import { withoutData } from './history-data';
import type { Json } from './json';
import { parseJson, payloadLimit } from './json';
import { machineMissing } from './machine-operations';
import { findMapRun } from './map-run-operations';
import { page } from './paging';
import type { ExecutionRecord, MachineRecord, Records } from './records';
import { endOf, redrive } from './status-event';

const arn = z.string().min(1).max(256);
const paged = {
  maxResults: z.number().int().min(0).max(1000).optional(),
  nextToken: z.string().optional(),
};
const shapes = {
  StartExecution: z.object({
    stateMachineArn: arn,
    name: z.string().min(1).max(80).optional(),
    input: z.string().optional(),
    traceHeader: z.string().optional(),
  }),
  StopExecution: z.object({
    executionArn: arn,
    error: z.string().max(256).optional(),
    cause: z.string().max(32_768).optional(),
  }),
  DescribeExecution: z.object({ executionArn: arn }),
  ListExecutions: z.object({
    stateMachineArn: arn.optional(),
    mapRunArn: z.string().min(1).max(2000).optional(),
    statusFilter: z.enum(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']).optional(),
    ...paged,
  }),
  GetExecutionHistory: z.object({
    executionArn: arn,
    reverseOrder: z.boolean().optional(),
    includeExecutionData: z.boolean().optional(),
    ...paged,
  }),
};

/** Begins an execution of a machine and keeps it in the records. */
export type Start = (machine: MachineRecord, name: string, inputText: string, input: Json) => ExecutionRecord;

/** The operations on executions. */
export function executionOperations(
  surroundings: Surroundings,
  records: Records,
  start: Start,
): Record<string, Operation> {
  const { authorize, clock } = surroundings;
  const find = (arn: string): ExecutionRecord => {
    assertArn(arn, 'execution');
    const record = records.executions.get(arn);
    if (record === undefined)
      throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return record;
  };
  const listed = (
    machineArn: string | undefined,
    mapRunArn: string | undefined,
    call: Call,
  ): readonly ExecutionRecord[] => {
    const of = machineArn ?? mapRunArn;
    if (of === undefined || (machineArn !== undefined && mapRunArn !== undefined))
      throw new ServiceError(
        'ValidationException',
        'Exactly one of stateMachineArn and mapRunArn must be given',
      );
    authorize(call, { action: 'states:ListExecutions', resource: of });
    if (machineArn === undefined) return findMapRun(records, of).children;
    assertArn(machineArn, 'stateMachine');
    if (!records.machines.has(machineArn)) throw machineMissing(machineArn);
    return [...records.executions.values()].filter((record) => record.machineArn === machineArn);
  };

  return {
    StartExecution: async (raw, call) => {
      const input = parseInput('StartExecution', shapes.StartExecution, raw);
      authorize(call, { action: 'states:StartExecution', resource: input.stateMachineArn });
      assertArn(input.stateMachineArn, 'stateMachine');
      if (input.stateMachineArn !== withoutLabel(input.stateMachineArn))
        throw new ServiceError(
          'ValidationException',
          `A Map Run alone starts executions of a distributed Map: ${input.stateMachineArn}`,
        );
      const machine = records.machines.get(input.stateMachineArn);
      if (machine === undefined) throw machineMissing(input.stateMachineArn);
      const name = input.name ?? randomUUID();
      assertName(name);
      const text = input.input ?? '{}';
      const value = parseExecutionInput(text);
      const arn = executionArn(surroundings, machine.name, name);
      const existing = records.executions.get(arn);
      if (existing !== undefined) {
        // Idempotent only while it runs, and with the same input; a closed name stays taken.
        if (existing.execution.status !== 'RUNNING' || existing.inputText !== text)
          throw new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
        return { executionArn: arn, startDate: existing.startedAt };
      }
      const record = start(machine, name, text, value);
      return { executionArn: record.arn, startDate: record.startedAt };
    },

    StopExecution: async (raw, call) => {
      const input = parseInput('StopExecution', shapes.StopExecution, raw);
      authorize(call, { action: 'states:StopExecution', resource: input.executionArn });
      const record = find(input.executionArn);
      record.execution.stop(input.error, input.cause);
      await record.done;
      return { stopDate: record.execution.end?.at ?? new Date(clock.now()) };
    },

    DescribeExecution: async (raw, call) => {
      const { executionArn: arn } = parseInput('DescribeExecution', shapes.DescribeExecution, raw);
      authorize(call, { action: 'states:DescribeExecution', resource: arn });
      const record = find(arn);
      const { output, error, cause } = endOf(record);
      return {
        executionArn: record.arn,
        stateMachineArn: record.machineArn,
        name: record.name,
        status: record.execution.status,
        ...mapRunOf(record),
        startDate: record.startedAt,
        ...stopDateOf(record),
        input: record.inputText,
        inputDetails: { included: true },
        ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
        ...(error === undefined ? {} : { error }),
        ...(cause === undefined ? {} : { cause }),
        redriveCount: 0,
        ...redrive(record),
      };
    },

    DescribeStateMachineForExecution: async (raw, call) => {
      const { executionArn: arn } = parseInput(
        'DescribeStateMachineForExecution',
        shapes.DescribeExecution,
        raw,
      );
      authorize(call, { action: 'states:DescribeStateMachineForExecution', resource: arn });
      const record = find(arn);
      return {
        stateMachineArn: record.machineArn,
        name: record.machineName,
        definition: record.definition,
        roleArn: record.roleArn,
        updateDate: record.startedAt,
        ...mapRunOf(record),
        ...(record.mapRun === undefined ? {} : { label: record.mapRun.label }),
      };
    },

    ListExecutions: async (raw, call) => {
      const input = parseInput('ListExecutions', shapes.ListExecutions, raw);
      const { stateMachineArn: ofMachine, mapRunArn: ofMapRun } = input;
      const newestFirst = listed(ofMachine, ofMapRun, call)
        .filter(
          ({ execution }) => input.statusFilter === undefined || execution.status === input.statusFilter,
        )
        .reverse();
      const { entries, ...rest } = page(newestFirst, input);
      return {
        executions: entries.map((record) => ({
          executionArn: record.arn,
          stateMachineArn: record.machineArn,
          name: record.name,
          status: record.execution.status,
          ...mapRunOf(record),
          ...(record.mapRun === undefined ? {} : { itemCount: 1 }),
          startDate: record.startedAt,
          ...stopDateOf(record),
          redriveCount: 0,
        })),
        ...rest,
      };
    },

    GetExecutionHistory: async (raw, call) => {
      const input = parseInput('GetExecutionHistory', shapes.GetExecutionHistory, raw);
      authorize(call, { action: 'states:GetExecutionHistory', resource: input.executionArn });
      const { events } = find(input.executionArn).execution;
      const { entries, ...rest } = page(input.reverseOrder === true ? events.toReversed() : events, input);
      return { events: input.includeExecutionData === false ? entries.map(withoutData) : entries, ...rest };
    },

    RedriveExecution: async () => {
      throw new ServiceError(
        'UnsupportedOperation',
        'The embedded cloud does not implement RedriveExecution.',
      );
    },
  };
}

function mapRunOf({ mapRun }: ExecutionRecord): { readonly mapRunArn?: string } {
  return mapRun === undefined ? {} : { mapRunArn: mapRun.arn };
}

function stopDateOf({ execution: { end } }: ExecutionRecord): { readonly stopDate?: Date } {
  return end === undefined ? {} : { stopDate: end.at };
}

function parseExecutionInput(text: string): Json {
  if (Buffer.byteLength(text) > payloadLimit)
    throw new ServiceError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: 'The input is longer than ${payloadLimit} bytes'`,
    );
  try {
    return parseJson(text);
  } catch {
    throw new ServiceError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: 'The input is not JSON'`,
    );
  }
}
