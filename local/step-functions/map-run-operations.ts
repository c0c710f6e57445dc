import * as z from 'zod';
import type { Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import { assertArn } from './arns';
import type { MapRun } from './map-run';
import { page } from './paging';
import type { Records } from './records';

const arn = z.string().min(1).max(2000);
const shapes = {
  DescribeMapRun: z.object({ mapRunArn: arn }),
  ListMapRuns: z.object({
    executionArn: arn,
    maxResults: z.number().int().min(0).max(1000).optional(),
    nextToken: z.string().optional(),
  }),
};

/** The Map Run of an ARN, or AWS's error. */
export function findMapRun(records: Records, arn: string): MapRun {
  assertArn(arn, 'mapRun');
  const run = records.mapRuns.get(arn);
  if (run === undefined)
    throw new ServiceError('ResourceNotFound', `Resource not found: '${arn}'`, 400, { resourceName: arn });
  return run;
}

/** The operations on Map Runs. */
export function mapRunOperations({ authorize }: Surroundings, records: Records): Record<string, Operation> {
  return {
    DescribeMapRun: async (raw, call) => {
      const { mapRunArn } = parseInput('DescribeMapRun', shapes.DescribeMapRun, raw);
      authorize(call, { action: 'states:DescribeMapRun', resource: mapRunArn });
      const run = findMapRun(records, mapRunArn);
      const { maxConcurrency, toleratedFailureCount, toleratedFailurePercentage } = run.order;
      return {
        mapRunArn,
        executionArn: run.order.parent.arn,
        status: run.status,
        startDate: run.startedAt,
        ...(run.stoppedAt === undefined ? {} : { stopDate: run.stoppedAt }),
        maxConcurrency,
        toleratedFailurePercentage: toleratedFailurePercentage ?? 0,
        toleratedFailureCount: toleratedFailureCount ?? 0,
        itemCounts: run.counts(),
        executionCounts: run.counts(),
        redriveCount: 0,
      };
    },

    ListMapRuns: async (raw, call) => {
      const input = parseInput('ListMapRuns', shapes.ListMapRuns, raw);
      authorize(call, { action: 'states:ListMapRuns', resource: input.executionArn });
      assertArn(input.executionArn, 'execution');
      if (!records.executions.has(input.executionArn))
        throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${input.executionArn}'`);
      const newestFirst = [...records.mapRuns.values()]
        .filter(({ order }) => order.parent.arn === input.executionArn)
        .reverse();
      const { entries, ...rest } = page(newestFirst, input);
      return {
        mapRuns: entries.map((run) => ({
          executionArn: run.order.parent.arn,
          mapRunArn: run.arn,
          stateMachineArn: run.machineArn,
          startDate: run.startedAt,
          ...(run.stoppedAt === undefined ? {} : { stopDate: run.stoppedAt }),
        })),
        ...rest,
      };
    },
  };
}
