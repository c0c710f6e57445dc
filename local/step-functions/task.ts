import type { TaskState } from './definition';
import { asStateFailure, StateFailure, timeout } from './failure';
import type { Json } from './json';
import { childOf, orAborted, startDeadline } from './limited-time';
import { withRetryAndCatch } from './retry';
import { taskEvents } from './task-events';
import type { Integration } from './task-port';
import { parseResource } from './task-port';
import type { TokenOutcome, WaitingTask } from './task-tokens';
import type { Departure, Visit } from './visit';

/** Runs a Task state: each attempt evaluates its arguments, calls the port, and waits for the token if it has one. */
export async function runTask(visit: Visit<TaskState>): Promise<Departure> {
  const integration = parseResource(visit.state.Resource);
  if (integration === undefined)
    throw visit.failure('States.Runtime', `The resource '${visit.state.Resource}' is not implemented.`);
  return withRetryAndCatch(visit, async () => {
    const result = await runAttempt(visit, integration);
    return visit.leave(visit.state, result, visit.state.Next, { result });
  });
}

async function runAttempt(visit: Visit<TaskState>, integration: Integration): Promise<Json> {
  const { machinery, state } = visit;
  const waiting =
    integration.kind === 'service' && integration.waitsForToken
      ? machinery.tokens.issue(machinery.execution.stateMachineArn)
      : undefined;
  visit.token = waiting?.token;
  try {
    const input =
      state.Arguments === undefined ? visit.input : await visit.evaluate('Arguments', state.Arguments);
    const timeoutSeconds = await visit.evaluateNumber('TimeoutSeconds', state.TimeoutSeconds);
    const heartbeatSeconds = await visit.evaluateNumber('HeartbeatSeconds', state.HeartbeatSeconds);
    const roleArn = await evaluateRole(visit);
    visit.assertSize(input);
    const events = taskEvents(visit, integration);
    events.scheduled(input, timeoutSeconds, heartbeatSeconds, roleArn);
    events.started();
    try {
      const result = await withinTime(visit, timeoutSeconds, heartbeatSeconds, waiting, (signal) =>
        call(visit, input, roleArn, waiting, events.submitted, signal),
      );
      visit.assertSize(result);
      events.succeeded(result);
      return result;
    } catch (thrown) {
      if (visit.place.signal.aborted) throw thrown;
      const failure = asStateFailure(thrown);
      events.failed(failure);
      throw failure;
    }
  } finally {
    waiting?.close();
    visit.token = undefined;
  }
}

async function evaluateRole(visit: Visit<TaskState>): Promise<string | undefined> {
  const template = visit.state.Credentials?.['RoleArn'];
  return template === undefined
    ? undefined
    : visit.evaluateAs('Credentials/RoleArn', template, 'string', (value) => typeof value === 'string');
}

async function withinTime(
  visit: Visit<TaskState>,
  timeoutSeconds: number | undefined,
  heartbeatSeconds: number | undefined,
  waiting: WaitingTask | undefined,
  work: (signal: AbortSignal) => Promise<Json>,
): Promise<Json> {
  const { controller, part } = childOf(visit.place.signal);
  const expire = (): void => controller.abort(new StateFailure(timeout, undefined));
  const { clock, taskClock } = visit.machinery;
  const whole = startDeadline(waiting === undefined ? taskClock : clock, timeoutSeconds, expire);
  // Nobody can send a heartbeat for a task without a token, so that it has no deadline of that kind here.
  const heartbeat = startDeadline(clock, waiting === undefined ? undefined : heartbeatSeconds, expire);
  waiting?.onHeartbeat(heartbeat.renew);
  try {
    return await orAborted(work(controller.signal), controller.signal);
  } finally {
    whole.cancel();
    heartbeat.cancel();
    part();
  }
}

async function call(
  visit: Visit<TaskState>,
  input: Json,
  roleArn: string | undefined,
  waiting: WaitingTask | undefined,
  submitted: (output: Json) => void,
  signal: AbortSignal,
): Promise<Json> {
  const { execution, observer, port } = visit.machinery;
  const attempt = visit.retryCount + 1;
  await observer.beforeTask?.(visit.name, execution.arn, attempt);
  if (isOver(signal)) return null;
  const answer = await port.invoke(visit.state.Resource, input, {
    roleArn: roleArn ?? execution.roleArn,
    ownRole: roleArn === undefined,
    executionArn: execution.arn,
    stateMachineArn: execution.stateMachineArn,
    stateName: visit.name,
    signal,
  });
  // Too late: the task has timed out or the execution has ended, and this answer is not heard.
  if (isOver(signal)) return answer;
  await observer.afterTask?.(visit.name, execution.arn, attempt);
  if (waiting === undefined) return answer;
  submitted(answer);
  return resultOf(await waiting.outcome);
}

// A function, because the compiler takes the signal's state for settled once it is looked at.
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

function resultOf(outcome: TokenOutcome): Json {
  if (outcome.kind === 'success') return outcome.output;
  throw new StateFailure(outcome.error, outcome.cause);
}
