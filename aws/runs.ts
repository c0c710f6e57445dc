import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { isNamed } from './named';

/** When an execution ran, and what it was started with. */
export interface Run {
  readonly status: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly endedAt: number | undefined;
  /** JSON text. */
  readonly input: string;
}

/** Looks up executions of one state machine by their names. */
export interface Runs {
  /** Undefined where there is none of that name; Step Functions forgets one 90 days after its end. */
  find(name: string): Promise<Run | undefined>;
}

/** Makes a client that looks up the executions of one state machine. */
export function runsOf(stateMachineArn: string): Runs {
  const client = new SFNClient({ maxAttempts: 5 });
  const prefix = stateMachineArn.replace(':stateMachine:', ':execution:');
  return {
    async find(name) {
      try {
        const answer = await client.send(new DescribeExecutionCommand({ executionArn: `${prefix}:${name}` }));
        return {
          status: answer.status ?? 'RUNNING',
          startedAt: answer.startDate?.getTime() ?? 0,
          endedAt: answer.stopDate?.getTime(),
          input: answer.input ?? '{}',
        };
      } catch (error) {
        if (isNamed(error, 'ExecutionDoesNotExist')) return undefined;
        throw error;
      }
    },
  };
}
