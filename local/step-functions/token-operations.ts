import * as z from 'zod';
import type { Call, Operation, Surroundings } from '../kernel/service';
import { ServiceError } from '../kernel/service';
import { parseInput } from '../kernel/shape';
import type { Json } from './json';
import { parseJson } from './json';
import type { TaskTokens, TokenAnswer } from './task-tokens';

const taskToken = z.string().min(1).max(2048);
const shapes = {
  SendTaskSuccess: z.object({ taskToken, output: z.string().max(262_144) }),
  SendTaskFailure: z.object({
    taskToken,
    error: z.string().max(256).optional(),
    cause: z.string().max(32_768).optional(),
  }),
  SendTaskHeartbeat: z.object({ taskToken }),
};

/** The operations by which whoever holds a task token answers the waiting task. */
export function tokenOperations(
  { authorize, account }: Surroundings,
  tokens: TaskTokens,
): Record<string, Operation> {
  const admit = (operation: string, token: string, call: Call): void => {
    const machine = tokens.machineOf(token);
    // Another account's principal cannot tell such a token from a made-up one.
    if (machine === undefined || call.principal.account !== account) throw invalidToken();
    authorize(call, { action: `states:${operation}`, resource: machine });
  };

  return {
    SendTaskSuccess: async (raw, call) => {
      const input = parseInput('SendTaskSuccess', shapes.SendTaskSuccess, raw);
      admit('SendTaskSuccess', input.taskToken, call);
      const output = parseOutput(input.output);
      return accepted(tokens.answer(input.taskToken, { kind: 'success', output }));
    },
    SendTaskFailure: async (raw, call) => {
      const { taskToken: token, error, cause } = parseInput('SendTaskFailure', shapes.SendTaskFailure, raw);
      admit('SendTaskFailure', token, call);
      return accepted(tokens.answer(token, { kind: 'failure', error, cause }));
    },
    SendTaskHeartbeat: async (raw, call) => {
      const { taskToken: token } = parseInput('SendTaskHeartbeat', shapes.SendTaskHeartbeat, raw);
      admit('SendTaskHeartbeat', token, call);
      return accepted(tokens.heartbeat(token));
    },
  };
}

function accepted(answer: TokenAnswer): object {
  if (answer === 'accepted') return {};
  if (answer === 'invalid') throw invalidToken();
  throw new ServiceError('TaskTimedOut', `Task Timed Out: 'Provided task does not exist anymore'`);
}

function invalidToken(): ServiceError {
  return new ServiceError('InvalidToken', `Invalid Token: 'Invalid token'`);
}

function parseOutput(text: string): Json {
  try {
    return parseJson(text);
  } catch {
    // The parser's own message quotes the text.
    throw new ServiceError('InvalidOutput', `Invalid Output: 'The output is not JSON'`);
  }
}
