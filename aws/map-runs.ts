import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';

/** How one iteration of a distributed Map failed. */
export interface FailedIteration {
  readonly error: string;
  /** What its Fail state wrote, or what Step Functions says. */
  readonly cause: string;
}

/** What is read of the distributed Maps of an execution. */
export interface MapRuns {
  /** The iteration of the newest Map Run of an execution that failed first; undefined while none is listed. */
  firstFailure(executionArn: string): Promise<FailedIteration | undefined>;
}

/** Makes a client that looks into Map Runs. */
export function mapRuns(): MapRuns {
  const client = new SFNClient({ maxAttempts: 5 });
  return {
    async firstFailure(executionArn) {
      // In which order they are listed is not documented. A rotation has a hundred waves at most, and their repeats.
      const { mapRuns: runs = [] } = await client.send(
        new ListMapRunsCommand({ executionArn, maxResults: 1000 }),
      );
      const startedAt = ({ startDate }: { readonly startDate?: Date | undefined }) =>
        startDate?.getTime() ?? 0;
      const newest = [...runs].sort((a, b) => startedAt(b) - startedAt(a))[0];
      if (newest?.mapRunArn === undefined) return undefined;
      const { mapRunArn } = newest;
      const listed = await client.send(
        new ListExecutionsCommand({ mapRunArn, statusFilter: 'FAILED', maxResults: 1000 }),
      );
      const stopped = (listed.executions ?? []).map(({ executionArn: arn, stopDate }) => ({
        arn,
        at: stopDate?.getTime() ?? Infinity,
      }));
      const [first] = stopped.sort((a, b) => a.at - b.at);
      if (first === undefined) return undefined;
      const { error, cause } = await client.send(new DescribeExecutionCommand({ executionArn: first.arn }));
      return { error: error ?? 'no error named', cause: cause ?? 'no cause given' };
    },
  };
}
