import {
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { RotationInProgress } from '../domain/errors';
import { isNamed } from './named';

/** An execution as far as the rotation function asks about it. */
export interface DescribedExecution {
  readonly status: string;
  /** JSON text that the workflow's Fail state wrote, or what Step Functions says. */
  readonly cause: string | undefined;
  /** When it ended, in milliseconds since the epoch; undefined while it runs. */
  readonly stoppedAt?: number | undefined;
}

/** The calls that start and watch executions of one state machine. */
export interface Executions {
  /**
   * Starts an execution under a fixed name. `exists` where the name is taken by one that has ended or that was given
   * other input; repeating a start while it runs is a success (AWS: StartExecution, "idempotent").
   *
   * After `until`, in milliseconds since the epoch, nothing is sent any more: RotationInProgress. Whether it was started
   * before then, the next look tells.
   */
  start(name: string, input: object, until?: number): Promise<'started' | 'exists'>;
  /** Undefined where there is none of that name. Eventually consistent: one that was just started may be missing. */
  describe(name: string): Promise<DescribedExecution | undefined>;
}

/** Makes a client for the executions of one state machine. */
export function executionsOf(stateMachineArn: string): Executions {
  const client = new SFNClient({ maxAttempts: 5 });
  const executionArn = (name: string) =>
    `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    async start(name, input, until) {
      const msLeft = until === undefined ? Infinity : Math.ceil(until - Date.now());
      if (msLeft <= 0) throw tooLate(name);
      const abortSignal = Number.isFinite(msLeft) ? AbortSignal.timeout(msLeft) : undefined;
      try {
        await client.send(
          new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
          abortSignal === undefined ? {} : { abortSignal },
        );
        return 'started';
      } catch (error) {
        if (isNamed(error, 'ExecutionAlreadyExists')) return 'exists';
        if (abortSignal?.aborted === true) throw tooLate(name);
        throw error;
      }
    },
    async describe(name) {
      try {
        const answer = await client.send(new DescribeExecutionCommand({ executionArn: executionArn(name) }));
        return {
          status: answer.status ?? 'RUNNING',
          cause: answer.cause,
          stoppedAt: answer.stopDate?.getTime(),
        };
      } catch (error) {
        if (isNamed(error, 'ExecutionDoesNotExist')) return undefined;
        throw error;
      }
    },
  };
}

function tooLate(name: string): RotationInProgress {
  return new RotationInProgress(`execution ${name} was not started in the time that its turn gives`);
}

/** The calls that complete a waiting task; each answers false where the task no longer waits. */
export interface TaskTokens {
  succeed(token: string, output: object): Promise<boolean>;
  fail(token: string, error: string, cause: object): Promise<boolean>;
  heartbeat(token: string): Promise<boolean>;
}

/** Makes a client that completes tasks by their tokens. */
export function taskTokens(): TaskTokens {
  const client = new SFNClient({ maxAttempts: 5 });
  const still = async (send: Promise<unknown>) => {
    try {
      await send;
      return true;
    } catch (error) {
      // Answered twice, too late, or with a token that nobody handed out: nothing is left to complete.
      if (isNamed(error, 'TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken')) return false;
      throw error;
    }
  };
  return {
    succeed: (taskToken, output) =>
      still(client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }))),
    fail: (taskToken, error, cause) =>
      still(client.send(new SendTaskFailureCommand({ taskToken, error, cause: JSON.stringify(cause) }))),
    heartbeat: (taskToken) => still(client.send(new SendTaskHeartbeatCommand({ taskToken }))),
  };
}
